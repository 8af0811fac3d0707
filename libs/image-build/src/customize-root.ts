/** What a definition does to a root after its packages are installed: accounts, files, services, scripts. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BuildError } from '@kiln/diagnostics';
import type { AddedFile } from '@kiln/image-config';
import { ACCOUNT_TEXTS, accountChanges } from './account-changes.ts';
import type { AccountEditor } from './account-files.ts';
import { readRoot, scanRoot, type FoundRoot } from './found-root.ts';
import { withWorkDirectories } from './image-ports.ts';
import type { ImageStage } from './image-stage.ts';
import { OUTPUT, ROOT } from './install-packages.ts';
import { RootPaths, type ScannedFile } from './root-scan.ts';
import { runScripts } from './run-scripts.ts';
import { setServices } from './set-services.ts';
import { SELINUX_CONFIG } from './selinux-labels.ts';
import { hostsWith, networkFile, repositoryFile, rpmMacros, selinuxConfig } from './system-files.ts';
import { applyChanges, type TreeChange } from './tree-change.ts';

const RPM_MACROS = '/usr/lib/rpm/macros.d';
const MACHINE_ID = '/etc/machine-id';
/** What systemd makes for one machine alone. */
const STATE_OF_A_MACHINE = ['/var/lib/systemd/random-seed', '/var/lib/systemd/credential.secret'];

/** Texts that are read before anything is changed. */
const READ_FILES = [...ACCOUNT_TEXTS, '/etc/hosts', SELINUX_CONFIG];

/** The time after which a file was customized; what was installed before has an earlier one. */
const BEGIN_SCRIPT = `sleep 0.02 && touch ${OUTPUT}/customize && sleep 0.02`;
const CHANGED_SCRIPT = `cd ${ROOT} && find . -mindepth 1 -cnewer ${OUTPUT}/customize -printf '/%P\\0' > ${OUTPUT}/changed`;

/**
 * Does all that can be done before the boot loader is there; the post-install scripts run last.
 * @returns the root as it was before
 * @throws BuildError `IMAGE_ACCOUNT_INVALID`, `IMAGE_PATH_CONFLICT`, `IMAGE_SELINUX_MISSING`, `IMAGE_SERVICE_INVALID`,
 * `IMAGE_SCRIPT_FAILED`, `IMAGE_CUSTOMIZE_FAILED`, `INPUT_CHANGED`
 */
export async function customizeRoot(stage: ImageStage): Promise<readonly ScannedFile[]> {
  const { request, ports } = stage;
  const { customization, name } = request.definition;
  const root = await readRoot(stage, READ_FILES, BEGIN_SCRIPT);
  await withWorkDirectories(ports, [`image-${name}-changes`], async ([scratch]) => {
    const accounts = accountChanges(request, root);
    const changes = [
      ...systemChanges(stage, root),
      ...accounts.changes,
      ...addedFiles(customization.files, accounts.editor),
    ];
    await applyChanges(stage, { changes, files: root.files, scratch: scratch! });
  });
  await setServices(stage, root.paths);
  await runScripts(stage, customization.postInstallScripts, root.paths);
  return root.files;
}

/**
 * Runs the scripts that want to see the root when it is complete.
 * @param before the root as `customizeRoot` found it
 * @returns the paths that were added, changed or removed since then, sorted
 * @throws BuildError `IMAGE_SCRIPT_FAILED`, `IMAGE_CUSTOMIZE_FAILED`, `INPUT_CHANGED`
 */
export async function finalizeRoot(stage: ImageStage, before: readonly ScannedFile[]): Promise<string[]> {
  const scripts = stage.request.definition.customization.finalizeScripts;
  if (scripts.length > 0) await runScripts(stage, scripts, new RootPaths(await scanRoot(stage)));
  const files = await scanRoot(stage, CHANGED_SCRIPT);
  const changed = (await readFile(join(stage.directories.output, 'changed'), 'utf8')).split('\0').slice(0, -1);
  if (changed.length === 0) return [];
  const after = new Set(files.map(({ path }) => path));
  const removed = before.map(({ path }) => path).filter((path) => !after.has(path));
  return [...new Set([...changed, ...removed])].sort();
}

/** Everything but accounts and the definition's own files. */
function systemChanges({ request }: ImageStage, { files, paths, text }: FoundRoot): TreeChange[] {
  const { hostname, disableRpmDocs, languages, customization } = request.definition;
  const { networks, repositories, selinux, firstBoot } = customization;
  const file = (path: string, content: string, mode = 0o644): TreeChange => ({
    type: 'file',
    path,
    content,
    mode,
    uid: 0,
    gid: 0,
  });
  const changes: TreeChange[] = [];
  if (hostname !== undefined) {
    changes.push(file('/etc/hostname', `${hostname}\n`));
    const hosts = text('/etc/hosts');
    if (hosts !== undefined) changes.push(file('/etc/hosts', hostsWith(hosts, hostname)));
  }
  if (paths.get(MACHINE_ID) !== undefined || paths.follow('/usr/lib/systemd/systemd') !== undefined) {
    // machine-id(5): without content it is no first boot.
    changes.push(file(MACHINE_ID, firstBoot ? 'uninitialized\n' : '', 0o444));
    changes.push(...STATE_OF_A_MACHINE.map((path): TreeChange => ({ type: 'remove', path })));
  } else if (firstBoot) {
    throw new BuildError('IMAGE_SERVICE_INVALID', 'a first boot needs systemd, which the image lacks', {
      hint: "add the package systemd, or leave out 'EnableSystemdFirstboot'",
    });
  }
  const macros = rpmMacros(disableRpmDocs, languages);
  if (macros !== undefined && paths.follow(RPM_MACROS)?.type === 'd')
    changes.push(file(`${RPM_MACROS}/macros.image`, macros));
  for (const device of networks) {
    const { name, text: content } = networkFile(device);
    changes.push(file(`/etc/systemd/network/${name}`, content));
  }
  for (const repository of repositories)
    changes.push(file(`/etc/yum.repos.d/${repository.name}.repo`, repositoryFile(repository)));
  if (selinux !== undefined) {
    const found = files.find(({ path }) => path === SELINUX_CONFIG);
    changes.push(file(SELINUX_CONFIG, selinuxConfig(text(SELINUX_CONFIG), selinux), found?.mode));
  }
  return changes;
}

function addedFiles(files: readonly AddedFile[], accounts: AccountEditor): TreeChange[] {
  return files.map((file): TreeChange => {
    if (file.type === 'link') return file;
    const { path, mode } = file;
    const owned = { path, mode, uid: accounts.idOf('passwd', file.owner), gid: accounts.idOf('group', file.group) };
    return file.type === 'directory'
      ? { type: 'directory', ...owned }
      : { type: 'file', ...owned, content: { source: file.source } };
  });
}
