/** What a definition does to a root after its packages are installed: accounts, files, services, scripts. */
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { BuildError } from '@kiln/diagnostics';
import type { AddedFile } from '@kiln/image-config';
import { readAccountDefaults } from './account-defaults.ts';
import { ACCOUNT_FILES, AccountEditor, type Account, type AccountTexts } from './account-files.ts';
import { runInTools, type CustomizeStage } from './customize-stage.ts';
import { withWorkDirectories } from './image-ports.ts';
import { OUTPUT, ROOT } from './install-packages.ts';
import { parseScan, RootPaths, SCAN_FORMAT, type ScannedFile } from './root-scan.ts';
import { runScripts } from './run-scripts.ts';
import { setServices } from './set-services.ts';
import { hostsWith, networkFile, repositoryFile, rpmMacros, selinuxConfig } from './system-files.ts';
import { applyChanges, type TreeChange } from './tree-change.ts';

const SECONDS_OF_A_DAY = 86_400;
const SELINUX_CONFIG = '/etc/selinux/config';
const RPM_MACROS = '/usr/lib/rpm/macros.d';
const MACHINE_ID = '/etc/machine-id';
/** What systemd makes for one machine alone. */
const STATE_OF_A_MACHINE = ['/var/lib/systemd/random-seed', '/var/lib/systemd/credential.secret'];

/** Texts that are read before anything is changed. */
const READ_FILES = [
  ...ACCOUNT_FILES.map((name) => `/etc/${name}`),
  '/etc/login.defs',
  '/etc/default/useradd',
  '/etc/hosts',
  SELINUX_CONFIG,
];

const SCAN_SCRIPT = `cd ${ROOT} && find . -printf '${SCAN_FORMAT}' > ${OUTPUT}/scan`;

/** The time after which a file was customized; what was installed before has an earlier one. */
const BEGIN_SCRIPT = `sleep 0.02 && touch ${OUTPUT}/customize && sleep 0.02`;
const CHANGED_SCRIPT = `cd ${ROOT} && find . -mindepth 1 -cnewer ${OUTPUT}/customize -printf '/%P\\0' > ${OUTPUT}/changed`;

/** Arguments: real paths in the root; copies of them get the names 0, 1, ... */
const READ_SCRIPT = `
set -euo pipefail
rm -rf ${OUTPUT}/read
mkdir ${OUTPUT}/read
number=0
for path in "$@"; do
  cat ".$path" > "${OUTPUT}/read/$number"
  number=$((number + 1))
done
`;

/** A root as it was found: all of its files, and the texts that count. */
interface FoundRoot {
  readonly files: readonly ScannedFile[];
  readonly paths: RootPaths;
  /** Undefined when it isn't there. */
  readonly text: (path: string) => string | undefined;
}

/**
 * Does all that can be done before the boot loader is there; the post-install scripts run last.
 * @returns the root as it was before
 * @throws BuildError `IMAGE_ACCOUNT_INVALID`, `IMAGE_PATH_CONFLICT`, `IMAGE_SELINUX_MISSING`, `IMAGE_SERVICE_INVALID`,
 * `IMAGE_SCRIPT_FAILED`, `IMAGE_CUSTOMIZE_FAILED`, `INPUT_CHANGED`
 */
