/** A disk with a root that dm-verity protects, made twice and looked at by others' programs. */
import { execFileSync } from 'node:child_process';
import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sha256 } from '@kiln/build-identity';
import { createHost } from '@kiln/host';
import type { DiskDefinition, ImageDefinition, PartitionDefinition } from '@kiln/image-config';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildImage, signImage, type ImagePorts, type ImageRequest, type ImageRpm } from '../src/index.ts';
import { imageToolsRoot } from './image-tools.ts';
import { minimalProgram } from './minimal-program.ts';
import { EPOCH, smallImage } from './small-image.ts';
import { baseSpec, specWith } from './test-packages.ts';
import {
  buildRpms,
  hasRpmbuild,
  machineProgram,
  makePorts,
  makeToolRoot,
  removeTemporaryDirectories,
  temporaryDirectory,
} from './tool-root.ts';

const MINUTE = 60_000;
const host = createHost();
let ports: ImagePorts;
let tools: string;
let rpms: ImageRpm[];

const partition = (id: string, startMiB: number, endMiB: number, more: object): PartitionDefinition => ({
  ...{ id, name: '', isActive: false, startMiB, endMiB, identifier: 'partuuid', artifacts: [] },
  ...more,
});
const mount = (point: string) => ({ point, options: 'defaults' });

const disk: DiskDefinition = {
  table: 'gpt',
  sizeMiB: 40,
  partitions: [
    partition('esp', 1, 9, { fileSystem: 'vfat', role: 'esp', mount: mount('/boot/efi') }),
    partition('root', 9, 25, { fileSystem: 'erofs', mount: mount('/') }),
    partition('digests', 25, 26, {}),
    partition('var', 26, 39, { fileSystem: 'ext4', mount: mount('/var') }),
  ],
  verity: { name: 'protected', hashPartition: 'digests', onCorruption: 'panic' },
};

function request(more: Partial<ImageDefinition> = {}): ImageRequest {
  return smallImage(rpms, {
    artifacts: [
      { type: 'raw', fileName: 'small.raw' },
      { type: 'uki', fileName: 'small.efi' },
    ],
    disk,
    boot: { type: 'efi', unifiedKernel: { secureBoot: true }, commandLine: ['quiet'] },
    ...more,
  });
}

/** The stub of systemd's package and a kernel, both programs that do nothing. */
function bootSpec(): string {
  const stub = '/usr/lib/systemd/boot/efi/linuxx64.efi.stub';
  const program = `echo ${minimalProgram().toString('base64')} | base64 --decode`;
  return specWith(
    'boot',
    'Requires: base',
    '%install',
    'mkdir -p %{buildroot}/usr/lib/systemd/boot/efi %{buildroot}/boot',
    `${program} > %{buildroot}${stub}`,
    `${program} > %{buildroot}/boot/vmlinuz-9.1`,
    '%files',
    ...['/usr/lib/systemd', '/usr/lib/systemd/boot', '/usr/lib/systemd/boot/efi', '/boot'].map(
      (path) => `%dir ${path}`,
    ),
    stub,
    '/boot/vmlinuz-9.1',
  );
}

/** A private key and its own certificate, in PEM. */
function makeKey(): { readonly key: string; readonly certificate: string } {
  const directory = temporaryDirectory('key');
  const files = ['-keyout', join(directory, 'key'), '-out', join(directory, 'certificate')];
  const words = ['req', '-new', '-x509', '-newkey', 'rsa:2048', '-noenc', '-days', '36500', '-subj', '/CN=Test'];
  execFileSync('openssl', [...words, ...files], { stdio: 'ignore' });
  const read = (name: string) => readFileSync(join(directory, name), 'utf8');
  return { key: read('key'), certificate: read('certificate') };
}

/** Runs a script of the image tools on the artifacts, in /images; gives its status and what it printed. */
async function run(
  directory: string,
  script: string,
): Promise<{ readonly status: number | null; readonly output: string }> {
  const { status, stdout, stderr } = await ports.run({
    argv: ['bash', '-c', `set -euo pipefail; cd /tmp; image=/images/small.raw; ${script}`],
    layers: [tools],
    mounts: [{ source: directory, target: '/images', writable: false }],
    environment: { PATH: '/usr/bin:/usr/sbin', HOME: '/tmp', TZ: 'UTC', LC_ALL: 'C.UTF-8', MTOOLS_SKIP_CHECK: '1' },
  });
  return { status, output: stdout + stderr };
}

