import { BuildError } from '@kiln/diagnostics';
import { describe, expect, it } from 'vitest';
import { planDefinition, readImageDefinition, type DefinitionPlan } from '../src/index.ts';
import { memoryFiles } from './memory-files.ts';

const KEY = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAbcdefghijklmnopqrstuvwxyz0123456789ABCDEF me@home';

function plan(
  system: object,
  files: Readonly<Record<string, unknown>> = {},
  disks: readonly object[] = [],
): DefinitionPlan {
  const SystemConfigs = [{ Name: 'One', Packages: ['bash'], ...system }];
  return planDefinition('images/a.json', memoryFiles({ 'images/a.json': { Disks: disks, SystemConfigs }, ...files }));
}

/** `code: message` of every problem. */
function problems(system: object, files: Readonly<Record<string, unknown>> = {}): string[] {
  try {
    plan(system, files);
  } catch (error) {
    if (!(error instanceof BuildError)) throw error;
    const all = error.diagnostics.length > 0 ? error.diagnostics : [error];
    return all.map(({ code, message }) => `${code.replace('IMAGE_', '')}: ${message}`);
  }
  throw new Error('it was accepted');
}

describe('planDefinition', () => {
  it('tells packages, partitions and artifacts of a disk, and what is not built', () => {
    const disk = {
      PartitionTableType: 'gpt',
      MaxSize: 100,
      Artifacts: [{ Name: 'core', Type: 'diff' }],
      Partitions: [
        { ID: 'boot', Start: 1, End: 9, FsType: 'fat32', Flags: ['esp'] },
        {
          ID: 'rootfs',
          Start: 9,
          End: 0,
          FsType: 'ext4',
          Artifacts: [{ Name: 'root', Type: 'ext4', Compression: 'gz' }],
        },
      ],
    };
    const system = {
      PackageLists: ['lists/a.json'],
      KernelOptions: { default: 'kernel', _other: 'kernel-rt' },
      PartitionSettings: [{ ID: 'rootfs', MountPoint: '/' }],
    };
    const made = plan(system, { 'images/lists/a.json': { _comment: 'why', packages: ['vim >= 9'] } }, [disk]);
    expect(made.systems[0]!.packages).toEqual(['vim >= 9', 'bash', 'kernel']);
    expect(made.partitions).toEqual([
      { id: 'boot', fileSystem: 'fat32', start: 1, end: 9, mountPoint: '' },
      { id: 'rootfs', fileSystem: 'ext4', start: 9, end: 0, mountPoint: '/' },
    ]);
    expect(made.artifacts).toEqual([
      { name: 'core', kind: 'diff' },
      { name: 'root', kind: 'ext4.gz', partition: 'rootfs' },
    ]);
    expect(made.refused.map(({ message }) => message)).toContain("artifacts of type 'diff' are not built yet");
    expect(made.files).toEqual(['images/a.json', 'images/lists/a.json']);
  });

  it('knows an artifact without type by its compression', () => {
    const made = plan({}, {}, [{ Artifacts: [{ Name: 'core', Compression: 'tar.gz' }, { Name: 'tree' }] }]);
    expect(made.artifacts.map(({ kind }) => kind)).toEqual(['tar.gz', 'directory']);
    expect(made.refused.map(({ message }) => message)).toEqual(["artifacts of type 'directory' are not built yet"]);
  });

  it('plans all systems of an installer, and never tells a password', () => {
    const systems = ['One', 'Two'].map((Name) => ({
      Name,
      Packages: [Name],
      KernelOptions: { default: 'kernel' },
      Users: [{ Name: 'me', Password: 'hush' }],
    }));
    const made = planDefinition('a.json', memoryFiles({ 'a.json': { SystemConfigs: systems } }));
    expect(made.systems.map(({ name, packages, users }) => [name, packages, users])).toEqual([
      ['One', ['One', 'kernel'], ['me']],
      ['Two', ['Two', 'kernel'], ['me']],
    ]);
    expect(JSON.stringify(made)).not.toContain('hush');
  });

  it('says where a kernel is missing', () => {
    expect(problems({ KernelOptions: { rt: 'kernel-rt' } })).toEqual([
      "CONFIG_INVALID: 'KernelOptions' has no member 'default'",
    ]);
  });
});

