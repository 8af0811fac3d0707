import { expect, it } from 'vitest';
import type { ProjectConfiguration } from '@nx/devkit';
import { parseTargetNames, renameTargets } from '../src/target-names.ts';

const high: ProjectConfiguration = {
  name: 'high',
  root: 'SPECS/high',
  targets: {
    rpm: {
      dependsOn: [
        { target: 'rpm', projects: ['low'] },
        { target: 'toolchain', projects: ['distribution'] },
      ],
    },
  },
};

it('targets and what they depend on get the names of the workspace', () => {
  const renamed = renameTargets(new Map([['high.spec', { 'SPECS/high': high }]]), { rpm: 'build-rpm' });
  expect(renamed.get('high.spec')!['SPECS/high']!.targets).toEqual({
    'build-rpm': {
      dependsOn: [
        { target: 'build-rpm', projects: ['low'] },
        { target: 'toolchain', projects: ['distribution'] },
      ],
    },
  });
});

it.each<[Record<string, unknown>, RegExp]>([
  [{ rmp: 'x' }, /'rmp' is no target/],
  [{ rpm: '' }, /"" can't be the name/],
  [{ rpm: 3 }, /3 can't be the name/],
  [{ rpm: 'image' }, /two targets are called 'image'/],
])('%j is refused', (names, message) => {
  expect(() => parseTargetNames(names)).toThrow(message);
});
