import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createHost } from '@kiln/host';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { importUpstream, UPSTREAM_LOCK, type ImportOptions } from '@kiln/distribution';

let top = '';
let workspace = '';
let upstream = '';

beforeEach(() => {
  top = mkdtempSync(join(tmpdir(), 'kiln-import-'));
  [workspace, upstream] = [join(top, 'workspace'), join(top, 'upstream')];
  configure({});
  git('init', '--quiet', '--initial-branch=main');
  put(upstream, 'SPECS/sed/sed.spec', spec('sed', '4.8-1'));
  put(upstream, 'SPECS/sed/fix.patch', 'one $Id$\n');
  put(upstream, 'SPECS/old/old.spec', spec('old', '1-1'));
  put(upstream, 'OTHER/file', 'not below a spec root');
  // What would change the bytes on their way through git.
  put(upstream, 'SPECS/.gitattributes', '*.patch text eol=crlf export-ignore ident\n');
  commit('1.0');
});
afterEach(() => rmSync(top, { recursive: true, force: true }));

function configure(more: object): void {
  const config = {
    name: 'test',
    version: '1',
    architecture: 'x86_64',
    specRoots: ['SPECS', 'SPECS-LOCAL'],
    imageDirectory: 'imageconfigs',
    macros: { main: 'toolkit/macros', additional: [] },
    defines: {},
    toolchain: { provider: 'debian', packages: 'toolkit/packages.json', lock: 'toolkit/lock.json' },
    sources: { debianLock: 'toolkit/debian.lock' },
    provides: 'toolkit/provides',
  };
  put(workspace, 'toolkit/distro.json', JSON.stringify({ ...config, ...more }));
  put(workspace, 'toolkit/macros', '');
}

function spec(name: string, version: string): string {
  const [number, release] = version.split('-');
  return `Name: ${name}\nVersion: ${number}\nRelease: ${release}\nSummary: x\nLicense: MIT\n%description\nx\n%files\n`;
}

function put(root: string, path: string, text: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}

function read(path: string): string {
  return readFileSync(join(workspace, path), 'utf8');
}