describe('files beside a definition', () => {
  const files = {
    'images/extra/a.conf': 'a',
    'images/extra/run': { executable: '#!/bin/sh' },
    'images/extra/sub/b': 'b',
    'images/extra/sub/link': { linkTo: '../a.conf' },
    'images/outside': { linkTo: 'secret' },
    secret: 's',
  };

  it('are put where the definition says', () => {
    const made = plan(
      {
        AdditionalFiles: { 'extra/a.conf': ['/etc/a.conf', { Path: '/etc//./b.conf', Permissions: '600' }] },
        AdditionalDirs: { extra: '/opt/extra' },
        AdditionalLinks: { '/etc/c.conf': 'a.conf' },
        PostInstallScripts: [{ Path: 'extra/run', Args: '-x' }],
      },
      files,
    );
    expect(made.systems[0]!.files).toEqual([
      '/opt/extra',
      '/opt/extra/a.conf',
      '/opt/extra/run',
      '/opt/extra/sub/b',
      '/opt/extra/sub/link',
      '/etc/a.conf',
      '/etc/b.conf',
      '/etc/c.conf',
    ]);
    expect(made.files).toContain('images/extra/sub/b');
  });

  it.each<[string, object, string]>([
    ['a file that is not there', { 'extra/no': '/a' }, "FILE_MISSING: there is no file 'images/extra/no'"],
    ['a directory', { extra: '/a' }, "FILE_TYPE: 'images/extra' is not a regular file"],
    ['a way out', { '../secret': '/a' }, "PATH_ESCAPES: '../secret' is not in the definition's directory"],
    [
      'an absolute way out',
      { '/etc/passwd': '/a' },
      "PATH_ESCAPES: '/etc/passwd' is not in the definition's directory",
    ],
    ['a link out', { outside: '/a' }, "PATH_ESCAPES: 'outside' leads out of the definition's directory, to 'secret'"],
    ['a way out of the image', { 'extra/run': '/etc/../../a' }, "CONFIG_INVALID: '/etc/../../a' has '..' in it"],
    ['a relative place', { 'extra/run': 'etc/a' }, "CONFIG_INVALID: 'etc/a' is not an absolute path in the image"],
    [
      'a place that is no part of it',
      { 'extra/run': '/dev/a' },
      "CONFIG_INVALID: nothing can be put at '/dev/a': it is not part of an image",
    ],
    ['the top', { 'extra/run': '/' }, "CONFIG_INVALID: nothing can be put at '/': it is a directory"],
    ['one place twice', { 'extra/run': ['/a', '//a'] }, "CONFIG_INVALID: two things are put at '/a'"],
    [
      'a member that is none',
      { 'extra/run': [{ Path: '/a', Permission: '644' }] },
      "CONFIG_INVALID: 'extra/run' has no member 'Permission'; did you mean 'Permissions'?",
    ],
    [
      'a mode that is none',
      { 'extra/run': { Path: '/a', Permissions: 'rwx' } },
      `CONFIG_INVALID: 'Permissions' can't be "rwx": it must match ^[0-7]{3,4}$`,
    ],
    [
      'a mode of another type',
      { 'extra/run': { Path: '/a', Permissions: 644 } },
      "CONFIG_INVALID: 'Permissions' must be of type string, found 644",
    ],
    ['a place of another type', { 'extra/run': ['/a', 7] }, "CONFIG_INVALID: 'extra/run' can't be 7"],
  ])('%s', (_, AdditionalFiles, expected) => {
    expect(problems({ AdditionalFiles }, files)).toEqual([expected]);
  });
});

it('tells where the parts of a definition are', () => {
  const text = `{
    "Disks": [{ "PartitionTableType": "gpt", "MaxSize": 9, "Artifacts": [{ "Type": "raw" }], "Partitions": [
      { "ID": "root", "FsType": "ext4", "Start": 1, "End": 0 }] }],
    "SystemConfigs": [{ "Name": "One", "Packages": ["bash"], "PartitionSettings": [{ "ID": "root", "MountPoint": "/" }],
      "Groups": [{ "Name": "app" }],
      "Users": [{ "Name": "me" }],
      "AdditionalFiles": { "a": ["/etc//./b",
        { "Path": "/c" }] },
      "AdditionalLinks": {
        "/d": "c" },
      "Services": {},
      "PostInstallScripts": [{ "Path": "./a" }] }] }`;
  const { places } = readImageDefinition('images/a.json', memoryFiles({ 'images/a.json': text, 'images/a': 'echo' }));
  const lines = Object.entries(places).map(([part, { line }]) => [part, line]);
  expect(Object.fromEntries(lines)).toMatchObject({
    ...{ 'partition root': 3, 'group app': 5, 'user me': 6, 'file /etc/b': 7, 'file /c': 8, 'file /d': 10 },
    ...{ Services: 11, 'script images/a': 12 },
  });
});

