import { expect, test } from 'vitest';
import { describeFailure } from '../src/failure.ts';

const noSpace = (facts: object) => Object.assign(new Error('ENOSPC: no space left on device, write'), facts);

test('a full disk is told with the file that was written', () => {
  expect(describeFailure(noSpace({ code: 'ENOSPC', path: '/w/dist/a' }))).toMatch(
    /^error DISK_FULL: no space left while writing \/w\/dist\/a\n/,
  );
  expect(describeFailure(noSpace({ code: 'EDQUOT', path: '/store/a', dest: '/w/dist/a' }))).toContain(
    'no space left while writing /w/dist/a',
  );
  expect(describeFailure(noSpace({ code: 'ENOSPC' }))).toContain('no space left on device');
});

test('what nobody foresaw is a defect with its stack', () => {
  expect(describeFailure(new TypeError('x is no function'))).toMatch(/INTERNAL: this is a defect of Kiln:\nTypeError/);
});
