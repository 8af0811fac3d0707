/** The account files of a root: passwd(5), group(5), shadow(5), gshadow(5), subuid(5), subgid(5). */
import { BuildError } from '@kiln/diagnostics';
import type { GroupAccount, UserAccount } from '@kiln/image-config';
import type { AccountDefaults } from './account-defaults.ts';
import { saltOf, sha512Crypt } from './sha512-crypt.ts';

/** The files by their names in /etc; only those that the root has. */
export type AccountTexts = Readonly<Partial<Record<AccountFile, string>>>;
export type AccountFile = (typeof ACCOUNT_FILES)[number];
export const ACCOUNT_FILES = ['passwd', 'group', 'shadow', 'gshadow', 'subuid', 'subgid'] as const;

/** An account as passwd has it. */
export interface Account {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
}

export interface AccountSettings {
  readonly defaults: AccountDefaults;
  /** Days since the epoch: the date of passwords. */
  readonly today: number;
  /** What makes a salt differ from that of the same user in another image. */
  readonly image: string;
}

/** The lines of one file, split at their colons. */
type Rows = string[][];

/** shadow(5): what locks a password and leaves other ways to log in, such as keys. */
const NO_PASSWORD = '*';

/** Adds groups and users to the files that a root has, as groupadd(8) and useradd(8) would, but from nothing but its input. */
export class AccountEditor {
  readonly #rows = new Map<AccountFile, Rows>();
  readonly #settings: AccountSettings;

  constructor(texts: AccountTexts, settings: AccountSettings) {
    for (const file of ACCOUNT_FILES) {
      const text = texts[file];
      if (text !== undefined) this.#rows.set(file, parseRows(text));
    }
    this.#settings = settings;
  }

  /** @throws BuildError `IMAGE_ACCOUNT_INVALID` */
  addGroup({ name, gid }: GroupAccount): void {
    const groups = this.#required('group');
    const existing = groups.find((row) => row[0] === name);
    if (existing !== undefined) throw this.#invalid(`the group '${name}' exists already, with GID ${existing[2]}`);
    const id = gid ?? this.#freeId(groups, this.#settings.defaults.gids);
    const other = groups.find((row) => row[2] === String(id));
    if (other !== undefined) throw this.#invalid(`the GID ${id} of the group '${name}' is that of '${other[0]}'`);
    groups.push([name, 'x', String(id), '']);
    this.#rows.get('gshadow')?.push([name, '!', '', '']);
  }

  /** root, who is there, or a new user. @throws BuildError `IMAGE_ACCOUNT_INVALID` */
  addUser(user: UserAccount): Account {
    const passwd = this.#required('passwd');
    const existing = passwd.find((row) => row[0] === user.name);
    if (existing !== undefined && user.name !== 'root') {
      throw this.#invalid(
        `the user '${user.name}' exists already, with UID ${existing[2]}`,
        'a package has it; take another name',
      );
    }
    const row = existing ?? this.#newUser(user, passwd);
    if (user.name === 'root' && user.primaryGroup !== undefined) row[3] = String(this.#gidOf(user.primaryGroup, user));
    if (user.shell !== undefined) row[6] = user.shell;
    if (user.home !== undefined) row[5] = user.home;
    this.#setPassword(user);
    for (const group of user.secondaryGroups) this.#addMember(group, user);
    return accountOf(row);
  }

  /** The id of a user or group by name or number. @throws BuildError `IMAGE_ACCOUNT_INVALID` */
  idOf(file: 'passwd' | 'group', nameOrNumber: string): number {
    if (/^\d+$/.test(nameOrNumber)) return Number(nameOrNumber);
    const row = this.#rows.get(file)?.find(([name]) => name === nameOrNumber);
    if (row !== undefined) return Number(row[2]);
    if (nameOrNumber === 'root') return 0;
    const [kind, member] = file === 'passwd' ? ['user', 'Users'] : ['group', 'Groups'];
    throw this.#invalid(`there is no ${kind} '${nameOrNumber}'`, `add it to '${member}', or the package that has it`);
  }

