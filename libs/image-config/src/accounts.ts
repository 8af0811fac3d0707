/** Users and groups that an image gets beside those of its packages. */
import type { SourceLocation } from '@kiln/diagnostics';
import type { DefinitionReader } from './definition-reader.ts';
import { references } from './definition-reader.ts';
import type { SystemConfig } from './image-config-schema.ts';
import { listItems, plainValue, valueAt, type LocatedJson } from './located-json.ts';
import type { ProblemList } from './problem-list.ts';

export interface GroupAccount {
  readonly name: string;
  readonly gid?: number;
}

export interface UserAccount {
  readonly name: string;
  readonly uid?: number;
  /** A hash as in shadow(5), or a text to make one of; without a password nobody can log in with one. */
  readonly password?: { readonly hash: string } | { readonly plain: string };
  /** Days after the last change at which the account ends; `never` also takes an end away that a package has set. */
  readonly expiresAfterDays?: number | 'never';
  /** Lines of authorized_keys. */
  readonly sshKeys: readonly string[];
  readonly primaryGroup?: string;
  readonly secondaryGroups: readonly string[];
  readonly shell?: string;
  readonly home?: string;
}

export interface Accounts {
  readonly groups: readonly GroupAccount[];
  readonly users: readonly UserAccount[];
}

type WrittenUser = NonNullable<SystemConfig['Users']>[number];
type WrittenGroup = NonNullable<SystemConfig['Groups']>[number];

/** What shadow-utils accept, without names of digits alone, which everything else takes for numbers. */
const NAME = /^(?=.*[^0-9])[A-Za-z0-9_][A-Za-z0-9_.-]{0,31}$/;
/** Above are ids for single services' dynamic users, containers and nobody. */
const LARGEST_ID = 60_000;
/** crypt(5): a method and what it needs, perhaps locked by passwd(1); or no hash at all. */
const HASH = /^(!{0,2}\$[A-Za-z0-9]+\$[^:\s]+|[!*]+)$/;
/** A type of sshd(8), perhaps after options, and base64. */
const PUBLIC_KEY =
  /(^|\s)(ssh-[a-z0-9-]+|ecdsa-sha2-[a-z0-9-]+|sk-(ssh|ecdsa)-[a-z0-9@.-]+)(@openssh\.com)? +[A-Za-z0-9+/]{16,}=*(\s|$)/;

/** The accounts of a system; what is wrong with them goes to `problems`. */
export function readAccounts(system: LocatedJson, reader: DefinitionReader, problems: ProblemList): Accounts {
  const groups = listItems(valueAt(system, ['Groups'])).map((place): GroupAccount => {
    const { Name, GID = '' } = plainValue(place) as WrittenGroup;
    checkName('group', Name, placeOf(place, 'Name'), problems);
    const gid = readId(GID, placeOf(place, 'GID'), problems);
    return { name: Name, ...(gid === undefined ? {} : { gid }) };
  });
  const users = listItems(valueAt(system, ['Users'])).map((place) => readUser(place, reader, problems));
  refuseTwice('groups', groups, ({ name }) => name, listItems(valueAt(system, ['Groups'])), 'Name', problems);
  refuseTwice('groups', groups, ({ gid }) => gid, listItems(valueAt(system, ['Groups'])), 'GID', problems);
  refuseTwice('users', users, ({ name }) => name, listItems(valueAt(system, ['Users'])), 'Name', problems);
  refuseTwice('users', users, ({ uid }) => uid, listItems(valueAt(system, ['Users'])), 'UID', problems);
  return { groups, users };
}

