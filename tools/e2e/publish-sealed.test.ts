/** Publication of an image for Secure Boot, with keys that are made here and thrown away; others' programs check it. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createHost } from '@kiln/host';
import { runSandboxed } from '@kiln/sandbox';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { imageToolsRoot } from '../../libs/image-build/test/image-tools.ts';
import { minimalProgram } from '../../libs/image-build/test/minimal-program.ts';
import { makeKey } from '../../libs/rpm-repository/test/signing-key.ts';
import { kilnCommand, run } from './run-kiln.ts';
import { edit, LICENSE_FILE, makeSmallTree, sign, write, type SmallTree } from './small-tree.ts';
import { shareImageTools, sharedStore } from './test-store.ts';

const MINUTES = 60_000;
let directory: string;
let tree: SmallTree;
let secret: string;
let bootKey: string;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'kiln-publish-'));
  chmodSync(directory, 0o755);
  const store = await sharedStore(directory);
  await shareImageTools(store);
  tree = makeSmallTree(join(directory, 'tree'), store);
  const publisher = makeKey(directory, 'publisher');
  secret = publisher.secret;
  write(tree.root, 'toolkit/keys/test.asc', readFileSync(publisher.publicKeyFile, 'utf8'));
  const signing = { key: publisher.fingerprint, publicKey: 'toolkit/keys/test.asc' };
  const secureBoot = { certificate: 'toolkit/keys/boot.pem' };
  edit(tree, 'toolkit/distro.json', (text) =>
    JSON.stringify({ ...(JSON.parse(text) as object), signing, secureBoot }, undefined, 2),
  );
  addSealedImage();
}, 5 * MINUTES);

afterAll(() => rmSync(directory, { recursive: true, force: true }));

const digestOfFile = (path: string) => createHash('sha256').update(readFileSync(path)).digest('hex');
const keys = () => ({ KILN_SIGNING_KEY: secret, KILN_SECURE_BOOT_KEY: bootKey });

/** An image that the firmware starts, of programs that do nothing, and the key that signs them. */
function addSealedImage(): void {
  const stub = '/usr/lib/systemd/boot/efi/linuxx64.efi.stub';
  const spec = [
    ...['Name: systemd-boot', 'Version: 1.0', 'Release: 1%{?dist}', 'Summary: Programs for firmware', 'License: MIT'],
    ...['Source0: systemd-boot.c', 'BuildArch: noarch', '', '%description', 'Programs that do nothing.', ''],
    ...[
      '%prep',
      '%setup -q -c -T',
      LICENSE_FILE,
      '%build',
      '%install',
      `mkdir -p %{buildroot}/boot $(dirname %{buildroot}${stub})`,
    ],
    ...[`base64 --decode %{SOURCE0} > %{buildroot}${stub}`, `cp %{buildroot}${stub} %{buildroot}/boot/vmlinuz-9.1`],
    ...['', '%files', '%license LICENSE', stub, '/boot/vmlinuz-9.1', '', '%changelog'],
    ...['* Mon Jun 01 2026 Kiln Maintainers <maintainers@kiln.example> - 1.0-1', '- First version', ''],
  ];
  write(tree.root, 'SPECS/systemd-boot/systemd-boot.spec', spec.join('\n'));
  write(tree.root, 'SPECS/systemd-boot/systemd-boot.c', minimalProgram().toString('base64'));
  sign(tree, 'systemd-boot');
  const partition = (ID: string, FsType: string, Start: number, End: number, more = {}) => ({
    ...{ ID, FsType, Start, End },
    ...more,
  });
  const definition = {
    Disks: [
      {
        ...{ PartitionTableType: 'gpt', MaxSize: 32, Artifacts: [{ Type: 'raw' }, { Type: 'uki' }] },
        Partitions: [partition('esp', 'vfat', 1, 9, { Flags: ['esp'] }), partition('root', 'ext4', 9, 0)],
      },
    ],
    SystemConfigs: [
      {
        ...{ Name: 'Sealed', Packages: ['alone'], KernelOptions: { default: 'systemd-boot' }, BootType: 'efi' },
        ...{ UnifiedKernelImage: true, SecureBoot: true },
        PartitionSettings: [
          { ID: 'esp', MountPoint: '/boot/efi' },
          { ID: 'root', MountPoint: '/' },
        ],
      },
    ],
  };
  write(tree.root, 'imageconfigs/sealed.json', JSON.stringify(definition, undefined, 2));
  const key = join(directory, 'boot.key');
  const words = ['req', '-new', '-x509', '-newkey', 'rsa:2048', '-noenc', '-days', '36500', '-subj', '/CN=Test'];
  const certificate = join(tree.root, 'toolkit/keys/boot.pem');
  execFileSync('openssl', [...words, '-keyout', key, '-out', certificate], { stdio: 'ignore' });
  bootKey = readFileSync(key, 'utf8');
}

/** Runs commands of the image tools in the directory of an image. */
async function imageTool(image: string, commands: readonly string[]) {
  const host = createHost({});
  return runSandboxed(host, {
    argv: ['bash', '-c', ['set -euo pipefail', 'cd /image', ...commands].join('\n')],
    layers: [await imageToolsRoot(host)],
    identity: 'root',
    mounts: [{ source: image, target: '/image', writable: false }],
    environment: { PATH: '/usr/bin:/usr/sbin', HOME: '/tmp', LC_ALL: 'C.UTF-8', MTOOLS_SKIP_CHECK: '1' },
  });
}

it('signs what the firmware of an image starts, and sbverify agrees', { timeout: 10 * MINUTES }, async () => {
  const { status, output } = await run(tree, kilnCommand('publish-image', 'sealed'), keys());
  expect(status, output).toBe(0);
  expect(output).not.toContain('PRIVATE KEY');
  const image = join(tree.root, 'dist/published-images/x86_64/sealed');
  const verify = (where: string) => run(tree, kilnCommand('verify', where, '--key', 'toolkit/keys/test.asc'));
  const verified = await verify(image);
  expect(verified.output).toContain('passed: what the firmware starts is signed');
  expect(verified.status, verified.output).toBe(0);

  const names = readdirSync(image).sort();
  expect(names).toEqual(expect.arrayContaining(['SECURE-BOOT-kiln.pem', 'sealed.efi', 'sealed.raw']));
  const found = await imageTool(image, [
    'sbverify --cert SECURE-BOOT-kiln.pem sealed.efi',
    'mcopy -i sealed.raw@@1M ::/EFI/BOOT/BOOTX64.EFI /tmp/own.efi',
    'sha256sum < /tmp/own.efi',
  ]);
  expect([found.status, found.stdout], found.stderr).toEqual([
    0,
    `Signature verification OK\n${digestOfFile(join(image, 'sealed.efi'))}  -\n`,
  ]);

  // What is not signed is told, also when the list of checksums is right.
  const other = join(directory, 'unsigned');
  cpSync(image, other, { recursive: true });
  rmSync(join(other, 'sealed.efi'));
  cpSync(join(tree.root, 'dist/images/x86_64/sealed/sealed.efi'), join(other, 'sealed.efi'));
  const sums = readFileSync(join(image, 'SHA256SUMS'), 'utf8');
  rmSync(join(other, 'SHA256SUMS'));
  const digest = digestOfFile(join(other, 'sealed.efi'));
  writeFileSync(join(other, 'SHA256SUMS'), sums.replace(/^\S+(?=  sealed\.efi$)/m, digest));
  const refused = await verify(other);
  expect(refused.output).toMatch(/failed: what the firmware starts is signed\n  sealed\.efi: it is not signed/);
  expect(refused.output).toContain('passed: every file is as it is listed');
});
