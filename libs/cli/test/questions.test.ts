import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { digestOf, sha256 } from '@kiln/build-identity';
import { expect, test } from 'vitest';
import { runMain as run } from './run-main.ts';

const repository = join(import.meta.dirname, '../../..');
const ask = (...argv: string[]) => run('-C', repository, ...argv);

test('why: the chain of exact capabilities', async () => {
  const { status, out } = await ask('why', 'bash/bash', 'ncurses/ncurses', '--json');
  expect(status).toBe(0);
  const { through, steps } = JSON.parse(out) as { through: string[]; steps: { requiredBy: string; of: string }[] };
  expect(through[0]).toBe('bash/bash');
  expect(steps[0]!.requiredBy).toMatch(/\(BuildRequires\)$/);
  expect(steps.at(-1)!.of).toBe('ncurses/ncurses');
});

test('why: a package that is not needed', async () => {
  const { status, err } = await ask('why', 'ncurses/ncurses', 'bash/bash');
  expect(status).toBe(1);
  expect(err).toMatch(/^error NOT_NEEDED: .*\n {2}hint: .*kiln dependents bash\/bash/);
});

test('dependents: direct ones are among all, and as a graph', async () => {
  const all = JSON.parse((await ask('dependents', 'ncurses/ncurses', '--json')).out) as string[];
  const direct = JSON.parse((await ask('dependents', 'ncurses/ncurses', '--direct', '--json')).out) as string[];
  expect(all).toContain('bash/bash');
  expect(direct.filter((id) => !all.includes(id))).toEqual([]);
  expect((await ask('dependents', 'ncurses/ncurses', '--dot')).out).toContain('"bash/bash" -> "ncurses/ncurses";');
});

test.each(['unresolved', 'cycles', 'blockers'])('%s: a list', async (question) => {
  const { status, out } = await ask(question, '--json');
  expect(status).toBe(0);
  expect(Array.isArray(JSON.parse(out))).toBe(true);
});

test('why: each choice has its reason; as a graph', async () => {
  const { out } = await ask('why', 'bash/bash', 'ncurses/ncurses', '--dot');
  expect(out).toMatch(/^digraph why \{\n(?: {2}".*" -> ".*" \[label=.*\];\n)+\}\n$/);
});

test('plan: tasks in order with what is before them, the expected time, and as a graph', async () => {
  const { status, out } = await ask('plan', 'bash/bash', '--json', '-j', '2');
  expect(status).toBe(0);
  const { tasks, time } = JSON.parse(out) as {
    tasks: {
      task: string;
      step: number;
      prospect: string;
      before: string[];
      choices: object[];
      predictions: object[];
    }[];
    time: { workers: number };
  };
  const step = new Map(tasks.map((one) => [one.task, one.step]));
  expect(step.has('rpm:bash/bash')).toBe(true);
  for (const one of tasks) for (const before of one.before) expect(step.get(before)!).toBeLessThan(one.step);
  expect(time.workers).toBe(2);
  expect((await ask('plan', 'bash/bash', '--dot')).out).toContain('"rpm:bash/bash" -> "rpm:ncurses/ncurses";');
});

test('cycles: a tree without any needs no policy', async () => {
  expect(JSON.parse((await ask('cycles', '--propose')).out)).toEqual({ packages: {}, edges: [] });
});

interface Part {
  readonly name: string;
  readonly digest: string;
  readonly from: string;
}

test('explain --identity: what the plan key is made of, each part with its digest and where it comes from', async () => {
  const { status, out } = await ask('explain', 'bash/bash', '--identity', '--json');
  expect(status).toBe(0);
  const { plan } = JSON.parse(out) as { plan: { key: string; parts: Part[] } };
  const parts = new Map(plan.parts.map((part) => [part.name, part]));
  const spec = parts.get('SPECS/bash/bash.spec')!;
  expect(spec.digest).toBe(sha256(readFileSync(join(repository, 'SPECS/bash/bash.spec'))));
  expect(parts.get('rpm:ncurses/ncurses')!.from).toBe('the plan key of rpm:ncurses/ncurses');
  expect(parts.get('toolchain')!.from).toMatch(/\.lock\.json$/);
  expect(digestOf(Object.fromEntries(plan.parts.map(({ name, digest }) => [name, digest])))).toBe(plan.key);
  expect((await ask('explain', 'bash/bash', '--identity')).out).toContain(`plan key ${plan.key}`);
});

test('explain --against: a revision that git does not know', async () => {
  const { status, err } = await ask('explain', 'bash/bash', '--against', 'no-such-revision');
  expect(status).toBe(1);
  expect(err).toMatch(/^error REVISION_UNREADABLE/);
});

test.each(['why', 'dependents', 'affected', 'plan', 'unresolved', 'cycles', 'blockers', 'explain', 'provides'])(
  '%s has help',
  async (question) => {
    const { status, out } = await ask(question, '--help');
    expect(status).toBe(0);
    expect(out).toContain(`kiln ${question}`);
  },
);
