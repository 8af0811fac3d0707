/** Command: what others' programs say of the images in dist/. As root. */
import './use-sources.ts';
import { closeSync, mkdirSync, mkdtempSync, openSync, readdirSync, readSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

const { crc32c } = await import('../../libs/image-build/src/crc32c.ts');
const { shellOutput } = await import('../bench/timed-phases.ts');

const HELP = `Usage: npx tsx tools/conformance/image-files.ts [--images <path>] [--directory <path>] [image…]

Checks the files of images (all of dist/images/x86_64) with programs of Debian trixie: sha256sum; skopeo and umoci for containers; qemu-img for disks, sgdisk, sfdisk,
e2fsck, xfs_repair and fsck.fat for what is in them; and the structures of VHD and VHDX files against their specifications. Needs root and mmdebstrap; downloads.
Ends with status 1 when a check fails.

  --images <path>     where the images are, a directory for each
  --directory <path>  an existing directory for about 6 GB, removed at the end (the one for temporary files)
`;

const PACKAGES = ['skopeo', 'umoci', 'qemu-utils', 'gdisk', 'fdisk', 'e2fsprogs', 'dosfstools', 'xfsprogs', 'zstd'];
const MIB = 1_048_576;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    help: { type: 'boolean', default: false },
    images: { type: 'string', default: join(import.meta.dirname, '../../dist/images/x86_64') },
    directory: { type: 'string', default: tmpdir() },
  },
});

/** A check of a file; throws when it fails. Scripts find the image's files in /images and may write to /scratch. */
type Check = (file: string, path: string, shell: (script: string) => string) => void;

const DISK = `
  sgdisk --verify /scratch/disk.raw > /scratch/said
  grep -q 'No problems found' /scratch/said || { cat /scratch/said >&2; exit 1; }
  sfdisk --quiet --verify /scratch/disk.raw
  sfdisk --dump /scratch/disk.raw | sed -En 's/.*start= *([0-9]+), size= *([0-9]+).*/\\1 \\2/p' | while read -r start size; do
    dd if=/scratch/disk.raw of=/scratch/part bs=1M iflag=skip_bytes,count_bytes skip=$((start * 512)) count=$((size * 512)) conv=sparse status=none
    case $(blkid -p -o value -s TYPE /scratch/part || :) in
      ext*) e2fsck -fn /scratch/part > /scratch/said 2>&1 || { cat /scratch/said >&2; exit 1; } ;;
      xfs) xfs_repair -n /scratch/part > /scratch/said 2>&1 || { cat /scratch/said >&2; exit 1; } ;;
      vfat) fsck.fat -n /scratch/part > /scratch/said 2>&1 || { cat /scratch/said >&2; exit 1; } ;;
    esac
    rm /scratch/part
  done`;

/** What the name ends with → format of qemu-img. */
const DISKS: Readonly<Record<string, string>> = { raw: 'raw', qcow2: 'qcow2', vhd: 'vpc', vhdx: 'vhdx', vmdk: 'vmdk' };

const checks: readonly { readonly name: RegExp; readonly what: string; readonly check: Check }[] = [
  {
    name: /^SHA256SUMS$/,
    what: 'sha256sum',
    check: (_, __, shell) => void shell('cd /images && sha256sum --check --strict --quiet SHA256SUMS'),
  },
  {
    name: /\.oci\.tar$/,
    what: 'skopeo, umoci',
    check: (file, _, shell) =>
      void shell(`skopeo inspect oci-archive:/images/${file} > /dev/null
        skopeo --insecure-policy copy --quiet oci-archive:/images/${file} oci:/scratch/layout:latest
        umoci unpack --image /scratch/layout:latest /scratch/bundle
        test -e /scratch/bundle/rootfs/usr && test -e /scratch/bundle/config.json`),
  },
  {
    name: /\.(raw|qcow2|vhd|vhdx|vmdk)$/,
    what: 'qemu-img, sgdisk, sfdisk, e2fsck, xfs_repair, fsck.fat',
    check: (file, _, shell) => {
      const format = DISKS[file.slice(file.lastIndexOf('.') + 1)]!;
      const hasCheck = ['qcow2', 'vhdx', 'vmdk'].includes(format);
      shell(`${hasCheck ? `qemu-img check -q -f ${format} /images/${file}` : ':'}
        qemu-img convert -f ${format} -O raw /images/${file} /scratch/disk.raw
        qemu-img compare -q -f ${format} -F raw /images/${file} /scratch/disk.raw
        ${DISK}`);
    },
  },
  { name: /\.vhd$/, what: 'footer', check: (_, path) => checkVhd(path) },
  { name: /\.vhdx$/, what: 'headers', check: (_, path) => checkVhdx(path) },
];

