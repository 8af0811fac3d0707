/** An apt of its own in a work directory: no package installed, own lists, nothing of /etc/apt but the addresses. */
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BuildError } from '@kiln/diagnostics';
import { buildUser, type Host, type RunRequest, type RunResult } from '@kiln/host';
import { archiveBases } from '@kiln/sources';

const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';

/** Runs a program of apt in that configuration. @throws BuildError `TOOLCHAIN_UNRESOLVED` when it fails. */
export type RunApt = (
  argv: readonly [string, ...string[]],
  options?: Pick<RunRequest, 'onLine' | 'log'>,
) => Promise<RunResult>;

/** Lists of the files of all packages, as apt-file has them. */
const CONTENTS_TARGET = `Acquire::IndexTargets::deb::Contents-deb {
  MetaKey "$(COMPONENT)/Contents-$(ARCHITECTURE)";
  ShortDescription "Contents-$(ARCHITECTURE)";
  Description "$(RELEASE)/$(COMPONENT) $(ARCHITECTURE) Contents (deb)";
  flatMetaKey "Contents-$(ARCHITECTURE)";
  flatDescription "$(RELEASE) Contents (deb)";
  PDiffs "false";
  KeepCompressed "true";
  DefaultEnabled "true";
};
`;

/** @throws BuildError `TOOLCHAIN_UNRESOLVED` when the machine's apt knows no Debian archive. */
export async function privateApt(
  host: Host,
  work: string,
  options: { readonly suite: string; readonly withContents?: boolean },
): Promise<RunApt> {
  const user = await buildUser(host);
  const bases = await archiveBases(host);
  const { suite, withContents = false } = options;
  if (bases.main === undefined) {
    throw new BuildError('TOOLCHAIN_UNRESOLVED', 'apt on this machine has no Debian archive', {
      hint: 'run `kiln doctor`',
    });
  }
  const signed = existsSync(KEYRING) ? `[signed-by=${KEYRING}] ` : '';
  const lines = [`deb ${signed}${bases.main} ${suite} main`, `deb ${signed}${bases.main} ${suite}-updates main`];
  if (bases.security !== undefined) lines.push(`deb ${signed}${bases.security} ${suite}-security main`);
  const settings = {
    'Dir::State': `${work}/state`,
    'Dir::State::Lists': `${work}/lists`,
    'Dir::State::status': `${work}/status`,
    'Dir::Cache': `${work}/cache`,
    'Dir::Etc::SourceList': `${work}/sources.list`,
    'Dir::Etc::SourceParts': '/dev/null',
    'Dir::Etc::Preferences': '/dev/null',
    'Dir::Etc::PreferencesParts': '/dev/null',
    'APT::Architecture': 'amd64',
    'APT::Architectures': 'amd64',
    'APT::Install-Recommends': 'false',
    'APT::Sandbox::User': '',
  };
  const config = Object.entries(settings).map(([name, value]) => `${name} "${value}";\n`);
  await writeFile(join(work, 'sources.list'), `${lines.join('\n')}\n`);
  await writeFile(join(work, 'status'), '');
  await writeFile(join(work, 'apt.conf'), [...config, ...(withContents ? [CONTENTS_TARGET] : [])].join(''));
  const run: RunApt = async (argv, request = {}) => {
    const result = await host.run({
      ...request,
      argv: [...user.prefix, ...argv] as unknown as [string, ...string[]],
      cwd: '/',
      environment: { PATH: '/usr/bin:/bin:/usr/sbin:/sbin', LC_ALL: 'C', APT_CONFIG: join(work, 'apt.conf') },
    });
    if (result.status === 0) return result;
    const said = result.stderr.split('\n').filter((line) => line.startsWith('E:'));
    throw new BuildError(
      'TOOLCHAIN_UNRESOLVED',
      `${argv.slice(0, 2).join(' ')} failed: ${said.join('; ') || result.stderr.trim()}`,
    );
  };
  for (const directory of ['state', 'lists/partial', 'cache/archives/partial'])
    await mkdirAs(host, user.prefix, join(work, directory));
  return run;
}

async function mkdirAs(host: Host, prefix: readonly string[], directory: string): Promise<void> {
  if (prefix.length === 0) await mkdir(directory, { recursive: true });
  else await host.run({ argv: [...prefix, 'mkdir', '-p', directory] as unknown as [string, ...string[]], cwd: '/' });
}
