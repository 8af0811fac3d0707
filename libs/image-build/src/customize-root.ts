/** What a definition does to a root after its packages are installed: accounts, files, services, scripts. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BuildError } from '@kiln/diagnostics';
import type { AddedFile } from '@kiln/image-config';
import { ACCOUNT_TEXTS, accountChanges } from './account-changes.ts';
import type { AccountEditor } from './account-files.ts';
import { atPlace, atPlaceNow } from './definition-place.ts';
import { scannedFiles, SCAN_COMMAND, type FoundRoot } from './found-root.ts';
import { runTogether, type ImageStage, type JoinedScript } from './image-stage.ts';
import { OUTPUT, ROOT } from './install-packages.ts';
import type { InstalledRoot } from './installed-root.ts';
import { RootPaths } from './root-scan.ts';
import { runScripts } from './run-scripts.ts';
import { setServices } from './set-services.ts';
import { SELINUX_CONFIG } from './selinux-labels.ts';
import { hostsWith, networkFile, repositoryFile, rpmMacros, selinuxConfig } from './system-files.ts';
import { changeScripts, removeChanges, type TreeChange } from './tree-change.ts';

const RPM_MACROS = '/usr/lib/rpm/macros.d';
const MACHINE_ID = '/etc/machine-id';
/** What systemd makes for one machine alone. */
const STATE_OF_A_MACHINE = ['/var/lib/systemd/random-seed', '/var/lib/systemd/credential.secret'];

/** Texts that are read before anything is changed. */
export const READ_FILES = [...ACCOUNT_TEXTS, '/etc/hosts', SELINUX_CONFIG];

/** Lists the root, and what was changed in it since the packages were installed. */
const CHANGED: JoinedScript = {
  script: `${SCAN_COMMAND}; cd ${ROOT} && find . -mindepth 1 -cnewer ${OUTPUT}/customize -printf '/%P\\0' > ${OUTPUT}/changed`,
  failure: 'the root could not be listed',
  code: 'IMAGE_CUSTOMIZE_FAILED',
};

/**
 * Does all that can be done before the boot loader is there; the post-install scripts run last.
 * @param looks look at what packages, files and post-install scripts put into the root
 * @throws BuildError `IMAGE_ACCOUNT_INVALID`, `IMAGE_PATH_CONFLICT`, `IMAGE_SELINUX_MISSING`, `IMAGE_SERVICE_INVALID`,
 * `IMAGE_SCRIPT_FAILED`, `IMAGE_CUSTOMIZE_FAILED`, `INPUT_CHANGED`
 */
export async function customizeRoot(
  stage: ImageStage,
  { root, fill }: InstalledRoot,
  looks: readonly JoinedScript[],
): Promise<void> {
  const { request } = stage;
  const { files, postInstallScripts } = request.definition.customization;
  const { definition } = request;
  const accounts = accountChanges(request, root);
  const added = files.map((file) =>
    atPlaceNow(definition, `file ${file.path}`, () => addedFile(file, accounts.editor)),
  );
  const changes = [...systemChanges(stage, root), ...accounts.changes, ...added];
  const scripts = await changeScripts(stage, changes, root.files);
  const hasScripts = postInstallScripts.length > 0;
  await runTogether(stage, [...fill, ...scripts, ...(hasScripts ? [] : looks)]);
  await removeChanges(stage);
  await atPlace(definition, 'Services', () => setServices(stage, root.paths));
  if (!hasScripts) return;
  await runScripts(stage, postInstallScripts, root.paths);
  await runTogether(stage, looks);
}

/**
 * Runs the scripts that want to see the root when it is complete.
 * @param before the root as it was installed
 * @param around what is done before them, and when the root is complete
 * @returns the paths that were added, changed or removed since then, sorted
 * @throws BuildError `IMAGE_SCRIPT_FAILED`, `IMAGE_CUSTOMIZE_FAILED`, `INPUT_CHANGED`
 */
export async function finalizeRoot(
  stage: ImageStage,
  before: FoundRoot,
  around: { readonly first: readonly JoinedScript[]; readonly last: readonly JoinedScript[] },
): Promise<string[]> {
  const scripts = stage.request.definition.customization.finalizeScripts;
  if (scripts.length > 0) {
    await runTogether(stage, [...around.first, CHANGED]);
    await runScripts(stage, scripts, new RootPaths(await scannedFiles(stage)));
  }
  await runTogether(stage, [...(scripts.length > 0 ? [] : around.first), CHANGED, ...around.last]);
  const changed = (await readFile(join(stage.directories.output, 'changed'), 'utf8')).split('\0').slice(0, -1);
  if (changed.length === 0) return [];
  const after = new Set((await scannedFiles(stage)).map(({ path }) => path));
  const removed = before.files.map(({ path }) => path).filter((path) => !after.has(path));
  return [...new Set([...changed, ...removed])].sort();
}

/** Everything but accounts and the definition's own files. */
function systemChanges({ request }: ImageStage, root: FoundRoot): TreeChange[] {
  const { files, paths } = root;
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
    const hosts = root.text('/etc/hosts');
    if (hosts !== undefined) changes.push(file('/etc/hosts', hostsWith(hosts, hostname)));
  }
  if (paths.get(MACHINE_ID) !== undefined || paths.follow('/usr/lib/systemd/systemd') !== undefined) {
    // machine-id(5): without content it is no first boot.
    changes.push(file(MACHINE_ID, firstBoot ? 'uninitialized\n' : '', 0o444));
    changes.push(...STATE_OF_A_MACHINE.map((path): TreeChange => ({ type: 'remove', path })));
  } else if (firstBoot) {
    throw new BuildError('IMAGE_SERVICE_INVALID', 'a first boot needs systemd, which the image lacks', {
      location: request.definition.places['EnableSystemdFirstboot'],
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
    const config = () => selinuxConfig(root.text(SELINUX_CONFIG), selinux);
    const text = atPlaceNow(request.definition, 'KernelCommandLine', config);
    changes.push(file(SELINUX_CONFIG, text, found?.mode));
  }
  return changes;
}

function addedFile(file: AddedFile, accounts: AccountEditor): TreeChange {
  if (file.type === 'link') return file;
  const { path, mode } = file;
  const owned = { path, mode, uid: accounts.idOf('passwd', file.owner), gid: accounts.idOf('group', file.group) };
  return file.type === 'directory'
    ? { type: 'directory', ...owned }
    : { type: 'file', ...owned, content: { source: file.source } };
}