if (values.help) console.log(HELP);
else main();

function main(): void {
  const place = mkdtempSync(join(values.directory, 'kiln-image-files-'));
  const root = join(place, 'root');
  try {
    shellOutput(
      `TMPDIR=${place} mmdebstrap --quiet --variant=apt --dpkgopt=force-unsafe-io --include=${PACKAGES.join()} trixie ${root}; mkdir ${root}/images ${root}/scratch`,
    );
    const names = positionals.length > 0 ? positionals : readdirSync(values.images).sort();
    for (const name of names) checkImage(root, name);
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
}

function checkImage(root: string, name: string): void {
  const directory = join(values.images, name);
  for (const file of readdirSync(directory).sort()) {
    for (const { what, check } of checks.filter((one) => one.name.test(file))) {
      const shell = (script: string) =>
        shellOutput(`mount --bind ${directory} ${root}/images
          mount -t proc proc ${root}/proc; mount --bind /dev ${root}/dev
          chroot ${root} bash -euo pipefail -c ${quoted(script)}`);
      try {
        check(file, join(directory, file), shell);
        console.log(`${name}/${file}: ${what}: sound`);
      } catch (error) {
        process.exitCode = 1;
        console.log(`${name}/${file}: ${what}: ${(error as Error).message}`);
      }
      rmSync(join(root, 'scratch'), { recursive: true, force: true });
      mkdirSync(join(root, 'scratch'));
    }
  }
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** Virtual Hard Disk Image Format Specification, "Hard Disk Footer Format"; and what Azure asks for beyond it. */
function checkVhd(path: string): void {
  const { size } = statSync(path);
  const footer = read(path, size - 512, 512);
  expect(footer.toString('latin1', 0, 8) === 'conectix', 'cookie');
  expect(footer.readUInt32BE(12) === 0x1_0000, 'version');
  const sum = footer.reduce((all, byte, at) => (at >= 64 && at < 68 ? all : all + byte), 0);
  expect(footer.readUInt32BE(64) === ~sum >>> 0, 'checksum');
  const [original, current] = [40, 48].map((at) => Number(footer.readBigUInt64BE(at)));
  expect(original === current && current! % MIB === 0, 'size of whole MiB');
  const type = footer.readUInt32BE(60);
  if (type === 2) expect(current === size - 512 && footer.readBigUInt64BE(16) === 0xffff_ffff_ffff_ffffn, 'fixed disk');
  else expect(type === 3 && read(path, 0, 512).equals(footer), 'copy of the footer');
}

/** [MS-VHDX] 2.2: the file's identifier, two headers, two region tables, each with its checksum. */
function checkVhdx(path: string): void {
  expect(read(path, 0, 8).toString('latin1') === 'vhdxfile', 'signature');
  const parts = [
    { at: 0x1_0000, size: 4096, name: 'head' },
    { at: 0x2_0000, size: 4096, name: 'head' },
    { at: 0x3_0000, size: 0x1_0000, name: 'regi' },
    { at: 0x4_0000, size: 0x1_0000, name: 'regi' },
  ];
  for (const { at, size, name } of parts) {
    const part = read(path, at, size);
    expect(part.toString('latin1', 0, 4) === name, `${name} at ${at}`);
    const found = part.readUInt32LE(4);
    part.writeUInt32LE(0, 4);
    expect(found === crc32c(part), `checksum of ${name} at ${at}`);
  }
  const [first, second] = [0x1_0008, 0x2_0008].map((at) => read(path, at, 8).readBigUInt64LE(0));
  expect(first !== second, 'sequence numbers');
  expect(statSync(path).size % MIB === 0, 'size of whole MiB');
}

function read(path: string, at: number, size: number): Buffer {
  const file = openSync(path, 'r');
  try {
    const bytes = Buffer.alloc(size);
    readSync(file, bytes, 0, size, at);
    return bytes;
  } finally {
    closeSync(file);
  }
}

function expect(holds: boolean, what: string): void {
  if (!holds) throw new Error(`${what}: not as the specification says`);
}
