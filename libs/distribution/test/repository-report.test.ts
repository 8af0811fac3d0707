import { expect, test } from 'vitest';
import { judgeReport, type RepositoryReport } from '../src/repository-report.ts';

const report: RepositoryReport = {
  unprovided: [{ dependency: 'libx.so.9()(64bit)', requiredBy: ['a', 'b'] }],
  uninstallable: [],
  fileConflicts: [{ path: '/usr/bin/x', packages: ['a', 'c'], differs: 'size' }],
};

test('what a repository lacks is a warning of each kind', () => {
  expect(judgeReport(report, {})).toEqual([
    '1 requirements that nothing provides, first: libx.so.9()(64bit) of a, b (all in report.json of the repository)',
    '1 files that clash, first: /usr/bin/x of a and c (all in report.json of the repository)',
  ]);
  expect(judgeReport(report, { unprovided: 'off' })).toHaveLength(1);
});

test('a distribution may call kinds errors: they are told at once, with all that is found', () => {
  expect(() => judgeReport(report, { unprovided: 'error', fileConflicts: 'error' })).toThrow(
    expect.objectContaining({
      code: 'REPOSITORY_INCOMPLETE',
      message: 'the repository has 1 requirements that nothing provides, 1 files that clash',
      diagnostics: [
        expect.objectContaining({ message: 'requirements that nothing provides: libx.so.9()(64bit) of a, b' }),
        expect.objectContaining({ message: 'files that clash: /usr/bin/x of a and c' }),
      ],
    }),
  );
  expect(judgeReport(report, { uninstallable: 'error' })).toHaveLength(2);
});

test('of many findings the first are named and the others counted', () => {
  const unprovided = Array.from({ length: 25 }, (_, at) => ({ dependency: `d${at}`, requiredBy: ['a'] }));
  expect(() => judgeReport({ ...report, unprovided }, { unprovided: 'error' })).toThrow(
    expect.objectContaining({ diagnostics: expect.toSatisfy((all: readonly unknown[]) => all.length === 21) }),
  );
});
