/**
 * What may rebuild, recomputed naively from raw files: for every task the bytes of everything that it and all tasks before it read, as
 * one text. Shares no code with plan keys but SHA-256.
 */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Distribution } from '@kiln/distribution';

/** By task: everything that may change it. */
export type RawTasks = ReadonlyMap<string, RawTask>;

interface RawTask {
  readonly inputs: Readonly<Record<string, string>>;
  readonly before: readonly string[];
}

/** Reads a tree. Which package needs which is the plan's word; which files count is not. */
export function rawTasks({ root, packages, images, config }: Distribution): RawTasks {
  const distro = JSON.parse(readFileSync(join(root, 'toolkit/distro.json'), 'utf8')) as Record<string, unknown>;
  const { architecture, defines, macros, toolchain } = distro as {
    architecture: string;
    defines: object;
    macros: { main: string; additional: string[] };
    toolchain: { packages: string; lock: string };
  };
  const locked = JSON.stringify(JSON.parse(readFileSync(join(root, toolchain.lock), 'utf8')));
  const all = { architecture, toolchain: digest(locked), recipes: 'as they are' };
  const tasks = new Map<string, RawTask>();
  const add = (name: string, before: readonly string[], inputs: Record<string, string>): void =>
    void tasks.set(name, { before, inputs });
  add('toolchain:toolchain', [], { lock: digest(locked) });
  for (const one of packages) {
    const files = [one.specFile, signatures(one.specFile), ...localFiles(root, one)];
    const build = (target: 'rpm' | 'rpm-bootstrap' | 'check', project: typeof one, ownDefines: object): void =>
      add(
        `${target}:${one.id}`,
        [
          ...(target === 'check' ? [`rpm:${one.id}`] : []),
          ...project.dependencies.map((id) => `rpm:${id}`),
          ...project.bootstrapDependencies.map((id) => `rpm-bootstrap:${id}`),
        ],
        {
          ...all,
          ...contents(root, [...files, macros.main, ...macros.additional]),
          macroFiles: JSON.stringify([macros.main, macros.additional.map((file) => basename(file))]),
          defines: JSON.stringify(Object.entries(ownDefines).sort()),
          root: [...project.rootPackages].sort().join('\n'),
          seeds: project.seeds.map(({ sha256 }) => sha256).join('\n'),
        },
      );
    build('rpm', one, one.defines ?? defines);
    const check = one.check ?? one;
    build('check', check, check.defines ?? defines);
    if (one.bootstrap !== undefined) build('rpm-bootstrap', one.bootstrap, one.bootstrap.defines ?? defines);
  }
  const rpms = packages.map(({ id }) => `rpm:${id}`);
  add(`repository:${config.name}`, ['toolchain:toolchain', ...rpms], {});
  for (const image of images) {
    const files = image.definition?.files ?? image.inputs;
    const systems = image.definition?.installer?.systems ?? [];
    add(
      `image:${image.name}`,
      [...image.dependencies.map((id) => `rpm:${id}`), ...systems.map((one) => `image:${one.image}`)],
      { ...all, ...contents(root, files), root: [...image.rootPackages].sort().join('\n') },
    );
    add(`boot-test:${image.name}`, [`image:${image.name}`], {});
  }
  return tasks;
}

/** Tasks of either tree for which anything that they or a task before them reads differs; sorted. */
export function bruteForce(before: RawTasks, after: RawTasks): string[] {
  const names = [...new Set([...before.keys(), ...after.keys()])].sort();
  return names.filter((name) => everything(before, name) !== everything(after, name));
}

function everything(tasks: RawTasks, name: string): string {
  if (!tasks.has(name)) return 'nothing';
  const reached = new Set([name]);
  for (const one of reached) for (const next of tasks.get(one)?.before ?? []) reached.add(next);
  const texts = [...reached].sort().map((one) => {
    const task = tasks.get(one);
    return `${one}\n${[...(task?.before ?? [])].sort().join(' ')}\n${JSON.stringify(Object.entries(task?.inputs ?? {}).sort())}`;
  });
  return digest(texts.join('\n\n'));
}

/** Files beside the spec that its Source and Patch tags name. */
function localFiles(root: string, { specFile, sourcePackage }: Distribution['packages'][number]): string[] {
  return (sourcePackage?.sources ?? [])
    .map(({ fileName }) => `${dirname(specFile)}/${fileName}`)
    .filter((path) => existsSync(join(root, path)));
}

function signatures(specFile: string): string {
  return specFile.replace(/\.spec$/, '.signatures.json');
}

function contents(root: string, files: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    files.map((file) => [file, existsSync(join(root, file)) ? digest(readFileSync(join(root, file))) : 'missing']),
  );
}

function digest(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('hex');
}
