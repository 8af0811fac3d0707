/** Container images as kiwi makes them, from RPMs that lie on the disk. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { enterPeerRoot, makePeerRoot, PEER_REPOSITORY } from './peer-root.ts';
import { shellOutput, timedPhases } from './timed-phases.ts';

const PACKAGES = ['kiwi', 'rpm', 'dnf', 'createrepo-c', 'umoci', 'skopeo', 'rsync', 'mount', 'psmisc', 'xz-utils'];

export class KiwiImages {
  readonly #root: string;

  private constructor(root: string) {
    this.#root = root;
  }

  /** Makes a Debian root with kiwi; downloads. `names`: of the packages. */
  static make(place: string, rpms: ReadonlyMap<string, string>, names: readonly string[]): KiwiImages {
    const root = makePeerRoot(place, { name: 'kiwi', suite: 'bookworm', packages: PACKAGES }, rpms);
    mkdirSync(join(root, 'description'));
    writeFileSync(join(root, 'description/config.xml'), description(names));
    // By default it packs the archive, whose layer is packed, a second time.
    writeFileSync(join(root, 'etc/kiwi.yml'), 'container:\n  - compress: none\n');
    return new KiwiImages(root);
  }

  get version(): string {
    return shellOutput(`chroot ${this.#root} kiwi-ng --version`).trim();
  }

  /** Seconds. */
  times(): number {
    const command = 'kiwi-ng --type oci system build --description /description --target-dir /scratch/out';
    return timedPhases({ all: command }, `${enterPeerRoot(this.#root)}; rm -rf /var/cache/kiwi`).all;
  }
}

function description(names: readonly string[]): string {
  return `<?xml version="1.0" encoding="utf-8"?>
<image schemaversion="7.5" name="image">
  <description type="system"><author>Kiln</author><contact>kiln@kiln.example</contact><specification>A container</specification></description>
  <preferences>
    <version>1.0.0</version>
    <packagemanager>dnf</packagemanager>
    <rpm-check-signatures>false</rpm-check-signatures>
    <type image="oci"><containerconfig name="image" tag="latest"/></type>
  </preferences>
  <repository type="rpm-md" alias="local"><source path="dir://${PEER_REPOSITORY}"/></repository>
  <packages type="image"/>
  <packages type="bootstrap">
${names.map((name) => `    <package name="${name}"/>`).join('\n')}
  </packages>
</image>
`;
}
