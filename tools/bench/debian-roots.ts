/**
 * Build roots as Debian makes them: by mmdebstrap from nothing, with the build-dependencies; and as sbuild does it with a tarball that mmdebstrap made, which is
 * unpacked before apt installs the build-dependencies. Every package lies on the disk: nothing is downloaded while it is timed.
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { devicesIn } from './tools-root.ts';
import { shellOutput, timedPhases } from './timed-phases.ts';

/** A source package of Debian. */
export interface DebianSource {
  readonly name: string;
  /** Entries of its Build-Depends fields. */
  readonly buildDependencies: number;
  /** Binary packages, `name=version`, that the base root lacks. */
  readonly install: readonly string[];
}

/** Seconds. */
export interface DebianTimes {
  readonly mmdebstrap: number;
  readonly sbuild: number;
}

export class DebianRoots {
  readonly #place: string;
  readonly #tools: string;
  readonly #base: string;

  private constructor(place: string, tools: string) {
    this.#place = place;
    this.#tools = tools;
    this.#base = join(place, 'debian');
  }

  /** Makes the base root with lists of sources; downloads. */
  static make(place: string, tools: string, suite: string): DebianRoots {
    const roots = new DebianRoots(place, tools);
    const base = roots.#base;
    shellOutput(`
      TMPDIR=${place} mmdebstrap --quiet --variant=buildd --format=directory --dpkgopt=force-unsafe-io --skip=essential/unlink,cleanup/apt/cache ${suite} ${base}
      sed 's/^deb /deb-src /' ${base}/etc/apt/sources.list > ${base}/etc/apt/sources.list.d/sources.list
      cp --dereference /etc/resolv.conf ${base}/etc/resolv.conf
      chroot ${base} apt-get -qq update`);
    return roots;
  }

  /** Those of the names that Debian has a source package of. */
  sources(names: readonly string[]): DebianSource[] {
    return names.flatMap((name) => {
      const shown = this.#chroot(`apt-cache showsrc --only-source ${name} || :`);
      const newest = shown.trim().split(/\n\n+/).at(-1)!;
      const fields = [...newest.matchAll(/^Build-Depends(?:-Arch|-Indep)?: (.*)$/gm)];
      const simulated = this.#chroot(`apt-get -qq -s build-dep ${name} || :`);
      const install = [...simulated.matchAll(/^Inst (\S+) (?:\[\S+\] )?\((\S+) /gm)].map(
        (one) => `${one[1]}=${one[2]}`,
      );
      if (fields.length === 0 || install.length === 0) return [];
      return [{ name, buildDependencies: fields.flatMap(([, text]) => text!.split(',')).length, install }];
    });
  }

  /** Downloads what the sources need, makes a local archive of all that, and packs the base root, which then uses it alone. */
  prepare(sources: readonly DebianSource[]): void {
    const [base, archive] = [this.#base, join(this.#place, 'archive')];
    for (const { install } of sources)
      this.#chroot(`apt-get -qq -y --no-install-recommends --download-only install ${install.join(' ')}`);
    mkdirSync(archive);
    writeFileSync(join(this.#place, 'archive.list'), 'deb [trusted=yes] file:/archive ./\n');
    shellOutput(`
      mv ${base}/var/cache/apt/archives/*.deb ${archive}
      mkdir ${base}/archive && mount --bind ${archive} ${base}/archive
      chroot ${base} sh -c 'cd /archive && dpkg-scanpackages --multiversion . > Packages' 2>/dev/null
      rm -rf ${base}/var/lib/apt/lists/* ${base}/etc/apt/sources.list.d/* ${base}/var/cache/apt/*.bin
      cp ${this.#place}/archive.list ${base}/etc/apt/sources.list
      echo force-unsafe-io > ${base}/etc/dpkg/dpkg.cfg.d/unsafe
      umount ${base}/archive
      ${devicesIn(this.#tools)}
      mount --bind ${base} ${this.#tools}/mnt
      chroot ${this.#tools} tar --zstd -C /mnt -cf /base.tar.zst .`);
  }

  times({ install }: DebianSource): DebianTimes {
    return { mmdebstrap: this.#mmdebstrap(install), sbuild: this.#sbuild(install) };
  }

  #mmdebstrap(install: readonly string[]): number {
    const [root, archive] = [join(this.#place, 'root'), join(this.#place, 'archive')];
    const names = install.map((one) => one.split('=')[0]!);
    const command = `TMPDIR=${this.#place} mmdebstrap --quiet --variant=buildd --format=directory --dpkgopt=force-unsafe-io --include=${names.join()} '' ${root} 'deb [trusted=yes] copy:${archive} ./'`;
    return this.#timed(`${command}\nchroot ${root} true`);
  }

  #sbuild(install: readonly string[]): number {
    const root = join(this.#place, 'root');
    mkdirSync(root);
    return this.#timed(`
      ${devicesIn(this.#tools)}
      mount --bind ${root} ${this.#tools}/mnt
      chroot ${this.#tools} tar --zstd -C /mnt -xf /base.tar.zst
      mount --bind ${join(this.#place, 'archive')} ${root}/archive
      ${devicesIn(root)}
      chroot ${root} apt-get -qq update
      chroot ${root} apt-get -qq -y --no-install-recommends install ${install.join(' ')}
      chroot ${root} true`);
  }

  #timed(script: string): number {
    try {
      return timedPhases({ all: script }).all;
    } finally {
      rmSync(join(this.#place, 'root'), { recursive: true, force: true });
    }
  }

  #chroot(command: string): string {
    return shellOutput(`chroot ${this.#base} sh -c ${JSON.stringify(command)}`);
  }
}
