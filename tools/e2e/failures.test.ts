/** Bad input and bad luck: one clear error each, a non-zero exit, nothing half-written, and the next run goes on. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { loadDistribution, Session, TOOLCHAIN_ORIGIN } from '@kiln/distribution';
import { createHost } from '@kiln/host';
import { Store } from '@kiln/store';
import { kiln, kilnCommand, nx, run, start } from './run-kiln.ts';
import { edit, restore, sign, write } from './small-tree.ts';
import { useSmallTree } from './use-small-tree.ts';

const MINUTES = 60_000;
/** A namespace in which a small file system can be mounted, by root and by others, as the same user. */
const OWN_MOUNTS =
  process.getuid?.() === 0
    ? ['unshare', '--mount']
    : ['unshare', '--user', '--map-current-user', '--keep-caps', '--mount'];
const tree = useSmallTree();

/** Every failure leaves the store as clean as it was, and the tree builds again when it is put right. */
afterEach(async () => {
  for (const place of ['work', 'tmp']) {
    const path = join(tree.store, place);
    expect(existsSync(path) ? readdirSync(path) : []).toEqual([]);
  }
  restore(tree);
  const good = await kiln(tree, 'rpm', 'alone');
  expect(good.status, good.output).toBe(0);
}, 5 * MINUTES);

test('an unterminated %if is named with its line; other packages still build', { timeout: 5 * MINUTES }, async () => {
  edit(tree, 'SPECS/two/two.spec', (text) => text.replace('%build\n', '%build\n%if 1\n'));
  const line = lineOf('SPECS/two/two.spec', '%if 1');
  const ran = await kiln(tree, 'rpm', 'two');
  expect(ran.status).toBe(1);
  expect(ran.output).toMatch(new RegExp(`SPECS/two/two\\.spec:${line}(:\\d+)?: error [A-Z_]+: .*%if`));
  expect(ran.built).not.toContain('rpm:two/two');
  const all = await nx(tree, 'run-many', '-t', 'rpm', '-p', 'one/one,two/two');
  expect(all.status).toBe(1);
  expect(all.output).toContain(`SPECS/two/two.spec:${line}`);
  expect(all.failed).not.toContain('rpm:one/one');
});

test('a BuildRequires that nobody provides', { timeout: 5 * MINUTES }, async () => {
  edit(tree, 'SPECS/three/three.spec', (text) =>
    text.replace('BuildRequires:  two-devel', 'BuildRequires:  twoo-devel'),
  );
  const ran = await kiln(tree, 'rpm', 'three');
  expect(ran.status).toBe(1);
  const line = lineOf('SPECS/three/three.spec', 'twoo-devel');
  expect(ran.output).toMatch(
    new RegExp(`SPECS/three/three\\.spec:${line}(:\\d+)?: error DEPENDENCY_UNRESOLVED: .*'twoo-devel'`),
  );
  expect(ran.output).toContain("did you mean 'two-devel'?");
});

test('a source that is nowhere', { timeout: 5 * MINUTES }, async () => {
  edit(tree, 'SPECS/one/one.spec', (text) =>
    text.replace('Source0:        one.c', 'Source0:        file:///no/such/place/one-9.c\nSource1:        one.c'),
  );
  edit(tree, 'SPECS/one/one.signatures.json', (text) =>
    text.replace('"one.c"', `"one-9.c": "${'0'.repeat(64)}",\n    "one.c"`),
  );
  const ran = await kiln(tree, 'rpm', 'one');
  expect(ran.status).toBe(1);
  const line = lineOf('SPECS/one/one.spec', 'one-9.c');
  expect(ran.output).toMatch(new RegExp(`SPECS/one/one\\.spec:${line}(:\\d+)?: error SOURCE_MISSING: .*one-9\\.c`));
  expect(ran.output).toContain('file:///no/such/place/one-9.c');
});

test('a source with another digest', { timeout: 5 * MINUTES }, async () => {
  edit(tree, 'SPECS/one/one.c', (text) => `${text}int more;\n`);
  const ran = await kiln(tree, 'rpm', 'one');
  expect(ran.status).toBe(1);
  const line = lineOf('SPECS/one/one.spec', 'Source0');
  expect(ran.output).toMatch(
    new RegExp(
      `SPECS/one/one\\.spec:${line}(:\\d+)?: error SOURCE_DIGEST_MISMATCH: .*one\\.c has SHA-256 [0-9a-f]{64}`,
    ),
  );
});

