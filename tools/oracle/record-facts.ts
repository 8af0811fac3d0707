/**
 * Asks real rpm for the facts of specs and prints them as JSON lines:
 * `npx tsx tools/oracle/record-facts.ts --rpmspec <program> --tree <directory> [--target x86_64] [--define 'name body']… [--part i/n] < paths`.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import type { FactDependency, PackageFacts, SpecFacts } from './facts.ts';

const { values } = parseArgs({
  options: {
    rpmspec: { type: 'string', default: 'rpmspec' },
    tree: { type: 'string', default: '.' },
    target: { type: 'string', default: 'x86_64' },
    define: { type: 'string', multiple: true, default: [] },
    part: { type: 'string', default: '0/1' },
  },
});

const KINDS = ['PROVIDE', 'REQUIRE', 'CONFLICT', 'OBSOLETE', 'RECOMMEND', 'SUGGEST', 'SUPPLEMENT', 'ENHANCE'];
const LISTS = ['SOURCE', 'PATCH', 'EXCLUSIVEARCH', 'EXCLUDEARCH', 'BUILDARCHS', 'CHANGELOGTIME'];
const FORMAT = [
  'package\\t%{NAME}\\t%{VERSION}\\t%{RELEASE}\\t%{EPOCH}\\t%{ARCH}\\t%{LICENSE}\\n',
  ...KINDS.map((kind) => `[${kind}\\t%{${kind}NAME}\\t%{${kind}FLAGS}\\t%{${kind}VERSION}\\n]`),
  ...LISTS.map((name) => `[${name}\\t%{${name}}\\n]`),
].join('');
const OPERATORS: Readonly<Record<number, string>> = { 2: '<', 4: '>', 8: '=', 10: '<=', 12: '>=' };

const [index, count] = values.part.split('/').map(Number) as [number, number];
const paths = readFileSync(0, 'utf8').split('\n').filter(Boolean);
for (const path of paths.filter((_path, at) => at % count === index)) console.log(JSON.stringify(factsOf(path)));

function factsOf(path: string): SpecFacts | { path: string; failed: string } {
  const packages = query(path, ['-q', '--queryformat', FORMAT]);
  if (typeof packages === 'string') return { path, failed: packages };
  const source = query(path, ['-q', '--srpm', '--queryformat', FORMAT]);
  const built = query(path, ['-q', '--builtrpms', '--queryformat', 'package\\t%{NAME}\\n']);
  if (typeof source === 'string' || typeof built === 'string') return { path, failed: 'a later query failed' };
  return {
    path,
    built: built.map(({ name }) => name),
    packages: packages.map(({ lists: _lists, ...facts }) => facts),
    source: { ...source[0]!, ...source[0]!.lists, lists: undefined } as SpecFacts['source'],
  };
}

interface QueriedPackage extends PackageFacts {
  readonly lists: Record<string, string[]>;
}

function query(path: string, words: readonly string[]): QueriedPackage[] | string {
  const file = join(values.tree, path);
  const defines = [...values.define, `_sourcedir ${dirname(file)}`].flatMap((define) => ['-D', define]);
  const run = spawnSync(values.rpmspec, [...words, '--target', values.target, ...defines, file], {
    encoding: 'buffer',
    stdio: ['ignore', 'pipe', 'pipe'],
    maxBuffer: 1 << 28,
  });
  if (run.status !== 0)
    return (
      run.stderr
        .toString('utf8')
        .split('\n')
        .filter((line) => line.startsWith('error:'))
        .join('\n') || 'failed'
    );
  const packages: GrowingPackage[] = [];
  for (const line of run.stdout.toString('utf8').split('\n')) {
    const [key = '', ...fields] = line.split('\t');
    const current = packages.at(-1);
    if (key === 'package') packages.push(newPackage(fields));
    else if (KINDS.includes(key) && current !== undefined) {
      const [name = '', flags = '0', evr = ''] = fields;
      const kind = `${key.toLowerCase()}s`;
      (current.dep[kind] ??= []).push([name, OPERATORS[Number(flags) & 14] ?? '', evr, Number(flags)]);
    } else if (key === 'CHANGELOGTIME' && current !== undefined) current.changelog_n += 1;
    else if (LISTS.includes(key) && current !== undefined)
      (current.lists[key.toLowerCase()] ??= []).push(fields.join('\t'));
  }
  return packages as unknown as QueriedPackage[];
}

interface GrowingPackage {
  name: string;
  license: string;
  dep: Record<string, FactDependency[]>;
  lists: Record<string, string[]>;
  changelog_n: number;
}

function newPackage(fields: readonly string[]): GrowingPackage {
  const [name = '', version = '', release = '', epoch = '(none)', arch = '', license = ''] = fields;
  const identity = { name, version, release, arch, ...(epoch === '(none)' ? {} : { epoch }) };
  return { ...identity, license, changelog_n: 0, dep: {}, lists: {} };
}
