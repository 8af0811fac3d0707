import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { runMain as run } from './run-main.ts';

const repository = join(import.meta.dirname, '../../..');
let top = '';

beforeEach(() => {
  top = mkdtempSync(join(tmpdir(), 'kiln-import-command-'));
  const config = JSON.parse(readFileSync(join(repository, 'toolkit/distro.json'), 'utf8')) as object;
  put('workspace/toolkit/distro.json', JSON.stringify({ ...config, macros: { main: 'macros', additional: [] } }));
  put('workspace/macros', '');
  put('upstream/SPECS/sed/sed.spec', 'one');
});
afterEach(() => rmSync(top, { recursive: true, force: true }));

function put(path: string, text: string): void {
  mkdirSync(dirname(join(top, path)), { recursive: true });
  writeFileSync(join(top, path), text);
}

const kiln = (...argv: string[]) => run('-C', join(top, 'workspace'), 'import', ...argv);

it('says what is new, changed and in conflict; a conflict is a failure', async () => {
  expect(await kiln(join(top, 'upstream'), '--dry-run')).toMatchObject({
    status: 0,
    out: 'new      SPECS/sed/sed.spec\n',
    err: `${join(top, 'upstream')}: 1 files new, 0 changed, 0 gone; nothing was written\n`,
  });
  await kiln(join(top, 'upstream'));
  put('upstream/SPECS/sed/sed.spec', 'two');
  expect((await kiln()).out).toBe('changed  SPECS/sed/sed.spec\n');
  put('upstream/SPECS/sed/sed.spec', 'three');
  put('workspace/SPECS/sed/sed.spec', 'mine');
  const { status, err } = await kiln();
  expect(status).toBe(1);
  expect(err).toMatch(
    /error IMPORT_CONFLICT: 1 file is .*\n.*SPECS\/sed\/sed\.spec: both changed\n {2}hint: .*--on-conflict local/,
  );
  const answer = await kiln('--on-conflict', 'local', '--json');
  expect(JSON.parse(answer.out)).toMatchObject({ applied: true, conflicts: [{ path: 'SPECS/sed/sed.spec' }] });
});

it('an unknown side is a usage error', async () => {
  expect((await kiln('x', '--on-conflict', 'both')).status).toBe(2);
});
