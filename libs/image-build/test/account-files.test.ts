import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BuildError } from '@kiln/diagnostics';
import type { UserAccount } from '@kiln/image-config';
import { afterAll, describe, expect, it } from 'vitest';
import { readAccountDefaults } from '../src/account-defaults.ts';
import { ACCOUNT_FILES, AccountEditor, type AccountTexts } from '../src/account-files.ts';
import { saltOf, sha512Crypt } from '../src/sha512-crypt.ts';
import { removeTemporaryDirectories, temporaryDirectory } from './tool-root.ts';

const TODAY = 20_000;
const texts: AccountTexts = {
  passwd: 'root:x:0:0:root:/root:/bin/bash\ndaemon:x:6:6::/:/sbin/nologin\nold:x:1003:1003::/home/old:/bin/sh\n',
  group: 'root:x:0:\ndaemon:x:6:\nwheel:x:10:root\nold:x:1003:\ntaken:x:1500:\n',
  shadow: 'root:*:19000:0:99999:7:::\ndaemon:*:19000::::::\nold:!:19000:0:99999:7:::\n',
  gshadow: 'root:::\ndaemon:::\nwheel:::root\nold:!::\ntaken:!::\n',
  subuid: 'old:100000:65536\n',
  subgid: 'old:100000:65536\n',
};
const LOGIN_DEFS =
  'UID_MIN 1000\nUID_MAX\t60000\nPASS_MAX_DAYS   99999\nPASS_MIN_DAYS 0\nPASS_WARN_AGE 7\nHOME_MODE 0700\n# UMASK 077\n';

function editor(own: AccountTexts = texts): AccountEditor {
  return new AccountEditor(own, { defaults: readAccountDefaults(LOGIN_DEFS, ''), today: TODAY, image: 'small' });
}

function user(name: string, more: Partial<UserAccount> = {}): UserAccount {
  return { name, sshKeys: [], secondaryGroups: [], ...more };
}

function lineOf(text: string | undefined, name: string): string | undefined {
  return text?.split('\n').find((line) => line.startsWith(`${name}:`));
}

function failure(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (error instanceof BuildError) return `${error.code}: ${error.message}`;
    throw error;
  }
  throw new Error('it was accepted');
}

afterAll(removeTemporaryDirectories);