describe('accounts', () => {
  it.each<[string, object, string[]]>([
    ['two of one name', { Users: [{ Name: 'me' }, { Name: 'me' }] }, ["two users have the Name 'me'"]],
    [
      'two of one id',
      {
        Users: [
          { Name: 'a', UID: '1000' },
          { Name: 'b', UID: '1000' },
        ],
      },
      ["two users have the UID '1000'"],
    ],
    [
      'two groups',
      {
        Groups: [
          { Name: 'g', GID: '7' },
          { Name: 'h', GID: '7' },
        ],
      },
      ["two groups have the GID '7'"],
    ],
    ['a large id', { Users: [{ Name: 'a', UID: '60001' }] }, ["'60001' is not a number from 0 to 60000"]],
    ['an id that is none', { Users: [{ Name: 'a', UID: '-1' }] }, ["'-1' is not a number from 0 to 60000"]],
    ['a name that is none', { Users: [{ Name: 'a:b' }] }, ["'a:b' can't be the name of a user"]],
    ['a name of digits', { Users: [{ Name: '12' }] }, ["'12' can't be the name of a user"]],
    [
      'a hash that is none',
      { Users: [{ Name: 'a', PasswordHashed: true, Password: 'x:y' }] },
      ['the password of a is not a hash'],
    ],
    [
      'a shell that is none',
      { Users: [{ Name: 'a', StartupCommand: 'bash' }] },
      ["'StartupCommand' must be an absolute path, found 'bash'"],
    ],
    ['a key that is none', { Users: [{ Name: 'a', SSHPubKeys: ['hello'] }] }, ['this is not a public key of SSH']],
    ['a private key', { Users: [{ Name: 'a', SSHPubKeyPaths: ['id'] }] }, ["'id' is a private key"]],
    ['an empty key file', { Users: [{ Name: 'a', SSHPubKeyPaths: ['empty'] }] }, ["'empty' has no key"]],
    ["another id of root's", { Users: [{ Name: 'root', UID: '5' }] }, ["root's UID is 0"]],
  ])('%s', (_, system, expected) => {
    const files = { 'images/id': '-----BEGIN OPENSSH PRIVATE KEY-----\nx', 'images/empty': '# none\n' };
    expect(problems(system, files)).toEqual(expected.map((one) => `CONFIG_INVALID: ${one}`));
  });

  it('takes a hash that is locked', () => {
    const hash = `$6$salt$${'a'.repeat(86)}`;
    for (const Password of [hash, `!${hash}`, '!!', '*'])
      expect(plan({ Users: [{ Name: 'a', PasswordHashed: true, Password }] }).systems[0]!.users).toEqual(['a']);
  });

  it('refuses a key file that is not there, and takes one that is', () => {
    const system = { Users: [{ Name: 'a', SSHPubKeyPaths: ['a.pub'], SSHPubKeys: [`from="10.0.0.1" ${KEY}`] }] };
    expect(problems(system)).toEqual(["FILE_MISSING: there is no file 'images/a.pub'"]);
    expect(plan(system, { 'images/a.pub': `# mine\n${KEY}\n` }).systems[0]!.users).toEqual(['a']);
  });
});

describe('containers and names of machines', () => {
  it.each<[string, object, string]>([
    ['a variable', { Container: { Env: { 'A=B': 'c' } } }, "'A=B' can't be the name of an environment variable"],
    ['a port', { Container: { ExposedPorts: ['80', '65536/udp'] } }, "'65536/udp' is no port: the last one is 65535"],
    ['a dot at the end', { Hostname: 'a.b.' }, `'Hostname' can't be "a.b.": it must match `],
    ['a long name', { Hostname: `a.${'b'.repeat(63)}` }, "'Hostname' must NOT have more than 64 characters"],
  ])('%s', (_, system, expected) => {
    expect(problems(system)).toEqual([expect.stringContaining(`CONFIG_INVALID: ${expected}`)]);
  });
});

describe('networks, repositories, services', () => {
  const device = { Device: 'eth0', BootProto: 'static', Ip: '192.0.2.7', NetMask: '255.255.255.0' };
  const repository = { Name: 'r', BaseUrl: 'https://r.example/', Install: true };
  it.each<[string, object, string[]]>([
    [
      'an address',
      { Networks: [{ ...device, Ip: '192.0.2.256' }] },
      ["'192.0.2.256' is not an IP address", "'255.255.255.0' is not a net mask for 192.0.2.256"],
    ],
    [
      'a mask',
      { Networks: [{ ...device, NetMask: '255.0.255.0' }] },
      ["'255.0.255.0' is not a net mask for 192.0.2.7"],
    ],
    ['no mask', { Networks: [{ ...device, NetMask: '' }] }, ["an Ip needs a 'NetMask'"]],
    ['no address', { Networks: [{ Device: 'a', BootProto: 'static' }] }, ['a static network needs an Ip']],
    ['a protocol', { Networks: [{ Device: 'a', BootProto: 'ibft' }] }, ["systemd-networkd has no 'ibft'"]],
    [
      'a gateway of another protocol',
      { Networks: [{ ...device, GateWay: '2001:db8::1' }] },
      ["the gateway 2001:db8::1 can't be reached from 192.0.2.7: one of them is IPv4, the other IPv6"],
    ],
    ['a device twice', { Networks: [device, device] }, ["two networks have the Device 'eth0'"]],
    ['a name server', { Networks: [{ ...device, NameServer: ['::1::2'] }] }, ["'::1::2' is not an IP address"]],
    [
      'a repository twice',
      { PackageRepos: [repository, repository].map((one) => ({ ...one, GPGKeys: 'k' })) },
      ["two repositories have the Name 'r'"],
    ],
    ['no keys', { PackageRepos: [repository] }, ["the repository 'r' is checked but has no keys"]],
    ['a unit', { Services: { Enable: ['a b'] } }, ["'a b' can't be the name of a unit"]],
    ['both', { Services: { Enable: ['a'], Disable: ['a'] } }, ["'a' is both enabled and disabled"]],
  ])('%s', (_, system, expected) => {
    expect(problems(system)).toEqual(expected.map((one) => `CONFIG_INVALID: ${one}`));
  });
});