function readUser(place: LocatedJson, reader: DefinitionReader, problems: ProblemList): UserAccount {
  const written = plainValue(place) as WrittenUser;
  const { Name, UID = '', PasswordExpiresDays: days = 0 } = written;
  checkName('user', Name, placeOf(place, 'Name'), problems);
  const uid = readId(UID, placeOf(place, 'UID'), problems);
  if (Name === 'root' && uid !== undefined && uid !== 0)
    problems.add("root's UID is 0", placeOf(place, 'UID'), 'leave it out');
  const password = readPassword(written, placeOf(place, 'Password'), problems);
  for (const member of ['StartupCommand', 'HomeDirectory'] as const) {
    const path = written[member] ?? '';
    if (path !== '' && !/^\/[^:\n]*$/.test(path))
      problems.add(`'${member}' must be an absolute path, found '${path}'`, placeOf(place, member));
  }
  return {
    name: Name,
    ...(uid === undefined ? {} : { uid }),
    ...(password === undefined ? {} : { password }),
    // Azure Linux takes 0 for nothing.
    ...(days === 0 ? {} : { expiresAfterDays: days === -1 ? ('never' as const) : days }),
    sshKeys: readKeys(place, reader, problems),
    ...(written.PrimaryGroup ? { primaryGroup: written.PrimaryGroup } : {}),
    secondaryGroups: written.SecondaryGroups ?? [],
    ...(written.StartupCommand ? { shell: written.StartupCommand } : {}),
    ...(written.HomeDirectory ? { home: written.HomeDirectory } : {}),
  };
}

function readPassword(
  { Name, PasswordHashed = false, Password = '' }: WrittenUser,
  location: SourceLocation,
  problems: ProblemList,
): UserAccount['password'] {
  if (Password === '') return undefined;
  if (!PasswordHashed) return { plain: Password };
  if (!HASH.test(Password))
    problems.add(`the password of ${Name} is not a hash`, location, 'make one with: openssl passwd -6');
  return { hash: Password };
}

/** Those of files, then those of the definition. */
function readKeys(place: LocatedJson, reader: DefinitionReader, problems: ProblemList): string[] {
  const direct = references(valueAt(place, ['SSHPubKeys'])) ?? [];
  const files = references(valueAt(place, ['SSHPubKeyPaths'])) ?? [];
  const keys = [
    ...files.flatMap((reference) => {
      const lines = reader.readBeside(reference).split('\n');
      const used = lines.map((line) => line.trim()).filter((line) => line !== '' && !line.startsWith('#'));
      if (used.length === 0) problems.add(`'${reference.path}' has no key`, reference.location);
      return used.map((line) => ({ line, from: `'${reference.path}'`, location: reference.location }));
    }),
    ...direct.map(({ path, location }) => ({ line: path.trim(), from: 'this', location })),
  ];
  const wrong = keys.find(({ line }) => !PUBLIC_KEY.test(line) || line.includes('\n'));
  if (wrong !== undefined) {
    const what = wrong.line.includes('PRIVATE KEY') ? 'a private key' : 'not a public key of SSH';
    problems.add(`${wrong.from} is ${what}`, wrong.location, 'use the file that ends with .pub');
  }
  return keys.map(({ line }) => line);
}

function checkName(kind: string, name: string, location: SourceLocation, problems: ProblemList): void {
  if (NAME.test(name)) return;
  problems.add(
    `'${name}' can't be the name of a ${kind}`,
    location,
    'use at most 32 letters, digits, and _ . - after the first',
  );
}

function readId(text: string, location: SourceLocation, problems: ProblemList): number | undefined {
  if (text.trim() === '') return undefined;
  const id = /^\d+$/.test(text.trim()) ? Number(text) : Number.NaN;
  if (id <= LARGEST_ID) return id;
  problems.add(`'${text}' is not a number from 0 to ${LARGEST_ID}`, location);
  return undefined;
}

/** Tells every value that stands there a second time. */
function refuseTwice<T>(
  what: string,
  all: readonly T[],
  valueOf: (one: T) => string | number | undefined,
  places: readonly LocatedJson[],
  member: string,
  problems: ProblemList,
): void {
  const seen = new Set<string | number>();
  all.forEach((one, index) => {
    const value = valueOf(one);
    if (value === undefined) return;
    if (seen.has(value)) problems.add(`two ${what} have the ${member} '${value}'`, placeOf(places[index]!, member));
    seen.add(value);
  });
}

function placeOf(object: LocatedJson, member: string): SourceLocation {
  return (valueAt(object, [member]) ?? object).location;
}
