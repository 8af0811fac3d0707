/** The generated RPM that stands for the toolchain in build roots: capabilities without files. */
import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BuildError } from '@kiln/diagnostics';
import type { Host } from '@kiln/host';
import { formatDependency } from '@kiln/rpm-package';
import { makeWorkDirectory, removeWorkDirectory, runSandboxed } from '@kiln/sandbox';
import type { Store } from '@kiln/store';
import { TOOL_ENVIRONMENT } from './tool-environment.ts';
import type { Toolchain, ToolchainPackage } from './toolchain.ts';

const WORK = '/kiln';

const DEFINES: Readonly<Record<string, string>> = {
  _topdir: WORK,
  _dbpath: `${WORK}/rpmdb`,
  _buildhost: 'builder',
  _rpmfilename: '%%{NAME}.rpm',
  use_source_date_epoch_as_buildtime: '1',
  debug_package: '%{nil}',
  __os_install_post: '%{nil}',
};

/** The spec of the RPM. It is for build roots only: no repository and no image takes it. */
export function toolchainSpec(toolchain: ToolchainPackage, origin = 'Debian'): string {
  const { name, evr, arch, provides } = toolchain;
  return `Name: ${name}
Version: ${evr.version}
Release: ${evr.release}
Summary: Build tools from ${origin}, as seen by RPM
License: LicenseRef-Toolchain
BuildArch: ${arch}
AutoReqProv: no
${provides.map((one) => `Provides: ${formatDependency(one)}\n`).join('')}
%description
Stands for the tools of the lowest layer of build roots. It has no files and belongs to no repository or image.

%files
`;
}

export interface UnmadeRpm {
  readonly toolchain: Pick<Toolchain, 'identity' | 'package'>;
  /** The layer that it stands for. */
  readonly root: string;
  /** What the tools are from; `Debian` when omitted. */
  readonly origin?: string;
  /** Proves that the capabilities are those of the layer. */
  readonly checkLock: () => Promise<void>;
}

/**
 * Path of the RPM, made after `checkLock` by the toolchain's own rpmbuild when it isn't in the store. Its bytes depend on the identity alone.
 * @throws BuildError `TOOLCHAIN_UNUSABLE` when rpmbuild fails.
 */
export async function toolchainRpm(host: Host, store: Store, made: UnmadeRpm): Promise<string> {
  const { toolchain, root, origin, checkLock } = made;
  const fileName = `${toolchain.package.name}.rpm`;
  const directory = await store.layer(`toolchain-rpm-${toolchain.identity}`, async (layer) => {
    await checkLock();
    const work = await makeWorkDirectory(host, store, 'toolchain-rpm');
    try {
      const spec = join(work, 'toolchain.spec');
      await writeFile(spec, toolchainSpec(toolchain.package, origin));
      const defines = Object.entries(DEFINES).flatMap(([name, value]) => ['--define', `${name} ${value}`]);
      const result = await runSandboxed(host, {
        layers: [root],
        mounts: [{ source: work, target: WORK, writable: true }],
        identity: 'builder',
        argv: ['rpmbuild', ...defines, '--target', toolchain.package.arch, '-bb', `${WORK}/toolchain.spec`],
        environment: TOOL_ENVIRONMENT,
      });
      if (result.status !== 0) {
        throw new BuildError('TOOLCHAIN_UNUSABLE', `rpmbuild doesn't work in the toolchain: ${result.stderr.trim()}`, {
          command: result.command,
        });
      }
      await mkdir(layer, { recursive: true });
      await copyFile(join(work, 'RPMS', fileName), join(layer, fileName));
    } finally {
      await removeWorkDirectory(host, work);
    }
  });
  return join(directory, fileName);
}