async function examine(directory: string, script: string): Promise<string> {
  const { status, output } = await run(directory, script);
  expect(status, output).toBe(0);
  return output;
}

const CUT = `
dd if=$image of=root bs=1M skip=9 count=16 status=none
dd if=$image of=tree bs=1M skip=25 count=1 status=none
`;

describe.skipIf(!hasRpmbuild())('a disk with a protected root', () => {
  let first: string;
  /** Words of the kernel's command line, as the program for the firmware has them. */
  let commandLine: string;

  beforeAll(async () => {
    tools = await imageToolsRoot(host);
    const toolRoot = makeToolRoot();
    cpSync(machineProgram('dd'), join(toolRoot, 'usr/bin/dd'));
    cpSync(machineProgram('sort'), join(toolRoot, 'usr/bin/sort'));
    ports = { ...makePorts(host, toolRoot), imageTools: () => Promise.resolve(tools) };
    rpms = [...(await buildRpms(baseSpec(), EPOCH)), ...(await buildRpms(bootSpec(), EPOCH))];
    const made = request();
    await buildImage(host, ports, made);
    first = made.outputDirectory;
    const sections = JSON.parse(await examine(first, 'ukify inspect /images/small.efi --json=short')) as Record<
      string,
      { readonly text?: string }
    >;
    expect(Object.keys(sections).sort()).toEqual(['.cmdline', '.linux', '.osrel', '.sbat', '.uname']);
    expect([sections['.uname']!.text, sections['.osrel']!.text]).toEqual(['9.1', expect.stringContaining('ID=test')]);
    commandLine = sections['.cmdline']!.text!;
  }, 3 * MINUTE);
  afterAll(removeTemporaryDirectories);

  it('is the same twice', { timeout: MINUTE }, async () => {
    const made = request();
    await buildImage(host, ports, made);
    const sums = (directory: string) => readFileSync(join(directory, 'SHA256SUMS'), 'utf8').split('\n');
    expect(sums(made.outputDirectory)).toEqual(sums(first));
  });

  it('has a tree of digests that fits the root, and one changed byte does not', async () => {
    const [, blocks, hash] = /4096 4096 (\d+) 1 sha256 ([0-9a-f]{64}) /.exec(commandLine)!;
    expect(Number(blocks) * 4096).toBe(16 * 1024 * 1024);
    await examine(first, `${CUT} fsck.erofs root; veritysetup verify root tree ${hash}`);
    const { status, output } = await run(
      first,
      `${CUT} printf x | dd of=root bs=1 seek=700 conv=notrunc status=none; veritysetup verify root tree ${hash}`,
    );
    expect([status, output]).toEqual([2, expect.stringContaining('Verification failed at position 0')]);
  });

  it('tells the kernel which partitions to map', async () => {
    const table = JSON.parse(await examine(first, 'sfdisk --json $image')) as {
      readonly partitiontable: { readonly partitions: readonly { readonly uuid: string }[] };
    };
    const [, root, tree] = table.partitiontable.partitions.map(({ uuid }) => `PARTUUID=${uuid.toLowerCase()}`);
    expect(commandLine).toMatch(/^root=\/dev\/dm-0 rootfstype=erofs ro .* quiet$/);
    expect(commandLine).toContain(
      `dm-mod.waitfor=${root},${tree} dm-mod.create="protected,,,ro,0 32768 verity 1 ${root} ${tree} `,
    );
    expect(commandLine).toMatch(/ 1 panic_on_corruption" quiet$/);
  });

  it('has the program where the firmware looks for it, and no boot loader', async () => {
    const esp = 'dd if=$image of=esp bs=1M skip=1 count=8 status=none;';
    const sums = await examine(
      first,
      `${esp} mcopy -i esp ::/EFI/BOOT/BOOTX64.EFI own.efi; sha256sum < own.efi; sha256sum < /images/small.efi`,
    );
    expect(new Set(sums.trim().split('\n')).size).toBe(1);
    expect((await examine(first, `${esp} mdir -i esp -b -/ ::`)).trim().split('\n')).toEqual([
      '::/EFI/',
      '::/EFI/BOOT/',
      '::/EFI/BOOT/BOOTX64.EFI',
    ]);
  });

  it('has a root that knows it is read only', async () => {
    const root = `${CUT} fsck.erofs --extract=files root > /dev/null;`;
    expect((await examine(first, `${root} cat files/etc/fstab`)).replaceAll(/=\S+/g, '')).toBe(
      ['/dev/dm-0 / erofs ro 0 0', 'PARTUUID /boot/efi vfat defaults 0 2', 'PARTUUID /var ext4 defaults 0 2', ''].join(
        '\n',
      ),
    );
    const journal = 'od -A n -t u1 -j 18 -N 2 files/usr/lib/sysimage/rpm/rpmdb.sqlite';
    expect((await examine(first, `${root} ${journal}`)).trim()).toBe('1   1');
  });

  it('is signed, the same each time, and never with another key', { timeout: 2 * MINUTE }, async () => {
    const { key, certificate } = makeKey();
    const image = request({
      artifacts: [
        { type: 'raw', compression: 'gz', fileName: 'small.raw.gz' },
        { type: 'uki', fileName: 'small.efi' },
      ],
    });
    await buildImage(host, ports, image);
    const files = new Map([[image.definition.artifacts[0]!, join(image.outputDirectory, 'small.raw.gz')]]);
    const sign = async () => {
      const outputDirectory = join(temporaryDirectory('image'), 'signed');
      await signImage(host, ports, {
        image: { ...image, outputDirectory },
        files,
        key: { certificate, privateKey: key },
      });
      return outputDirectory;
    };
    const [one, two] = [await sign(), await sign()];
    expect(readdirSync(one).sort()).toEqual(['small.efi', 'small.raw.gz']);
    for (const name of readdirSync(one))
      expect(sha256(readFileSync(join(one, name)))).toBe(sha256(readFileSync(join(two, name))));
    writeFileSync(join(one, 'own.pem'), certificate);
    writeFileSync(join(one, 'other.pem'), makeKey().certificate);
    const esp = 'gzip -dc small.raw.gz > /tmp/disk; mcopy -i /tmp/disk@@1M ::/EFI/BOOT/BOOTX64.EFI /tmp/own.efi;';
    expect(
      await examine(one, `cd /images; ${esp} sbverify --cert own.pem /tmp/own.efi; sbverify --cert own.pem small.efi`),
    ).toMatch(/^(Signature verification OK\n){2}$/);
    expect((await run(one, 'sbverify --cert /images/other.pem /images/small.efi')).output).toContain(
      'verification failed',
    );
    expect((await run(first, 'sbverify --list /images/small.efi')).output).toContain('No signature table present');
  });

  it.each(['squashfs', 'ext4'] as const)('may have a root of type %s', { timeout: MINUTE }, async (fileSystem) => {
    const partitions = disk.partitions.map((one) => (one.id === 'root' ? { ...one, fileSystem } : one));
    const made = request({ disk: { ...disk, partitions } });
    await buildImage(host, ports, made);
    const check = { squashfs: 'unsquashfs -lln root etc/fstab', ext4: 'e2fsck -fn root; debugfs -R "ls -p /etc" root' }[
      fileSystem
    ];
    expect(await examine(made.outputDirectory, `${CUT} ${check}`)).toContain('fstab');
    const words = await examine(made.outputDirectory, 'ukify inspect /images/small.efi --json=short');
    const [, hash] = / 1 sha256 ([0-9a-f]{64}) /.exec(words)!;
    await examine(made.outputDirectory, `${CUT} veritysetup verify root tree ${hash}`);
  });

  it('refuses FIPS with a kernel that knows nothing of it', async () => {
    const boot = { type: 'efi', unifiedKernel: { secureBoot: false }, fips: true, commandLine: ['fips=1'] } as const;
    await expect(buildImage(host, ports, request({ boot }))).rejects.toMatchObject({ code: 'IMAGE_FIPS_MISSING' });
  });

  it('says that the root or the command line has no room', { timeout: MINUTE }, async () => {
    const parts = (id: string, endMiB: number) => ({
      ...disk,
      partitions: disk.partitions.map((one) => (one.id === id ? { ...one, endMiB } : one)),
    });
    const small = buildImage(host, ports, request({ disk: parts('root', 10) }));
    await expect(small).rejects.toThrow(/'root' has 1 MiB, which is too small.*its files need \d+ MiB/);
    const boot = { type: 'efi', unifiedKernel: { secureBoot: false }, commandLine: ['x'.repeat(2000)] } as const;
    await expect(buildImage(host, ports, request({ boot }))).rejects.toThrow(
      /command line has \d+ bytes.*room for 2047/,
    );
  });
});