describe('AccountEditor', () => {
  it('adds a user with a group of its own', () => {
    const accounts = editor();
    expect(accounts.addUser(user('me', { password: { hash: '$6$s$h' } }))).toEqual({
      name: 'me',
      uid: 1004,
      gid: 1004,
      home: '/home/me',
    });
    const made = accounts.texts();
    expect(lineOf(made.passwd, 'me')).toBe('me:x:1004:1004::/home/me:/bin/bash');
    expect(lineOf(made.group, 'me')).toBe('me:x:1004:');
    expect(lineOf(made.shadow, 'me')).toBe('me:$6$s$h:20000:0:99999:7:::');
    expect(lineOf(made.gshadow, 'me')).toBe('me:!::');
    expect(lineOf(made.subuid, 'me')).toBe('me:165536:65536');
    expect(made.passwd).toContain(texts.passwd);
  });

  it('takes ids, groups, shell and home as they are given', () => {
    const accounts = editor();
    accounts.addGroup({ name: 'team', gid: 2000 });
    const given = {
      uid: 1500,
      primaryGroup: 'team',
      secondaryGroups: ['wheel', 'daemon'],
      shell: '/bin/sh',
      home: '/srv/me',
    };
    expect(accounts.addUser(user('me', given))).toMatchObject({ uid: 1500, gid: 2000, home: '/srv/me' });
    const { passwd, group, gshadow, shadow } = accounts.texts();
    expect(lineOf(passwd, 'me')).toBe('me:x:1500:2000::/srv/me:/bin/sh');
    expect(lineOf(group, 'wheel')).toBe('wheel:x:10:root,me');
    expect(lineOf(group, 'daemon')).toBe('daemon:x:6:me');
    expect(lineOf(gshadow, 'wheel')).toBe('wheel:::root,me');
    expect(lineOf(shadow, 'me')).toBe('me:*:20000:0:99999:7:::');
  });

  it('takes the next number for a group whose user’s number is taken', () => {
    const accounts = editor();
    expect(accounts.addUser(user('me', { uid: 1500 }))).toMatchObject({ uid: 1500, gid: 1501 });
  });

  it('changes root, who is there already', () => {
    const accounts = editor();
    accounts.addUser(user('root', { shell: '/sbin/menu', expiresAfterDays: 'never', password: { plain: 'secret' } }));
    const { passwd, shadow } = accounts.texts();
    expect(lineOf(passwd, 'root')).toBe('root:x:0:0:root:/root:/sbin/menu');
    expect(lineOf(shadow, 'root')).toMatch(/^root:\$6\$[./0-9A-Za-z]{16}\$[./0-9A-Za-z]{86}:20000:0:::::$/);
  });

  it('sets the day on which an account ends', () => {
    const accounts = editor();
    accounts.addUser(user('me', { expiresAfterDays: 30 }));
    expect(lineOf(accounts.texts().shadow, 'me')).toBe('me:*:20000:0:99999:7::20030:');
  });

  it.each<[string, (accounts: AccountEditor) => unknown, string]>([
    [
      'a user of a package',
      (one) => one.addUser(user('daemon')),
      "small: the user 'daemon' exists already, with UID 6",
    ],
    [
      'a group of a package',
      (one) => one.addGroup({ name: 'wheel' }),
      "small: the group 'wheel' exists already, with GID 10",
    ],
    ['a UID', (one) => one.addUser(user('me', { uid: 6 })), "small: the UID 6 of the user 'me' is that of 'daemon'"],
    ['a GID', (one) => one.addGroup({ name: 'g', gid: 10 }), "small: the GID 10 of the group 'g' is that of 'wheel'"],
    [
      'a missing group',
      (one) => one.addUser(user('me', { secondaryGroups: ['no'] })),
      "small: the user 'me' is to be in the group 'no', which doesn't exist",
    ],
    [
      'a group of the name',
      (one) => one.addUser(user('taken')),
      "small: the group 'taken' exists already, so that it can't be made for the user of that name",
    ],
    ['an owner', (one) => one.idOf('passwd', 'nobody'), "small: there is no user 'nobody'"],
  ])('refuses %s', (_, work, expected) => {
    expect(failure(() => work(editor()))).toBe(`IMAGE_ACCOUNT_INVALID: ${expected}`);
  });

  it('refuses a password that has no place', () => {
    const { passwd, group } = texts;
    const accounts = () => editor({ passwd: passwd!, group: group! });
    expect(failure(() => accounts().addUser(user('me', { password: { plain: 'a' } })))).toContain(
      'there is no /etc/shadow',
    );
    expect(accounts().addUser(user('me')).uid).toBe(1004);
    expect(failure(() => editor({}).addUser(user('me')))).toContain('there is no /etc/passwd');
  });

  // The same by shadow-utils; only what is in place of a password is another.
  it.runIf(process.getuid?.() === 0 && spawnSync('useradd', ['--help']).status === 0)('does what useradd does', () => {
    const prefix = temporaryDirectory('accounts');
    mkdirSync(join(prefix, 'etc'));
    for (const name of ACCOUNT_FILES) writeFileSync(join(prefix, 'etc', name), texts[name]!);
    writeFileSync(join(prefix, 'etc/login.defs'), LOGIN_DEFS);
    const tool = (name: string, ...words: string[]) =>
      execFileSync(name, ['--prefix', prefix, ...words], { stdio: 'pipe' });
    tool('groupadd', '--gid', '2000', 'team');
    tool('groupadd', 'other');
    tool('useradd', '--no-create-home', '--user-group', '--home-dir', '/home/a', '--shell', '/bin/bash', 'a');
    tool(
      'useradd',
      '--no-create-home',
      '--gid',
      'team',
      '--groups',
      'wheel,daemon',
      '--home-dir',
      '/home/b',
      '--shell',
      '/bin/sh',
      '--uid',
      '1600',
      'b',
    );
    tool('useradd', '--no-create-home', '--user-group', '--home-dir', '/home/c', '--shell', '/bin/bash', 'c');
    const accounts = editor();
    accounts.addGroup({ name: 'team', gid: 2000 });
    accounts.addGroup({ name: 'other' });
    accounts.addUser(user('a'));
    accounts.addUser(
      user('b', { uid: 1600, primaryGroup: 'team', secondaryGroups: ['wheel', 'daemon'], shell: '/bin/sh' }),
    );
    accounts.addUser(user('c'));
    const made = accounts.texts();
    const alike = (text: string) => text.replace(/^([^:]+):[!*]:\d+:/gm, '$1:-:-:');
    for (const name of ACCOUNT_FILES)
      expect(alike(made[name]!), name).toBe(alike(readFileSync(join(prefix, 'etc', name), 'utf8')));
  });
});

describe('sha512Crypt', () => {
  it.each([
    ['a', 'abc'],
    ['Hello world!', 'saltstring'],
    ['x'.repeat(200), '0123456789abcdef'],
    ['ünïcode', saltOf('a', 'b')],
  ])('hashes %s as openssl does', (password, salt) => {
    const expected = execFileSync('openssl', ['passwd', '-6', '-salt', salt, '-stdin'], {
      input: `${password}\n`,
      encoding: 'utf8',
    });
    expect(sha512Crypt(password, salt)).toBe(expected.trim());
  });

  it('has a salt of its own for each account and image', () => {
    expect(saltOf('small', 'me')).toMatch(/^[./0-9A-Za-z]{16}$/);
    expect(new Set([saltOf('small', 'me'), saltOf('small', 'you'), saltOf('large', 'me')]).size).toBe(3);
  });
});

describe('readAccountDefaults', () => {
  it('reads both files, and has defaults', () => {
    expect(
      readAccountDefaults('UMASK 027\nUID_MIN 0x400\nSUB_UID_COUNT 0', 'SHELL=/bin/zsh\nHOME=/people\n'),
    ).toMatchObject({
      uids: { first: 1024, last: 60_000 },
      homeMode: 0o750,
      homes: '/people',
      shell: '/bin/zsh',
      skeleton: '/etc/skel',
      passwordAges: ['', '', ''],
      subordinate: { first: 100_000, count: 0 },
    });
    expect(readAccountDefaults('HOME_MODE 0700', '').homeMode).toBe(0o700);
  });
});
