import { join } from 'node:path';
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
