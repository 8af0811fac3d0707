import { expect, it } from 'vitest';
import { withoutReplaced } from '../src/replaced-specs.ts';

const specs = ['SPECS/sed/sed.spec', 'SPECS/awk/awk.spec', 'LOCAL/sed/sed.spec'].map((specFile) => ({ specFile }));
const [sed, local] = ['SPECS/sed/sed.spec', 'LOCAL/sed/sed.spec'];

it('a replaced spec is left out, and nothing else', () => {
  const replaces = [{ spec: sed, by: local }];
  expect(withoutReplaced(specs, { replaces }).map(({ specFile }) => specFile)).toEqual(['SPECS/awk/awk.spec', local]);
  expect(withoutReplaced(specs, {})).toEqual(specs);
});

it.each<[string, { spec: string; by: string }[], RegExp]>([
  ['a spec that is not there', [{ spec: 'SPECS/sad/sed.spec', by: local }], /no spec 'SPECS\/sad\/sed\.spec'/],
  ['a replacement that is not there', [{ spec: sed, by: 'LOCAL/x.spec' }], /no spec 'LOCAL\/x\.spec'/],
  ['itself', [{ spec: sed, by: sed }], /replace itself/],
  [
    'a spec twice',
    [
      { spec: sed, by: local },
      { spec: sed, by: 'SPECS/awk/awk.spec' },
    ],
    /replaced twice/,
  ],
  [
    'a chain',
    [
      { spec: sed, by: local },
      { spec: local, by: 'SPECS/awk/awk.spec' },
    ],
    /is itself replaced/,
  ],
])('%s is an error', (_, replaces, message) => {
  expect(() => withoutReplaced(specs, { replaces })).toThrow(message);
});
