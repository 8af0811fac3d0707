import { expect, test } from 'vitest';
import { garbageLines } from '../src/garbage-report.ts';

const none = { count: 0, bytes: 0 };
const report = {
  store: '/store',
  limit: 20e9,
  before: 21.1e9,
  after: 17.9e9,
  inUse: 3e9,
  removed: {
    result: { count: 1, bytes: 4096 },
    blob: { count: 40, bytes: 3.2e9 },
    layer: none,
    'failed build': none,
    download: none,
  },
  unusedSince: Date.parse('2026-11-02T10:00:00Z'),
};

test('a collection is told with the store, what went, and how old it was', () => {
  expect(garbageLines(report)).toEqual([
    '/store: removed 1 result, 40 blobs (3.2 GB), not used since 2026-11-02; it has 17.9 GB, the limit is 20.0 GB',
  ]);
  expect(garbageLines(report, { dryRun: true })[0]).toMatch(
    /^\/store: would remove 1 result.*; it would have 17\.9 GB/,
  );
});

test('a limit that could not be kept is told', () => {
  const removed = { ...report.removed, result: none, blob: none };
  expect(garbageLines({ ...report, removed, limit: 1e9, before: 3e9, after: 3e9 })).toEqual([
    '/store: nothing to remove; it has 3.0 GB, the limit is 1.0 GB',
    'what is left, 3.0 GB, is in use or needed by the plan of the workspace, and stays',
  ]);
});