function git(...args: string[]): string {
  mkdirSync(upstream, { recursive: true });
  const environment = { ...process.env, GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1' };
  const identity = ['-c', 'user.name=Test', '-c', 'user.email=test@kiln.example', '-c', 'core.autocrlf=false'];
  return execFileSync('git', [...identity, ...args], { cwd: upstream, env: environment, encoding: 'utf8' }).trim();
}

function commit(tag: string): void {
  git('-c', 'core.attributesFile=/dev/null', 'add', '--all');
  git('commit', '--quiet', '--message', tag);
  git('tag', tag);
}

function run(options: ImportOptions = {}) {
  return importUpstream(createHost(), workspace, options);
}

function tree(): string[] {
  return readdirSync(join(workspace, 'SPECS'), { recursive: true, encoding: 'utf8', withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(workspace.length + 1))
    .sort();
}

function lock(): { files: Record<string, string>; commit?: string; unfinished?: string } {
  return JSON.parse(read(UPSTREAM_LOCK)) as never;
}

const first = () => run({ from: upstream, ref: '1.0' });

describe('the first import', () => {
  it('takes the files of a revision below the spec roots, byte by byte, and records them', async () => {
    const report = await first();
    expect(tree()).toEqual(['SPECS/.gitattributes', 'SPECS/old/old.spec', 'SPECS/sed/fix.patch', 'SPECS/sed/sed.spec']);
    expect(
      execFileSync('git', ['hash-object', '--no-filters', join(workspace, 'SPECS/sed/fix.patch')], {
        encoding: 'utf8',
      }).trim(),
    ).toBe(git('rev-parse', '1.0:SPECS/sed/fix.patch'));
    expect(report).toMatchObject({
      applied: true,
      roots: ['SPECS'],
      specs: { added: ['SPECS/old/old.spec', 'SPECS/sed/sed.spec'] },
    });
    expect(lock()).toMatchObject({ commit: git('rev-parse', '1.0'), ref: '1.0', from: upstream });
    expect(Object.keys(lock().files)).toEqual(tree());
    expect(readdirSync(join(workspace, 'dist/import'))).toEqual(['lock']);
  });

  it('takes a directory as it is, with executable files and links', async () => {
    chmodSync(join(upstream, 'SPECS/sed/fix.patch'), 0o755);
    symlinkSync('../sed/fix.patch', join(upstream, 'SPECS/old/link'));
    await run({ from: upstream });
    expect(statSync(join(workspace, 'SPECS/sed/fix.patch')).mode & 0o111).toBe(0o111);
    expect(readlinkSync(join(workspace, 'SPECS/old/link'))).toBe('../sed/fix.patch');
    expect((await run()).updated).toEqual([]);
  });

  it('adopts equal files and leaves local packages alone', async () => {
    put(workspace, 'SPECS/sed/sed.spec', spec('sed', '4.8-1'));
    put(workspace, 'SPECS/mine/mine.spec', spec('mine', '1-1'));
    const { added, conflicts } = await first();
    expect(added).not.toContain('SPECS/sed/sed.spec');
    expect(conflicts).toEqual([]);
    expect(Object.keys(lock().files)).not.toContain('SPECS/mine/mine.spec');
  });

  it('a dry run writes nothing', async () => {
    expect(await run({ from: upstream, ref: '1.0', dryRun: true })).toMatchObject({ applied: false });
    expect(existsSync(join(workspace, 'SPECS'))).toBe(false);
    expect(existsSync(join(workspace, UPSTREAM_LOCK))).toBe(false);
  });
});

describe('the next release', () => {
  beforeEach(async () => {
    await first();
    put(upstream, 'SPECS/sed/sed.spec', spec('sed', '4.9-1'));
    put(upstream, 'SPECS/new/new.spec', spec('new', '1-1'));
    git('rm', '--quiet', '-r', 'SPECS/old');
    commit('2.0');
  });

  it('updates what was not touched here, and says what is new, changed and gone', async () => {
    const report = await run({ ref: '2.0' });
    expect(report.specs).toEqual({
      added: ['SPECS/new/new.spec'],
      changed: ['SPECS/sed/sed.spec'],
      removed: ['SPECS/old/old.spec'],
    });
    expect(tree()).toEqual(['SPECS/.gitattributes', 'SPECS/new/new.spec', 'SPECS/sed/fix.patch', 'SPECS/sed/sed.spec']);
    expect(existsSync(join(workspace, 'SPECS/old'))).toBe(false);
    expect(await run()).toMatchObject({ added: [], updated: [], removed: [], applied: true });
  });

  it('keeps what was changed here only, and goes on keeping it', async () => {
    put(workspace, 'SPECS/sed/fix.patch', 'mine');
    expect((await run({ ref: '2.0' })).keptChanges).toEqual(['SPECS/sed/fix.patch']);
    expect((await run()).keptChanges).toEqual(['SPECS/sed/fix.patch']);
    expect(read('SPECS/sed/fix.patch')).toBe('mine');
  });

  it('stops at every kind of conflict before anything is written', async () => {
    put(workspace, 'SPECS/sed/sed.spec', 'mine');
    put(workspace, 'SPECS/old/old.spec', 'mine');
    put(workspace, 'SPECS/new/new.spec', 'mine');
    const before = lock();
    const { conflicts, applied } = await run({ ref: '2.0' });
    expect(applied).toBe(false);
    expect(conflicts).toEqual([
      { path: 'SPECS/new/new.spec', kind: 'in the way' },
      { path: 'SPECS/old/old.spec', kind: 'changed here, gone upstream' },
      { path: 'SPECS/sed/sed.spec', kind: 'both changed' },
    ]);
    expect(lock()).toEqual(before);
    rmSync(join(workspace, 'SPECS/sed/sed.spec'));
    expect((await run({ ref: '2.0' })).conflicts.at(-1)).toEqual({
      path: 'SPECS/sed/sed.spec',
      kind: 'removed here, changed upstream',
    });
  });

  it('leaves the local side when told, once and for all', async () => {
    put(workspace, 'SPECS/sed/sed.spec', 'merged');
    expect(await run({ ref: '2.0', onConflict: 'local' })).toMatchObject({ applied: true });
    expect(read('SPECS/sed/sed.spec')).toBe('merged');
    expect(await run()).toMatchObject({ conflicts: [], keptChanges: ['SPECS/sed/sed.spec'] });
  });

  it('takes the other side when told', async () => {
    put(workspace, 'SPECS/sed/sed.spec', 'mine');
    put(workspace, 'SPECS/old/old.spec', 'mine');
    await run({ ref: '2.0', onConflict: 'upstream' });
    expect(read('SPECS/sed/sed.spec')).toContain('4.9');
    expect(existsSync(join(workspace, 'SPECS/old'))).toBe(false);
  });

  it('an interrupted import is finished by the same one, and no other comes between', async () => {
    // As a process leaves it that died after its first rename.
    put(workspace, UPSTREAM_LOCK, JSON.stringify({ ...lock(), unfinished: 'other' }));
    put(workspace, 'SPECS/sed/sed.spec', spec('sed', '4.9-1'));
    await expect(run({ ref: '2.0' })).rejects.toMatchObject({ code: 'IMPORT_UNFINISHED' });
    rmSync(join(workspace, UPSTREAM_LOCK));
    rmSync(join(workspace, 'SPECS'), { recursive: true });
    await first();
    put(workspace, 'SPECS/sed/sed.spec', spec('sed', '4.9-1'));
    expect(await run({ ref: '2.0' })).toMatchObject({ conflicts: [], added: ['SPECS/new/new.spec'] });
    expect(lock().unfinished).toBeUndefined();
  });

  it('a failing import leaves the tree as it was', async () => {
    const before = tree();
    mkdirSync(join(workspace, 'dist/import/work-of-a-killed-run'));
    await expect(run({ ref: 'no-such-branch' })).rejects.toMatchObject({ code: 'UPSTREAM_UNREADABLE' });
    expect(tree()).toEqual(before);
    expect(readdirSync(join(workspace, 'dist/import'))).toEqual(['lock']);
  });

  it('says which replacement is behind upstream, gone there, or lacks its entry', async () => {
    put(workspace, 'SPECS-LOCAL/sed/sed.spec', spec('sed', '4.9~rc1-7'));
    put(workspace, 'SPECS-LOCAL/older/old.spec', spec('old', '2-1'));
    put(workspace, 'SPECS-LOCAL/new/new.spec', spec('new', '2-1'));
    configure({
      replaces: [
        { spec: 'SPECS/sed/sed.spec', by: 'SPECS-LOCAL/sed/sed.spec' },
        { spec: 'SPECS/old/old.spec', by: 'SPECS-LOCAL/older/old.spec' },
      ],
    });
    const { replaced, sameNames } = await run({ ref: '2.0', dryRun: true });
    expect(replaced).toMatchObject([
      { state: 'behind', upstreamVersion: '4.9-1', localVersion: '4.9~rc1-7' },
      { state: 'gone' },
    ]);
    expect(sameNames).toEqual([{ spec: 'SPECS-LOCAL/new/new.spec', upstream: 'SPECS/new/new.spec' }]);
  });
});

describe('what is refused', () => {
  it.each(['/etc/passwd', '../../outside', '../../../SPECS-evil/x'])('a link to %s', async (target) => {
    symlinkSync(target, join(upstream, 'SPECS/sed/link'));
    await expect(run({ from: upstream })).rejects.toMatchObject({ code: 'UPSTREAM_LINK_OUTSIDE' });
    expect(existsSync(join(workspace, 'SPECS'))).toBe(false);
  });

  it('a directory of the workspace that is a link', async () => {
    mkdirSync(join(top, 'elsewhere'));
    mkdirSync(join(workspace, 'SPECS'));
    symlinkSync(join(top, 'elsewhere'), join(workspace, 'SPECS/sed'));
    await expect(first()).rejects.toMatchObject({
      code: 'IMPORT_PATH_BLOCKED',
      message: "'SPECS/sed' is a link in this workspace",
    });
    expect(readdirSync(join(top, 'elsewhere'))).toEqual([]);
  });

  it('a lock with paths that lead out', async () => {
    await first();
    put(workspace, UPSTREAM_LOCK, JSON.stringify({ ...lock(), files: { '../outside': 'a'.repeat(64) } }));
    put(top, 'outside', 'x');
    await expect(run({ onConflict: 'upstream' })).rejects.toMatchObject({ code: 'IMPORT_PATH_BLOCKED' });
    expect(existsSync(join(top, 'outside'))).toBe(true);
  });

  it.each<[string, ImportOptions, string]>([
    ['no source', {}, 'IMPORT_SOURCE_UNSET'],
    ['a root that is none', { from: '.', roots: ['OTHER'] }, 'IMPORT_ROOT_UNKNOWN'],
    ['an option as revision', { from: 'https://kiln.invalid/x', ref: '--upload-pack=x' }, 'UPSTREAM_UNREADABLE'],
    ['a repository without a revision', { from: 'https://kiln.invalid/x' }, 'UPSTREAM_UNREADABLE'],
    ['a command as address', { from: 'ext::sh -c true', ref: 'main' }, 'UPSTREAM_UNREADABLE'],
  ])('%s', async (_, options, code) => {
    await expect(run(options)).rejects.toMatchObject({ code, hint: expect.any(String) as string });
  });

  it('a tree without the roots', async () => {
    rmSync(join(upstream, 'SPECS'), { recursive: true });
    await expect(run({ from: upstream })).rejects.toMatchObject({ code: 'UPSTREAM_UNREADABLE' });
  });
});