  /** The files as they are now. */
  texts(): AccountTexts {
    return Object.fromEntries(
      [...this.#rows].map(([file, rows]) => [file, rows.map((row) => `${row.join(':')}\n`).join('')]),
    );
  }

  #newUser(user: UserAccount, passwd: Rows): string[] {
    const { defaults } = this.#settings;
    const uid = user.uid ?? this.#freeId(passwd, defaults.uids);
    const other = passwd.find((row) => row[2] === String(uid));
    if (other !== undefined) throw this.#invalid(`the UID ${uid} of the user '${user.name}' is that of '${other[0]}'`);
    const gid = this.#primaryGroup(user, uid);
    const home = `${defaults.homes}/${user.name}`;
    const row = [user.name, 'x', String(uid), String(gid), '', home, defaults.shell];
    passwd.push(row);
    this.#rows
      .get('shadow')
      ?.push([user.name, NO_PASSWORD, String(this.#settings.today), ...defaults.passwordAges, '', '', '']);
    if (uid >= defaults.uids.first) this.#addSubordinateIds(user.name);
    return row;
  }

  /** The given one, or a group of the user's own name, with the user's number when that is free. */
  #primaryGroup(user: UserAccount, uid: number): number {
    if (user.primaryGroup !== undefined) return this.#gidOf(user.primaryGroup, user);
    const groups = this.#required('group');
    if (groups.some(([name]) => name === user.name)) {
      throw this.#invalid(
        `the group '${user.name}' exists already, so that it can't be made for the user of that name`,
        `say "PrimaryGroup": "${user.name}" to put the user into it`,
      );
    }
    const isFree = groups.every((row) => row[2] !== String(uid));
    this.addGroup({ name: user.name, ...(isFree ? { gid: uid } : {}) });
    return this.#gidOf(user.name, user);
  }

  #gidOf(group: string, user: UserAccount): number {
    const row = this.#required('group').find((one) => one[0] === group || one[2] === group);
    if (row === undefined) throw this.#missingGroup(group, user);
    return Number(row[2]);
  }

  #addMember(group: string, user: UserAccount): void {
    const row = this.#required('group').find(([name]) => name === group);
    if (row === undefined) throw this.#missingGroup(group, user);
    row[3] = withMember(row[3], user.name);
    const hidden = this.#rows.get('gshadow')?.find(([name]) => name === group);
    if (hidden !== undefined) hidden[3] = withMember(hidden[3], user.name);
  }

  #setPassword({ name, password, expiresAfterDays }: UserAccount): void {
    const { image, today } = this.#settings;
    const shadow = this.#rows.get('shadow');
    const row = shadow?.find((one) => one[0] === name);
    if (row === undefined) {
      if (password === undefined && expiresAfterDays === undefined) return;
      throw this.#invalid(
        `the password of '${name}' has no place: ${shadow === undefined ? 'there is no /etc/shadow' : '/etc/shadow has no such user'}`,
        'add the package that has /etc/shadow',
      );
    }
    while (row.length < 9) row.push('');
    if (password === undefined) row[1] = NO_PASSWORD;
    else row[1] = 'hash' in password ? password.hash : sha512Crypt(password.plain, saltOf('password', image, name));
    row[2] = String(today);
    if (expiresAfterDays === 'never') row.fill('', 4, 9);
    else if (expiresAfterDays !== undefined) row[7] = String(today + expiresAfterDays);
  }

  /** After those that others have. */
  #addSubordinateIds(name: string): void {
    const { first, count } = this.#settings.defaults.subordinate;
    if (count === 0) return;
    for (const file of ['subuid', 'subgid'] as const) {
      const rows = this.#rows.get(file);
      if (rows === undefined) continue;
      const start = Math.max(first, ...rows.map((row) => Number(row[1]) + Number(row[2])).filter(Number.isInteger));
      rows.push([name, String(start), String(count)]);
    }
  }

  /** One more than the highest in the range, as useradd takes it, or else the first that is free. */
  #freeId(rows: Rows, { first, last }: { readonly first: number; readonly last: number }): number {
    const used = new Set(rows.map((row) => Number(row[2])).filter((id) => id >= first && id <= last));
    const next = used.size === 0 ? first : Math.max(...used) + 1;
    if (next <= last) return next;
    for (let id = first; id <= last; id += 1) if (!used.has(id)) return id;
    throw this.#invalid(`no id from ${first} to ${last} is free`);
  }

  #required(file: 'passwd' | 'group'): Rows {
    const rows = this.#rows.get(file);
    if (rows === undefined) throw this.#invalid(`there is no /etc/${file}`, 'add the package that has it');
    return rows;
  }

  #missingGroup(group: string, user: UserAccount): BuildError {
    return this.#invalid(
      `the user '${user.name}' is to be in the group '${group}', which doesn't exist`,
      "add it to 'Groups', or the package that has it",
    );
  }

  #invalid(message: string, hint?: string): BuildError {
    return new BuildError(
      'IMAGE_ACCOUNT_INVALID',
      `${this.#settings.image}: ${message}`,
      hint === undefined ? {} : { hint },
    );
  }
}

function parseRows(text: string): Rows {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.split(':'));
}

function accountOf(row: readonly string[]): Account {
  return { name: row[0]!, uid: Number(row[2]), gid: Number(row[3]), home: row[5]! };
}

function withMember(members: string | undefined, name: string): string {
  const all = (members ?? '').split(',').filter((one) => one !== '');
  return all.includes(name) ? all.join(',') : [...all, name].join(',');
}
