/** Builds the fixture RPMs with rpmbuild and records what rpm says of them: `npx tsx --conditions=development libs/rpm-repository/test/record-fixtures.ts`. */
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { askRpm } from './rpm-oracle.ts';

const fixtures = join(import.meta.dirname, 'fixtures');
const top = mkdtempSync(join(tmpdir(), 'rpm-fixtures-'));
const defines = {
  _topdir: top,
  _sourcedir: fixtures,
  _buildhost: 'builder',
  _buildshell: '/bin/bash',
  use_source_date_epoch_as_buildtime: '1',
  clamp_mtime_to_source_date_epoch: '1',
};
for (const spec of ['everything', 'minimal']) {
  const words = Object.entries(defines).flatMap(([name, value]) => ['--define', `${name} ${value}`]);
  const { status, stderr } = spawnSync('rpmbuild', ['-ba', '--quiet', ...words, join(fixtures, `${spec}.spec`)], {
    encoding: 'utf8',
    env: { ...process.env, SOURCE_DATE_EPOCH: '1700000000' },
  });
  if (status !== 0) throw new Error(stderr);
}
const views: Record<string, unknown> = {};
const built = readdirSync(top, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.rpm'));
for (const rpm of built.map((path) => join(top, path)).sort()) {
  copyFileSync(rpm, join(fixtures, basename(rpm)));
  views[basename(rpm)] = askRpm(rpm);
}
writeFileSync(join(fixtures, 'expected.json'), `${JSON.stringify(views, undefined, 1)}\n`);
rmSync(top, { recursive: true });
