/** What fetching needs of the machine. */
import { programRequirement, type Requirement } from '@kiln/host';
import { archiveBases, type ArchiveName } from './debian-archive.ts';

const archive: Requirement = {
  name: 'Debian archive',
  why: 'source files and build tools by digest',
  debianPackage: 'apt',
  async probe(host) {
    const bases: Partial<Record<ArchiveName, string>> = await archiveBases(host).catch(() => ({}));
    if (bases.main !== undefined) return { ok: true, found: Object.keys(bases).join(', '), message: '' };
    const text = 'add a Debian archive to apt (deb822 file in /etc/apt/sources.list.d), then run apt-get update';
    return {
      ok: false,
      found: '',
      message: 'apt on this machine has no Debian archive',
      fix: { kind: 'manual', text },
    };
  },
};

/** What `fetchSources` and `downloadFromArchive` need; `kiln doctor` shows it. */
export const sourceRequirements: readonly Requirement[] = [
  programRequirement({
    program: '/usr/lib/apt/apt-helper',
    why: 'downloads from the Debian archive with the settings of this machine',
    debianPackage: 'apt',
    minimalVersion: '2.0',
  }),
  archive,
  programRequirement({ program: 'curl', why: 'downloads from the addresses in specs', debianPackage: 'curl' }),
];