test('a fetched source with another digest is not kept', { timeout: 5 * MINUTES }, async () => {
  const elsewhere = join(tree.directory, 'extra.txt');
  writeFileSync(elsewhere, 'not what was signed\n');
  edit(tree, 'SPECS/one/one.spec', (text) =>
    text.replace('Source0:        one.c', `Source0:        one.c\nSource1:        file://${elsewhere}`),
  );
  edit(tree, 'SPECS/one/one.signatures.json', (text) =>
    text.replace('"one.c"', `"extra.txt": "${'1'.repeat(64)}",\n    "one.c"`),
  );
  const ran = await kiln(tree, 'rpm', 'one');
  expect(ran.status).toBe(1);
  expect(ran.output).toMatch(/error SOURCE_(DIGEST_MISMATCH|MISSING): /);
  expect(ran.output).toContain('1'.repeat(64));
});

test('a failing %build names section, log and the last words', { timeout: 5 * MINUTES }, async () => {
  edit(tree, 'SPECS/one/one.c', () => 'int one(void) { return missing_symbol }\n');
  sign(tree, 'one');
  const ran = await kiln(tree, 'rpm', 'one');
  expect(ran.status).toBe(1);
  const line = lineOf('SPECS/one/one.spec', '%build');
  expect(ran.output).toContain(
    `SPECS/one/one.spec:${line}: error RPMBUILD_FAILED: the %build section of one/one failed`,
  );
  expect(ran.output).toContain('missing_symbol');
  expect(ran.output).toContain('dist/logs/rpm/one/one.log');
  expect(readFileSync(join(tree.root, 'dist/logs/rpm/one/one.log'), 'utf8')).toContain('missing_symbol');
});

test('a header of a package that is not in BuildRequires is not there', { timeout: 5 * MINUTES }, async () => {
  edit(tree, 'SPECS/two/two.spec', (text) => text.replace('BuildRequires:  one-devel\n', ''));
  const ran = await kiln(tree, 'rpm', 'two');
  expect(ran.status).toBe(1);
  expect(ran.output).toContain('one.h');
});

test('a development package of Debian can not get into the root', { timeout: 5 * MINUTES }, async () => {
  edit(tree, 'toolkit/toolchain/debian-bookworm.lock.json', (text) => {
    const lock = JSON.parse(text) as { packages: { name: string }[] };
    const donor = lock.packages.find(({ name }) => name === 'make')!;
    lock.packages.push({ ...donor, name: 'libncurses-dev' });
    return JSON.stringify(lock);
  });
  const ran = await kiln(tree, 'rpm', 'one');
  expect(ran.status).toBe(1);
  expect(ran.output).toMatch(/error TOOLCHAIN_NOT_TOOLS_ONLY: .*libncurses-dev/);
});

test(
  'a file planted in the toolchain on disk is noticed and does not get into a build',
  { timeout: 10 * MINUTES },
  async () => {
    const layer = readdirSync(join(tree.store, 'layers')).find((name) =>
      existsSync(join(tree.store, 'layers', name, 'root/usr/include')),
    )!;
    const planted = join(tree.store, 'layers', layer, 'root/usr/include/planted.h');
    writeFileSync(planted, '#define PLANTED 1\n');
    edit(tree, 'SPECS/one/one.c', () => '#include <planted.h>\nint one(void) { return PLANTED; }\n');
    sign(tree, 'one');
    const ran = await kiln(tree, 'rpm', 'one');
    expect(ran.status).toBe(1);
    expect(ran.output).toContain('planted.h');
    expect(existsSync(planted)).toBe(false);
  },
);

test('an interrupt ends everything at once and the next run goes on', { timeout: 5 * MINUTES }, async () => {
  edit(tree, 'SPECS/one/one.spec', (text) => text.replace('%build\n', '%build\nsleep 7.125\n'));
  const running = start(tree, kilnCommand('rpm', 'one'));
  await until(() => processesWith('sleep 7.125') > 0);
  process.kill(-running.pid, 'SIGINT');
  const interrupted = await running.ended;
  expect(interrupted.status).toBe(130);
  expect(processesWith('sleep 7.125')).toBe(0);
  expect(interrupted.output).toMatch(/INTERRUPTED/);
  const again = await kiln(tree, 'rpm', 'one');
  expect(again.status, again.output).toBe(0);
  expect(again.built).toEqual(['rpm:one/one']);
});

