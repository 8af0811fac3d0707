import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { DistroConfig } from '../src/distro-config.ts';
import { evaluateTree, type EvaluatedTree } from '../src/evaluate-tree.ts';
import { readDistroConfig } from '../src/read-distro-config.ts';
import { codeDigest } from '../src/evaluator-version.ts';
import { readMacroAnswers } from '../src/macro-answers.ts';
import { macroEnvironment, readMacroFiles } from '../src/macro-files.ts';

const REPOSITORY = resolve(import.meta.dirname, '../../..');

let directory: string;
beforeEach(() => void (directory = mkdtempSync(join(tmpdir(), 'kiln-evaluations-'))));
afterEach(() => rmSync(directory, { recursive: true, force: true }));

/** A tree in memory and on the disk. A macro keeps its line; a removed one leaves an empty line. */
class SmallTree {
  readonly root = directory;
  readonly cacheFile = join(directory, 'cache/evaluations');
  readonly macros = new Map<string, string>();
  readonly answers = new Map<string, string>();
  architecture = 'x86_64';

  write(path: string, text: string | undefined): void {
    const file = join(this.root, path);
    mkdirSync(dirname(file), { recursive: true });
    if (text === undefined) rmSync(file, { force: true });
    else writeFileSync(file, text);
  }

  spec(name: string, lines: string): void {
    const tags = 'Version: 1\nRelease: 1\nSummary: x\nLicense: MIT\nSource0: local.txt\n';
    this.write(`SPECS/${name}/${name}.spec`, `Name: ${name}\n${tags}${lines}\n%description\nx\n%files\n`);
  }

  evaluate({ cached = true } = {}): Promise<EvaluatedTree> {
    const text = [...this.macros].map(([name, body]) => (body === '' ? '\n' : `%${name} ${body}\n`)).join('');
    const macroFiles = [{ file: 'toolkit/macros', slot: 'debian/macros', text }];
    const config = { specRoots: ['SPECS'], architecture: this.architecture, defines: {} } as unknown as DistroConfig;
    return evaluateTree({
      root: this.root,
      config,
      macroFiles,
      environment: macroEnvironment(config, macroFiles),
      answers: this.answers,
      ...(cached ? { cacheFile: this.cacheFile } : {}),
    });
  }

  /** The names of the specs that had to be evaluated; the packages must be those of an evaluation without cache. */
  async evaluatedAgain(): Promise<string[]> {
    const { packages, evaluated } = await this.evaluate();
    expect(packages).toStrictEqual((await this.evaluate({ cached: false })).packages);
    return evaluated.map((file) => file.split('/')[1]!);
  }
}

/** A small generator of numbers, always the same ones for a seed. */
function numbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const MACROS = ['macro m0', 'macro m1', 'macro m2', 'macro m3'];
const OTHERS = ['file i0', 'file i1', 'answer s0', 'answer s1'];

/** Specs that read random macros, directly or through `by_…`, and one file or answer: last, as a missing one ends the spec. */
class RandomTree extends SmallTree {
  readonly random: (below: number) => number;
  readonly readers = new Map<string, Set<string>>();
  readonly #missing = new Set([...MACROS, ...OTHERS]);
  #revision = 0;

