/** What users and groups of a definition change in a root. */
import { readAccountDefaults } from './account-defaults.ts';
import { ACCOUNT_FILES, AccountEditor, type Account, type AccountTexts } from './account-files.ts';
import { atPlaceNow } from './definition-place.ts';
import type { FoundRoot } from './found-root.ts';
import type { ImageRequest } from './image-request.ts';
import type { TreeChange } from './tree-change.ts';

const SECONDS_OF_A_DAY = 86_400;
const LOGIN_DEFS = '/etc/login.defs';
const USERADD = '/etc/default/useradd';

/** The files of a root that decide what accounts become. */
export const ACCOUNT_TEXTS: readonly string[] = [...ACCOUNT_FILES.map((name) => `/etc/${name}`), LOGIN_DEFS, USERADD];

/** Edits the account files and makes the users' homes. @throws BuildError `IMAGE_ACCOUNT_INVALID` */
export function accountChanges(
  { definition, sourceDateEpoch }: Pick<ImageRequest, 'definition' | 'sourceDateEpoch'>,
  root: FoundRoot,
): { readonly editor: AccountEditor; readonly changes: readonly TreeChange[] } {
  const { users, groups } = definition.customization;
  const texts: AccountTexts = Object.fromEntries(
    ACCOUNT_FILES.flatMap((name) => {
      const found = root.text(`/etc/${name}`);
      return found === undefined ? [] : [[name, found]];
    }),
  );
  const defaults = readAccountDefaults(root.text(LOGIN_DEFS) ?? '', root.text(USERADD) ?? '');
  const today = Math.floor(sourceDateEpoch / SECONDS_OF_A_DAY);
  const editor = new AccountEditor(texts, { defaults, today, image: definition.name });
  if (users.length === 0 && groups.length === 0) return { editor, changes: [] };
  for (const group of groups) atPlaceNow(definition, `group ${group.name}`, () => editor.addGroup(group));
  const homes = users.flatMap((user): TreeChange[] => {
    const account = atPlaceNow(definition, `user ${user.name}`, () => editor.addUser(user));
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