test('a full disk while building', { timeout: 10 * MINUTES }, async () => {
  edit(tree, 'SPECS/one/one.spec', (text) => text.replace('%build\n', '%build\nhead -c 3000000000 /dev/zero > big\n'));
  const small = join(tree.directory, 'small');
  const script = [
    'set -e',
    `mkdir -p ${small}`,
    `mount -t tmpfs -o size=1500m,mode=755 tmpfs ${small}`,
    `cp -a ${join(tree.store, 'layers')} ${small}/`,
    `export KILN_STORE=${small}`,
    'status=0',
    `${kilnCommand('rpm', 'one').join(' ')} || status=$?`,
    `echo "left: $(ls ${small}/work ${small}/tmp | grep -v : | tr -d '\\n')."`,
    'exit $status',
  ].join('\n');
  const ran = await run(tree, [...OWN_MOUNTS, 'sh', '-c', script]);
  expect(ran.status).toBe(1);
  expect(ran.output).toMatch(/error DISK_FULL: /);
  expect(ran.output).toContain('left: .');
});

test('a full disk before anything is built', { timeout: 10 * MINUTES }, async () => {
  const small = join(tree.directory, 'smaller');
  const script = [
    `mkdir -p ${small} && mount -t tmpfs -o size=20m,mode=755 tmpfs ${small} && export KILN_STORE=${small}`,
    `${kilnCommand('rpm', 'one').join(' ')}`,
  ].join('\n');
  const ran = await run(tree, [...OWN_MOUNTS, 'sh', '-c', script]);
  expect(ran.status).toBe(1);
  expect(ran.output).toMatch(/error DISK_FULL: /);
});

test('a source file that is edited while its build waits', { timeout: 5 * MINUTES }, async () => {
  edit(tree, 'SPECS/alone/alone.c', () => 'int before;\n');
  sign(tree, 'alone');
  const host = createHost();
  const session = new Session(await loadDistribution(tree.root), host, new Store(host, tree.store));
  await session.run('toolchain', TOOLCHAIN_ORIGIN);
  const ran = session.run('rpm', 'alone/alone', (work) => {
    edit(tree, 'SPECS/alone/alone.c', () => 'int after;\n');
    sign(tree, 'alone');
    return work();
  });
  await expect(ran).rejects.toMatchObject({ code: 'INPUT_CHANGED' });
  expect((await session.state('rpm', 'alone/alone')).result).toBeUndefined();
});

test('an image that asks for an unknown package', { timeout: 5 * MINUTES }, async () => {
  edit(tree, 'imageconfigs/tiny.json', (text) => text.replace('"alone"', '"alon"'));
  const ran = await kiln(tree, 'image', 'tiny');
  expect(ran.status).toBe(1);
  expect(ran.output).toMatch(/imageconfigs\/tiny\.json:\d+:\d+: error IMAGE_PACKAGE_UNKNOWN: .*'alon'/);
});

test('a bad configuration is one error at its place', { timeout: 5 * MINUTES }, async () => {
  edit(tree, 'toolkit/distro.json', (text) => text.replace('"specRoots"', '"specRots"'));
  const ran = await kiln(tree, 'rpm', 'one');
  expect(ran.status).toBe(1);
  expect(ran.output).toMatch(/toolkit\/distro\.json:\d+.*error DISTRO_CONFIG_INVALID/);
  write(tree.root, 'toolkit/distro.json', '{');
  expect((await kiln(tree, 'list')).output).toMatch(/toolkit\/distro\.json:\d+.*error JSON_MALFORMED/);
});

function lineOf(file: string, text: string): number {
  return (
    readFileSync(join(tree.root, file), 'utf8')
      .split('\n')
      .findIndex((line) => line.includes(text)) + 1
  );
}

/** Processes of this machine with that command line. From /proc: a minimal Debian has no `ps`. */
function processesWith(command: string): number {
  return readdirSync('/proc').filter((pid) => /^\d+$/.test(pid) && commandLine(pid) === command).length;
}

function commandLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').join(' ').trimEnd();
  } catch {
    return ''; // It has ended in the meantime.
  }
}

async function until(condition: () => boolean): Promise<void> {
  for (const end = Date.now() + 120_000; !condition();) {
    if (Date.now() > end) throw new Error('it did not happen');
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