  constructor(seed: number) {
    super();
    this.random = numbers(seed);
    for (const thing of [...MACROS, ...OTHERS]) this.change(thing);
    for (const thing of MACROS) this.macros.set(`by_${thing.slice(6)}`, `%{?${thing.slice(6)}}`);
    for (const name of ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']) this.writeSpec(name);
  }

  /** Gives it another value, or removes it when it is there. */
  change(thing: string): void {
    const present = this.#missing.delete(thing) || this.random(4) > 0;
    if (!present) this.#missing.add(thing);
    this.#revision += 1;
    const [kind, name] = thing.split(' ') as [string, string];
    const value = String(this.#revision);
    if (kind === 'macro') this.macros.set(name, present ? value : '');
    else if (kind === 'file') this.write(`SPECS/${name}`, present ? `Provides: y = ${value}\n` : undefined);
    else if (present) this.answers.set(name, `${value}\n`);
    else this.answers.delete(name);
  }

  writeSpec(name: string): void {
    this.#revision += 1;
    const read = [...MACROS.filter(() => this.random(3) === 0), OTHERS[this.random(OTHERS.length)]!];
    const lines = read.map((thing) => {
      const [kind, what] = thing.split(' ') as [string, string];
      if (kind === 'file') return `%include SPECS/${what}`;
      if (kind === 'answer') return `Requires: n%(${what})`;
      return this.random(2) === 0 ? `Provides: x-%{?${what}}` : `%if 0%{?by_${what}}\nProvides: y\n%endif`;
    });
    this.spec(name, `Provides: revision-${this.#revision}\n${lines.join('\n')}`);
    this.readers.set(name, new Set(read));
  }
}

describe('a cached evaluation', () => {
  it.each([1, 2, 3, 4, 5])(
    'is what a fresh one gives; only readers of a change are evaluated (seed %i)',
    async (seed) => {
      const tree = new RandomTree(seed);
      const { random, readers } = tree;
      const [names, things] = [[...readers.keys()], [...MACROS, ...OTHERS]];
      expect(await tree.evaluatedAgain()).toEqual(names);
      for (let step = 0; step < 25; step += 1) {
        const [name, thing] = [names[random(names.length)]!, things[random(things.length)]!];
        const isSpec = random(4) === 0;
        if (isSpec) tree.writeSpec(name);
        else tree.change(thing);
        expect(await tree.evaluatedAgain()).toEqual(
          isSpec ? [name] : names.filter((one) => readers.get(one)!.has(thing)),
        );
        expect(await tree.evaluatedAgain()).toEqual([]);
      }
    },
  );

  it('of all specs but the readers stays when a generated version changes', async () => {
    const tree = new SmallTree();
    tree.macros.set('other', '1');
    tree.macros.set('kernel_version', '6.6.1');
    tree.spec('driver', 'Requires: kernel = %{kernel_version}');
    tree.spec('tool', '%{?kernel_module:Requires: never}\nRequires: other = %{other}');
    tree.spec('own', '%global kernel_version 5\nRequires: kernel = %{kernel_version}');
    expect(await tree.evaluatedAgain()).toEqual(['driver', 'own', 'tool']);
    tree.macros.set('kernel_version', '6.6.2');
    expect(await tree.evaluatedAgain()).toEqual(['driver']);
    tree.macros.set('kernel_module', '1');
    expect(await tree.evaluatedAgain()).toEqual(['tool']);
  });

  it('counts what Lua asks', async () => {
    const tree = new SmallTree();
    tree.macros.set('colour', 'red');
    tree.write('modules.txt', 'one');
    tree.spec('asks', 'Provides: %{lua: print(rpm.isdefined("shape") and "shape" or rpm.expand("%{colour}"))}');
    tree.spec('reads', 'Provides: %{lua: print(io.open("modules.txt"):read("a"))}');
    await tree.evaluate();
    tree.macros.set('shape', 'round');
    expect(await tree.evaluatedAgain()).toEqual(['asks']);
    tree.write('modules.txt', 'two');
    expect(await tree.evaluatedAgain()).toEqual(['reads']);
  });

  it('ends with another architecture and with other faults of the macro files', async () => {
    const tree = new SmallTree();
    tree.spec('a', '');
    await tree.evaluate();
    tree.architecture = 'aarch64';
    expect(await tree.evaluatedAgain()).toEqual(['a']);
    tree.macros.set('_', 'bad name');
    expect(await tree.evaluatedAgain()).toEqual(['a']);
    expect(await tree.evaluatedAgain()).toEqual([]);
  });

  it('is not kept of a spec that lists all macros, or whose reads can not be told', async () => {
    const tree = new SmallTree();
    tree.spec('dumps', '%dump');
    tree.spec('leaves', '%include ../outside');
    expect(await tree.evaluatedAgain()).toEqual(['dumps', 'leaves']);
    expect(await tree.evaluatedAgain()).toEqual(['dumps', 'leaves']);
    const { packages } = await tree.evaluate();
    expect(packages[1]!.diagnostics).toMatchObject([
      { code: 'INCLUDE_OUTSIDE', location: { file: 'SPECS/leaves/leaves.spec' } },
    ]);
  });

  it('knows files that appear beside the spec', async () => {
    const tree = new SmallTree();
    tree.spec('a', '');
    await tree.evaluate();
    tree.write('SPECS/a/local.txt', 'x');
    expect(await tree.evaluatedAgain()).toEqual([]);
    expect((await tree.evaluate()).packages[0]!.inputs).toContain('SPECS/a/local.txt');
  });
});

describe('the file', () => {
  it('counts as empty when it is damaged, and is made anew', async () => {
    const tree = new SmallTree();
    tree.spec('a', 'Provides: x');
    tree.spec('b', 'Provides: y');
    await tree.evaluate();
    const whole = readFileSync(tree.cacheFile);
    const random = numbers(7);
    for (let step = 0; step < 40; step += 1) {
      if (step % 2 === 0) truncateSync(tree.cacheFile, random(whole.length));
      else {
        const damaged = Buffer.from(whole);
        damaged[random(damaged.length)]! ^= 1 << random(8);
        writeFileSync(tree.cacheFile, damaged);
      }
      expect(await tree.evaluatedAgain()).toEqual(['a', 'b']);
      expect(readFileSync(tree.cacheFile).equals(whole)).toBe(true);
    }
  });

  it('grows by what is new, and is made anew when that was damaged or has become much', async () => {
    const tree = new SmallTree();
    tree.spec('a', '');
    tree.spec('b', '');
    await tree.evaluate();
    const { size, ino } = statSync(tree.cacheFile);
    tree.spec('a', 'Provides: new');
    expect(await tree.evaluatedAgain()).toEqual(['a']);
    expect(statSync(tree.cacheFile)).toMatchObject({ ino });
    expect(await tree.evaluatedAgain()).toEqual([]);
    truncateSync(tree.cacheFile, statSync(tree.cacheFile).size - 1);
    expect(await tree.evaluatedAgain()).toEqual(['a']);
    expect(await tree.evaluatedAgain()).toEqual([]);
    for (let edit = 0; edit < 70; edit += 1) {
      tree.spec('a', `Provides: new${edit}`);
      await tree.evaluate();
    }
    expect(statSync(tree.cacheFile).size).toBeLessThan(40 * size);
    expect(await tree.evaluatedAgain()).toEqual([]);
  });

  it('loses what the tree no longer has', async () => {
    const tree = new SmallTree();
    tree.spec('a', '');
    tree.spec('b', '');
    await tree.evaluate();
    const { size } = statSync(tree.cacheFile);
    tree.write('SPECS/b/b.spec', undefined);
    expect(await tree.evaluatedAgain()).toEqual([]);
    expect(statSync(tree.cacheFile).size).toBeLessThan(size);
  });

  it('is not written when nothing has changed, and needs no directory that can be written to', async () => {
    const tree = new SmallTree();
    tree.spec('a', '');
    await tree.evaluate();
    const { ino } = statSync(tree.cacheFile);
    await tree.evaluate();
    expect(statSync(tree.cacheFile).ino).toBe(ino);
    rmSync(dirname(tree.cacheFile), { recursive: true });
    tree.write('cache', 'a file');
    expect(await tree.evaluatedAgain()).toEqual(['a']);
  });

  it('stays whole when several write and read it at once', async () => {
    const tree = new SmallTree();
    for (const name of ['a', 'b', 'c']) tree.spec(name, '');
    const fresh = (await tree.evaluate({ cached: false })).packages;
    const all = await Promise.all(Array.from({ length: 8 }, () => tree.evaluate()));
    for (const { packages } of all) expect(packages).toStrictEqual(fresh);
    expect(await tree.evaluatedAgain()).toEqual([]);
  });
});

it('gives for this repository what an evaluation without it gives', async () => {
  const config = readDistroConfig(REPOSITORY);
  const macroFiles = readMacroFiles(REPOSITORY, config);
  const environment = macroEnvironment(config, macroFiles);
  const tree = { root: REPOSITORY, config, macroFiles, environment, answers: readMacroAnswers(REPOSITORY, config) };
  const cacheFile = join(directory, 'evaluations');
  const [bare, filled] = [await evaluateTree(tree), await evaluateTree({ ...tree, cacheFile })];
  const cached = await evaluateTree({ ...tree, cacheFile });
  expect(filled.evaluated.length).toBeGreaterThan(5);
  expect(cached.evaluated).toEqual([]);
  expect(filled.packages).toStrictEqual(bare.packages);
  expect(cached.packages).toStrictEqual(bare.packages);
});

describe('the version of the evaluator', () => {
  it('changes with every file of the code, its name, and the versions that it depends on', () => {
    const write = (path: string, text: string): void => {
      mkdirSync(dirname(join(directory, path)), { recursive: true });
      writeFileSync(join(directory, path), text);
    };
    write('package.json', '{}');
    write('src/a.ts', '1');
    write('src/deep/b.ts', '2');
    const digest = (): string => codeDigest([directory], 'src');
    const seen = new Set([digest()]);
    const change = (path: string, text: string): void => {
      write(path, text);
      expect(seen).not.toContain(digest());
      seen.add(digest());
    };
    change('src/a.ts', '2');
    change('src/deep/b.ts', '3');
    change('src/c.ts', '');
    change('package.json', '{"dependencies":{}}');
    write('README.md', 'text');
    expect(seen).toContain(digest());
  });
});

it('a spec that is not UTF-8 says so, with the line, and hides no other', async () => {
  const tree = new SmallTree();
  tree.spec('a', '');
  tree.spec('b', '');
  writeFileSync(join(tree.root, 'SPECS/b/b.spec'), Buffer.from('Name: b\nSummary: caf\xe9\n', 'latin1'));
  const { packages } = await tree.evaluate();
  expect(packages.map(({ id, diagnostics }) => [id, diagnostics[0]?.code, diagnostics[0]?.location?.line])).toEqual([
    ['a/a', undefined, undefined],
    ['b/b', 'SPEC_NOT_UTF8', 2],
  ]);
});