export async function customizeRoot(stage: CustomizeStage): Promise<readonly ScannedFile[]> {
  const { request, ports } = stage;
  const { customization, name } = request.definition;
  await runInTools(stage, { script: BEGIN_SCRIPT, what: 'the time could not be noted' });
  const root = await readRoot(stage);
  await withWorkDirectories(ports, [`image-${name}-changes`], async ([scratch]) => {
    const accounts = accountChanges(stage, root);
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
export async function finalizeRoot(stage: CustomizeStage, before: readonly ScannedFile[]): Promise<string[]> {
  const scripts = stage.request.definition.customization.finalizeScripts;
  if (scripts.length > 0) await runScripts(stage, scripts, new RootPaths(await scanRoot(stage)));
  await runInTools(stage, { script: CHANGED_SCRIPT, what: 'changed files could not be listed' });
  const changed = (await readFile(join(stage.directories.output, 'changed'), 'utf8')).split('\0').slice(0, -1);
  if (changed.length === 0) return [];
  const after = new Set((await scanRoot(stage)).map(({ path }) => path));
  const removed = before.map(({ path }) => path).filter((path) => !after.has(path));
  return [...new Set([...changed, ...removed])].sort();
}

async function readRoot(stage: CustomizeStage): Promise<FoundRoot> {
  const { output } = stage.directories;
  const files = await scanRoot(stage);
  const paths = new RootPaths(files);
  const found = READ_FILES.flatMap((path) => {
    const file = paths.follow(path);
    return file?.type === 'f' ? [{ path, real: file.path }] : [];
  });
  const words = found.map(({ real }) => real);
  await runInTools(stage, { script: `cd ${ROOT}\n${READ_SCRIPT}`, words, what: 'files of the root could not be read' });
  const texts = new Map<string, string>();
  for (const [index, { path }] of found.entries())
    texts.set(path, await readFile(join(output, 'read', String(index)), 'utf8'));
  // It has hashes of passwords.
  await rm(join(output, 'read'), { recursive: true });
  return { files, paths, text: (path) => texts.get(path) };
}

async function scanRoot(stage: CustomizeStage): Promise<ScannedFile[]> {
  await runInTools(stage, { script: SCAN_SCRIPT, what: 'the root could not be listed' });
  return parseScan(await readFile(join(stage.directories.output, 'scan'), 'utf8'));
}

/** Everything but accounts and the definition's own files. */
function systemChanges({ request }: CustomizeStage, { files, paths, text }: FoundRoot): TreeChange[] {
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

function accountChanges(
  { request }: CustomizeStage,
  root: FoundRoot,
): { readonly editor: AccountEditor; readonly changes: readonly TreeChange[] } {
  const { definition, sourceDateEpoch } = request;
  const { users, groups } = definition.customization;
  const texts: AccountTexts = Object.fromEntries(
    ACCOUNT_FILES.flatMap((name) => {
      const found = root.text(`/etc/${name}`);
      return found === undefined ? [] : [[name, found]];
    }),
  );
  const defaults = readAccountDefaults(root.text('/etc/login.defs') ?? '', root.text('/etc/default/useradd') ?? '');
  const today = Math.floor(sourceDateEpoch / SECONDS_OF_A_DAY);
  const editor = new AccountEditor(texts, { defaults, today, image: definition.name });
  if (users.length === 0 && groups.length === 0) return { editor, changes: [] };
  for (const group of groups) editor.addGroup(group);
  const homes = users.flatMap((user): TreeChange[] => {
    const account = editor.addUser(user);
    return [...homeChanges(account, root, defaults), ...keyChanges(account, user.sshKeys)];
  });
  const edited = editor.texts();
  const changes = ACCOUNT_FILES.flatMap((name): TreeChange[] => {
    const content = edited[name];
    const found = root.paths.follow(`/etc/${name}`);
    if (content === undefined || found === undefined || content === texts[name]) return [];
    const { mode, uid, gid } = found;
    return [{ type: 'file', path: found.path, content, mode, uid, gid }];
  });
  return { editor, changes: [...changes, ...homes] };
}

/** A home that isn't there yet, with what the skeleton has. */
function homeChanges(
  { home, uid, gid }: Account,
  { files, paths }: FoundRoot,
  { homeMode, skeleton }: ReturnType<typeof readAccountDefaults>,
): TreeChange[] {
  if (home === '' || home === '/' || paths.follow(home) !== undefined) return [];
  const own = { uid, gid };
  const top = paths.follow(skeleton);
  const inside = files.filter(({ path }) => top !== undefined && path.startsWith(`${top.path}/`));
  return [
    { type: 'directory', path: home, mode: homeMode, ...own },
    ...inside.flatMap(({ path, type, mode, target }): TreeChange[] => {
      const copy = `${home}${path.slice(top!.path.length)}`;
      if (type === 'd') return [{ type: 'directory', path: copy, mode, ...own }];
      if (type === 'l') return [{ type: 'link', path: copy, target: target!, ...own }];
      return type === 'f' ? [{ type: 'file', path: copy, content: { inRoot: path }, mode, ...own }] : [];
    }),
  ];
}

/** sshd(8) takes keys only from files that nobody else may write. */
function keyChanges({ home, uid, gid }: Account, keys: readonly string[]): TreeChange[] {
  if (keys.length === 0) return [];
  const content = keys.map((key) => `${key}\n`).join('');
  return [
    { type: 'directory', path: `${home}/.ssh`, mode: 0o700, uid, gid },
    { type: 'file', path: `${home}/.ssh/authorized_keys`, content, mode: 0o600, uid, gid },
  ];
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
