import { expect, test } from 'vitest';
import { parseBootstrapSteps } from '@kiln/toolchain';

const step = (name: string, needs: string[] = []) => ({
  ...{ name, needs, description: name, root: 'seed', sources: [], scripts: [`${name}.sh`] },
});

function table(...steps: object[]): string {
  const seed = { packages: 'list.json', lock: 'lock.json' };
  const rest = {
    target: 'x86_64-kiln-linux-gnu',
    specs: 'SPECS',
    sourceLock: 'debian.lock',
    provides: {},
    members: [],
  };
  return JSON.stringify({ ...rest, seed, steps }, undefined, 1);
}

const parse = (...steps: object[]) => parseBootstrapSteps(table(...steps), 'steps.json');

test('each step comes after those that it needs, otherwise as written', () => {
  const { steps } = parse(step('gcc', ['glibc', 'binutils']), step('tar'), step('glibc'), step('binutils', ['glibc']));
  expect(steps.map(({ name }) => name)).toEqual(['glibc', 'binutils', 'gcc', 'tar']);
  expect(steps[0]).toMatchObject({ kept: 'nothing', options: [] });
});

test.each([
  ['a cycle', [step('a', ['b']), step('b', ['c']), step('c', ['b'])], /need one another: b → c → b/],
  ['itself', [step('a', ['a'])], /a → a/],
  ['an unknown step', [step('glibc'), step('gcc', ['glbc'])], /'glbc' is not a step; did you mean 'glibc'/],
  ['a name twice', [step('a'), step('a')], /'a' stands there twice/],
  ['another root', [{ ...step('a'), root: 'host' }], /'host' is not a root/],
  ['a script elsewhere', [{ ...step('a'), scripts: ['../x.sh'] }], /is not the name of a script/],
  ['a strange member', [{ ...step('a'), need: [] }], /'need' is not known here; did you mean 'needs'/],
])('refuses %s', (_, steps, message) => {
  expect(() => parse(...steps)).toThrow(expect.objectContaining({ code: 'BOOTSTRAP_STEPS_INVALID' }));
  expect(() => parse(...steps)).toThrow(message);
});

test('a mistake has its place', () => {
  const mistake = () => parse(step('a'), step('b', ['x']));
  expect(mistake).toThrow(expect.objectContaining({ location: expect.objectContaining({ file: 'steps.json' }) }));
});
