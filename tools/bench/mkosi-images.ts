/** Images as mkosi makes them, from RPMs that lie on the disk. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { shellQuote } from '@kiln/host';
import { enterPeerRoot, makePeerRoot, PEER_REPOSITORY } from './peer-root.ts';
import { shellOutput, timedPhases } from './timed-phases.ts';

const PACKAGES = [
  ...['mkosi', 'systemd-repart', 'dnf', 'rpm', 'createrepo-c', 'e2fsprogs', 'dosfstools', 'mtools', 'kmod', 'pigz'],
  ...['bubblewrap', 'cpio', 'mount', 'skopeo', 'umoci'],
];

/** In the list of what mkosi installs first. */
const FOREIGN_PACKAGE = ', "azurelinux-release"';

/** Of the disk: the same as that of Kiln. */
export interface DiskSizes {
  readonly espMiB: number;
  readonly rootMiB: number;
}

export class MkosiImages {
  readonly #root: string;
  readonly #packages: string;

  private constructor(root: string, packages: string) {
    this.#root = root;
    this.#packages = packages;
  }

  /** Makes a Debian root with mkosi; downloads. `rpms`: file name and path of all that is installed. */
  static make(place: string, rpms: ReadonlyMap<string, string>, { espMiB, rootMiB }: DiskSizes): MkosiImages {
    const root = makePeerRoot(place, { name: 'mkosi', suite: 'trixie', packages: PACKAGES }, rpms);
    const names = [...rpms.keys()].map((file) => file.replace(/\.rpm$/, ''));
    // It asks for the key of a repository even when nothing is checked. Without the program it makes no database of hardware, which Kiln doesn't either.
    const keys = join(root, 'usr/share/distribution-gpg-keys');
    mkdirSync(keys, { recursive: true });
    writeFileSync(join(keys, 'MICROSOFT-RPM-GPG-KEY'), '');
    rmSync(join(root, 'usr/bin/systemd-hwdb'), { force: true });
    // What it installs first has another name here; with a base tree, for which it wouldn't be asked, mkosi remembers no installed packages.
    const azure = join(root, 'usr/lib/python3/dist-packages/mkosi/distributions/azure.py');
    const text = readFileSync(azure, 'utf8');
    if (!text.includes(FOREIGN_PACKAGE)) throw new Error(`${azure} installs something else than ${FOREIGN_PACKAGE}`);
    writeFileSync(azure, text.replace(FOREIGN_PACKAGE, ''));
    const definitions = join(root, 'repart');
    mkdirSync(definitions);
    const loader = '/usr/lib/grub/x86_64-efi/monolithic:/EFI/BOOT';
    writeFileSync(join(definitions, '00-esp.conf'), partition('esp', 'vfat', loader, espMiB));
    writeFileSync(join(definitions, '10-root.conf'), partition('root', 'ext4', '/', rootMiB));
    return new MkosiImages(root, names.join());
  }

  get version(): string {
    return shellOutput(`chroot ${this.#root} mkosi --version`).trim();
  }

  /** Seconds. */
  times(format: 'disk' | 'oci'): number {
    return this.#phases({ all: this.#command(format, { output: 'image' }) }).all;
  }

  /** Seconds of a second image with another host name, from its own cache of the installed packages (`--incremental`), which the first one fills. */
  secondTimes(format: 'disk' | 'oci'): number {
    const cached = ['--incremental', 'yes', '--cache-directory', '/scratch/cache'];
    return this.#phases({
      prepare: 'mkdir /scratch/cache',
      first: this.#command(format, { output: 'image', more: [...cached, '--hostname', 'first'] }),
      second: this.#command(format, { output: 'second', more: [...cached, '--hostname', 'second'] }),
    }).second;
  }

  #phases<Name extends string>(phases: Readonly<Record<Name, string>>): Record<Name, number> {
    return timedPhases(phases, `${enterPeerRoot(this.#root)}; rm -rf /var/cache/mkosi /root/.cache`);
  }

  #command(
    format: 'disk' | 'oci',
    { output, more = [] }: { readonly output: string; readonly more?: readonly string[] },
  ): string {
    const command = [
      ...[
        'mkosi',
        '--directory',
        '/scratch',
        '--distribution',
        'azure',
        '--release',
        '3.0',
        '--architecture',
        'x86-64',
      ],
      ...['--local-mirror', `file://${PEER_REPOSITORY}`, '--repository-key-check', 'no'],
      ...['--package', this.#packages, '--with-docs', 'yes', '--bootable', 'no'],
      ...['--format', format, '--compress-level', '6', '--repart-directory', '/repart'],
      ...[
        '--output',
        output,
        '--output-directory',
        '/scratch',
        '--workspace-directory',
        '/var/tmp',
        '--build-sources=',
      ],
      ...['--seed', '0e9a6fe0-68f6-408c-bbeb-136054d20445', ...more, 'build'],
    ];
    return `SOURCE_DATE_EPOCH=1700000000 ${shellQuote(command)}`;
  }
}

function partition(type: string, format: string, files: string, mib: number): string {
  const size = `SizeMinBytes=${mib}M\nSizeMaxBytes=${mib}M\n`;
  return `[Partition]\nType=${type}\nFormat=${format}\nCopyFiles=${files}\n${size}`;
}
