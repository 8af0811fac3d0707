/**
 * Build roots as the toolkit of Azure Linux makes them: for each package the tarball of the worker root is unpacked with tar and pigz, repodata of all RPMs
 * that there are is made, and the package manager installs what the package needs. Here the package manager is dnf (bookworm has no tdnf, which is
 * written in C and starts faster), and beside it rpm alone, which is less than any package manager can do. The worker root is Kiln's toolchain.
 */
import { copyFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { shellQuote } from '@kiln/host';
import { devicesIn } from './tools-root.ts';
import { shellOutput, timedPhases } from './timed-phases.ts';

/** Seconds. */
export interface InstalledTimes {
  readonly unpack: number;
  readonly createrepo: number;
  /** By dnf. */
  readonly install: number;
  /** By rpm, which is told the files: nothing is resolved. */
  readonly rpmInstall: number;
}

export interface WorkerRoot {
  /** The tree that is in the tarball. */
  readonly layer: string;
  /** The RPM that stands for it. */
  readonly rpm: string;
  /** All RPMs that there are: file name and path. */
  readonly rpms: ReadonlyMap<string, string>;
}

const DNF_CONFIG = `[main]
gpgcheck=0
plugins=0
reposdir=/nonexistent
[local]
name=local
baseurl=file:///repodata
`;
const NOTHING = ':';

export class InstalledRoots {
  readonly #place: string;
  readonly #tools: string;

  private constructor(place: string, tools: string) {
    this.#place = place;
    this.#tools = tools;
  }

  /** Packs the tarball, lays out the RPMs. */
  static make(place: string, tools: string, { layer, rpm, rpms }: WorkerRoot): InstalledRoots {
    mkdirSync(join(place, 'rpms'));
    for (const [name, path] of rpms) copyFileSync(path, join(place, 'rpms', name));
    copyFileSync(rpm, join(tools, 'toolchain.rpm'));
    writeFileSync(join(tools, 'etc/dnf/dnf.conf'), DNF_CONFIG);
    shellOutput(`
      ${devicesIn(tools)}
      mkdir ${place}/worker && cp --archive ${layer}/. ${place}/worker
      mount --bind ${place}/worker ${tools}/mnt
      chroot ${tools} rpm --root /mnt --install --justdb --nosignature --noscripts /toolchain.rpm
      chroot ${tools} tar -I pigz -C /mnt -cf /worker.tar.gz .`);
    rmSync(join(place, 'worker'), { recursive: true });
    return new InstalledRoots(place, tools);
  }

  /** `names` are file names of RPMs. */
  times(names: readonly string[]): InstalledTimes {
    const byDnf = this.#root({
      unpack: this.#unpack(),
      createrepo: `chroot ${this.#tools} createrepo_c --quiet --compatibility --baseurl file:///rpms --outputdir /repodata /rpms`,
      install: this.#orNothing(
        names,
        'dnf --quiet --installroot=/mnt --releasever=3.0 -c /etc/dnf/dnf.conf -y install',
        (name) => name.slice(0, -'.rpm'.length),
      ),
      enter: `chroot ${this.#place}/root true`,
    });
    const byRpm = this.#root({
      unpack: this.#unpack(),
      install: this.#orNothing(names, 'rpm --root /mnt --install --nosignature', (name) => `/rpms/${name}`),
      enter: `chroot ${this.#place}/root true`,
    });
    const { unpack, createrepo } = byDnf;
    return { unpack, createrepo, install: byDnf.install + byDnf.enter, rpmInstall: byRpm.install + byRpm.enter };
  }

  #root<Name extends string>(phases: Readonly<Record<Name, string>>): Record<Name, number> {
    const [place, tools] = [this.#place, this.#tools];
    mkdirSync(join(place, 'root'));
    try {
      return timedPhases(
        phases,
        `${devicesIn(tools)}
        rm -rf ${tools}/repodata/* ${tools}/var/cache/dnf
        mount --bind ${place}/root ${tools}/mnt; mount --bind ${place}/rpms ${tools}/rpms`,
      );
    } finally {
      rmSync(join(place, 'root'), { recursive: true });
    }
  }

  #unpack(): string {
    return `chroot ${this.#tools} tar -I pigz -C /mnt -xf /worker.tar.gz`;
  }

  #orNothing(names: readonly string[], command: string, word: (name: string) => string): string {
    return names.length === 0 ? NOTHING : `chroot ${this.#tools} ${command} ${shellQuote(names.map(word))}`;
  }
}
