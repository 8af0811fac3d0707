import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sha256 } from '@kiln/build-identity';
import { BuildError } from '@kiln/diagnostics';
import { createHost } from '@kiln/host';
import type { Customization, ImageDefinition } from '@kiln/image-config';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildImage, type BuiltImage, type ImagePorts, type ImageRequest, type ImageRpm } from '../src/index.ts';
import { noCustomization } from './no-customization.ts';
import { EPOCH, smallImage } from './small-image.ts';
import { baseSpec, specWith } from './test-packages.ts';
import {
  buildRpms,
  hasRpmbuild,
  librariesOf,
  machineProgram,
  makePorts,
  makeToolRoot,
  removeTemporaryDirectories,
  temporaryDirectory,
} from './tool-root.ts';

const DAY = Math.floor(EPOCH / 86_400);
const KEY = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAbcdefghijklmnopqrstuvwxyz0123456789ABCDEF me@home';

/** Account files, a skeleton, a policy's configuration, links that want to lead out. */
const systemSpec = specWith(
  'system',
  'Requires(post): base',
  '%install',
  'mkdir -p %{buildroot}/etc/skel %{buildroot}/etc/selinux %{buildroot}/usr/lib/rpm/macros.d %{buildroot}/usr/lib/systemd',
  'cd %{buildroot}/etc',
  "printf 'root:*:19000:0:99999:7:::\\n' > shadow",
  "printf 'root:::\\n' > gshadow",
  "printf 'HOME_MODE 0750\\nPASS_MAX_DAYS 99999\\nPASS_MIN_DAYS 0\\nPASS_WARN_AGE 7\\n' > login.defs",
  "printf 'rc\\n' > skel/.bashrc",
  'ln -s .bashrc skel/.profile',
  "printf '# policy\\nSELINUX=disabled\\nSELINUXTYPE=targeted\\n' > selinux/config",
  "printf '127.0.0.1 localhost\\n' > hosts",
  "printf 'x\\n' > machine-id",
  'ln -s ../../../../../etc %{buildroot}/out',
  '%files',
  '%attr(0000,root,root) /etc/shadow',
  '%attr(0000,root,root) /etc/gshadow',
  '/etc/login.defs',
  '/etc/skel',
  '/etc/selinux',
  '/etc/hosts',
  '/etc/machine-id',
  '/out',
  '%dir /usr/lib/rpm',
  '%dir /usr/lib/rpm/macros.d',
  '%dir /usr/lib/systemd',
);

const host = createHost({});
let ports: ImagePorts;
let rpms: ImageRpm[];
let workspace: string;

function request(customization: Partial<Customization>, more: Partial<ImageDefinition> = {}): ImageRequest {
  const all = { ...noCustomization, ...customization };
  const sources = [
    ...all.files.flatMap((file) => (file.type === 'file' ? [file.source] : [])),
    ...[...all.postInstallScripts, ...all.finalizeScripts].map(({ source }) => source),
  ];
  const artifacts = [{ type: 'tar.gz', fileName: 'custom.tar.gz' }] as const;
  return {
    ...smallImage(rpms, { name: 'custom', artifacts, customization: all, ...more }),
    localFiles: Object.fromEntries(
      sources.map((source) => {
        const path = join(workspace, source);
        return [source, { path, sha256: sha256(readFileSync(path)) }];
      }),
    ),
    log: join(temporaryDirectory('log'), 'log'),
  };
}

interface MadeTree extends BuiltImage {
  /** `mode owner size time name`, as GNU tar lists them. */
  readonly line: (name: string) => string | undefined;
  readonly text: (name: string) => string;
}

async function build(made: ImageRequest): Promise<MadeTree> {
  const built = await buildImage(host, ports, made);
  const archive = join(made.outputDirectory, 'custom.tar.gz');
  const tar = (...words: string[]) =>
    execFileSync('tar', ['--gzip', '--file', archive, ...words], {
      encoding: 'utf8',
      env: { ...process.env, TZ: 'UTC', LC_ALL: 'C' },
    });
  const lines = tar('--list', '--verbose', '--numeric-owner', '--full-time')
    .split('\n')
    .map((line) => line.replace(/\s+/g, ' '));
  return {
    ...built,
    line: (name) => lines.find((one) => one.endsWith(` ./${name}`) || one.includes(` ./${name} -> `)),
    text: (name) => tar('--extract', '--to-stdout', `./${name}`),
  };
}

async function failure(
  customization: Partial<Customization>,
  more: Partial<ImageDefinition> = {},
): Promise<BuildError> {
  const made = request(customization, more);
  const error: unknown = await buildImage(host, ports, made).then(
    () => new Error('it succeeded'),
    (reason: unknown) => reason,
  );
  if (!(error instanceof BuildError)) throw error;
  return error;
}

function script(name: string, ...lines: string[]): { source: string; arguments: string } {
  writeFileSync(join(workspace, name), lines.join('\n'));
  return { source: name, arguments: '' };
}

describe.skipIf(!hasRpmbuild())('customizeRoot', () => {
  beforeAll(async () => {
    ports = makePorts(host, makeToolRoot());
    rpms = [...(await buildRpms(baseSpec(), EPOCH)), ...(await buildRpms(systemSpec, EPOCH))];
    workspace = temporaryDirectory('workspace');
    writeFileSync(join(workspace, 'a.conf'), 'a\n');
  });
  afterAll(removeTemporaryDirectories);

  it('makes accounts, files, networks and the rest, the same twice', async () => {
    const owned = { owner: 'root', group: 'root' };
    const customization: Partial<Customization> = {
      groups: [{ name: 'team', gid: 2000 }],
      users: [
        {
          name: 'me',
          uid: 1500,
          password: { plain: 'secret' },
          sshKeys: [KEY],
          primaryGroup: 'team',
          secondaryGroups: ['service'],
        },
        { name: 'root', sshKeys: [], secondaryGroups: [], shell: '/usr/bin/sh' },
      ],
      files: [
        { type: 'file', path: '/out/deep/a.conf', source: 'a.conf', mode: 0o640, owner: 'me', group: 'team' },
        { type: 'directory', path: '/srv/data', mode: 0o2775, owner: '77', group: 'service' },
        { type: 'link', path: '/etc/b.conf', target: 'deep/a.conf' },
        { type: 'file', path: '/etc/hosts.allow', source: 'a.conf', mode: 0o4755, ...owned },
      ],
      networks: [
        { match: { name: 'eth*' }, dhcp: true, nameServers: [], onBoot: true },
        {
          match: { hardwareAddress: '02:00:00:00:00:01' },
          dhcp: false,
          address: '192.0.2.7/24',
          gateway: '192.0.2.1',
          nameServers: ['192.0.2.2'],
          onBoot: false,
        },
      ],
      repositories: [
        { name: 'extra', baseUrl: 'https://r.example/', checkPackages: true, checkMetadata: false, keys: 'file:///k' },
      ],
      selinux: 'permissive',
      firstBoot: true,
      postInstallScripts: [
        {
          ...script(
            'post.sh',
            'set -e',
            'test "$1 $2" = "a b c"',
            'echo "$1" > /etc/made',
            'echo x > /tmp/x',
            'echo x > /run/x',
            'id -u 2>/dev/null || :',
            'test -c /dev/null',
          ),
          arguments: 'a "b c"',
        },
      ],
      finalizeScripts: [
        script(
          'last.sh',
          '#!/usr/bin/sh',
          'read -r line < /etc/made',
          'echo "$line again" > /etc/made-too',
          'echo said',
          '> /etc/machine-id',
        ),
      ],
    };
    const more = { hostname: 'machine.example', disableRpmDocs: true, languages: 'en:fr' };
    const made = request(customization, more);
    const tree = await build(made);
    expect(tree.text('etc/passwd')).toBe(
      'root:x:0:0::/:/usr/bin/sh\nservice:x:77:78::/:/bin/bash\nme:x:1500:2000::/home/me:/bin/bash\n',
    );
    expect(tree.text('etc/group')).toBe('root:x:0:\nservice:x:78:me\nteam:x:2000:\n');
    expect(tree.text('etc/shadow')).toMatch(
      new RegExp(`^root:\\*:${DAY}:0:99999:7:::\nme:\\$6\\$[^:]+:${DAY}:0:99999:7:::\n$`),
    );
    expect(tree.line('etc/shadow')).toMatch(/^---------- 0\/0 /);
    expect(tree.line('home/me/')).toMatch(/^drwxr-x--- 1500\/2000 /);
    expect(tree.line('home/me/.bashrc')).toMatch(/^-rw-r--r-- 1500\/2000 3 /);
    expect(tree.line('home/me/.profile')).toMatch(/^lrwxrwxrwx 1500\/2000 .* -> \.bashrc$/);
    expect(tree.line('home/me/.ssh/')).toMatch(/^drwx------ 1500\/2000 /);
    expect(tree.line('home/me/.ssh/authorized_keys')).toMatch(/^-rw------- 1500\/2000 /);
    expect(tree.text('home/me/.ssh/authorized_keys')).toBe(`${KEY}\n`);
    expect(tree.line('etc/deep/a.conf')).toMatch(/^-rw-r----- 1500\/2000 2 /);
    expect(tree.line('etc/hosts.allow')).toMatch(/^-rwsr-xr-x 0\/0 /);
    expect(tree.line('etc/b.conf')).toMatch(/^lrwxrwxrwx 0\/0 .* -> deep\/a\.conf$/);
    expect(tree.line('srv/data/')).toMatch(/^drwxrwsr-x 77\/78 /);
    expect(tree.text('etc/systemd/network/10-dhcp-eth-.network')).toBe('[Match]\nName=eth*\n\n[Network]\nDHCP=yes\n');
    expect(tree.text('etc/systemd/network/10-static-02-00-00-00-00-01.network')).toBe(
      '[Match]\nMACAddress=02:00:00:00:00:01\n\n[Link]\nActivationPolicy=manual\n\n[Network]\nAddress=192.0.2.7/24\nGateway=192.0.2.1\nDNS=192.0.2.2\n',
    );
    expect(tree.text('etc/yum.repos.d/extra.repo')).toContain(
      '\nbaseurl=https://r.example/\ngpgkey=file:///k\ngpgcheck=1\nrepo_gpgcheck=0\n',
    );
    expect(tree.text('etc/selinux/config')).toBe('# policy\nSELINUX=permissive\nSELINUXTYPE=targeted\n');
    expect(tree.text('etc/hostname')).toBe('machine.example\n');
    expect(tree.text('etc/hosts')).toBe('127.0.0.1 localhost\n127.0.0.1   machine.example\n');
    expect(tree.text('usr/lib/rpm/macros.d/macros.image')).toContain('\n%_excludedocs 1\n%_install_langs en:fr\n');
    expect(tree.text('etc/made')).toBe('a\n');
    expect(tree.text('etc/made-too')).toBe('a again\n');
    expect(tree.text('etc/machine-id')).toBe('');
    expect(['run/x', 'tmp/x', 'run/kiln/', 'dev/null', 'proc/self'].map(tree.line)).toEqual(Array(5).fill(undefined));
    expect(tree.customized).toEqual(
      expect.arrayContaining(['/etc/made', '/etc/passwd', '/home/me/.ssh/authorized_keys', '/etc/deep/a.conf']),
    );
    expect(tree.customized).not.toContain('/usr/bin/bash');
    expect(readFileSync(made.log!, 'utf8')).toContain('said\n');

    await new Promise((resolve) => setTimeout(resolve, 1100));
    const again = await build(request(customization, more));
    expect(again.rootDigest).toBe(tree.rootDigest);
    expect(again.customized).toEqual(tree.customized);
  }, 60_000);

  it('changes nothing when nothing is asked for, but for the identity of the machine', async () => {
    const tree = await build(request({}));
    expect(tree.customized).toEqual(['/etc', '/etc/machine-id']);
    expect(tree.text('etc/machine-id')).toBe('');
  });

  it('tells what a failing script said, and leaves nothing behind', async () => {
    const error = await failure({
      postInstallScripts: [script('bad.sh', 'for n in 1 2 3 4 5 6 7 8 9 10 11; do echo "line $n"; done', 'exit 3')],
    });
    expect(error).toMatchObject({ code: 'IMAGE_SCRIPT_FAILED', message: 'bad.sh ended with status 3' });
    expect(error.diagnostics.map(({ message }) => message)).toEqual(
      Array.from({ length: 10 }, (_, index) => `line ${index + 2}`),
    );
  });

  it.each<[string, () => Partial<Customization>, string, string?]>([
    [
      'a script that wants the network',
      () => ({ postInstallScripts: [script('net.sh', 'exec 3<>/dev/tcp/192.0.2.1/80')] }),
      'IMAGE_SCRIPT_FAILED: net.sh ended with status 1',
      'script net.sh',
    ],
    [
      'a script that only says what the set-up of a sandbox could say',
      () => ({ finalizeScripts: [script('dir.sh', "echo 'mkdir: no' >&2", 'exit 4')] }),
      'IMAGE_SCRIPT_FAILED: dir.sh ended with status 4',
      'script dir.sh',
    ],
    [
      'a script for a program that is not there',
      () => ({ postInstallScripts: [script('none.sh', '#!/usr/bin/none')] }),
      'IMAGE_SCRIPT_FAILED: none.sh ended with status 127',
      'script none.sh',
    ],
    [
      'a user of a package',
      () => ({ users: [{ name: 'service', sshKeys: [], secondaryGroups: [] }] }),
      "IMAGE_ACCOUNT_INVALID: custom: the user 'service' exists already, with UID 77",
      'user service',
    ],
    [
      'an owner that is not there',
      () => ({ files: [{ type: 'file', path: '/a', source: 'a.conf', mode: 0o644, owner: 'no', group: 'root' }] }),
      "IMAGE_ACCOUNT_INVALID: custom: there is no user 'no'",
      'file /a',
    ],
    [
      'a file in place of a directory',
      () => ({ files: [{ type: 'file', path: '/etc', source: 'a.conf', mode: 0o644, owner: 'root', group: 'root' }] }),
      "IMAGE_PATH_CONFLICT: nothing can be put at '/etc': it is a directory",
      'file /etc',
    ],
    [
      'services without systemd',
      () => ({ services: { enable: ['a.service'], disable: [] } }),
      "IMAGE_SERVICE_INVALID: custom: 'Services' need systemctl, which the image lacks",
    ],
  ])('refuses %s', async (_, customization, expected, part) => {
    const place = { file: 'custom.json', line: 7 };
    const error = await failure(customization(), part === undefined ? {} : { places: { [part]: place } });
    expect(`${error.code}: ${error.message}`).toBe(expected);
    expect(error.location).toEqual(part === undefined ? { file: 'custom.json', line: 1 } : place);
    // What it would repeat is gone.
    expect(error.command).toBeUndefined();
  });

  it('leaves nothing behind when it is interrupted', async () => {
    const interrupt = new AbortController();
    const made = request({ postInstallScripts: [script('endless.sh', 'echo begun', 'while :; do :; done')] });
    const own = makePorts(createHost({ signal: interrupt.signal }), makeToolRoot());
    const directories: string[] = [];
    const watched: ImagePorts = {
      ...own,
      makeWorkDirectory: async (name) => {
        directories.push(await own.makeWorkDirectory(name));
        return directories.at(-1)!;
      },
      run: (step) =>
        own.run({
          ...step,
          onLine: (line) => {
            step.onLine?.(line);
            if (line === 'begun') interrupt.abort();
          },
        }),
    };
    await expect(buildImage(host, watched, made)).rejects.toMatchObject({ code: 'INTERRUPTED' });
    expect(directories).toHaveLength(3);
    expect([...directories, made.outputDirectory].filter((path) => existsSync(path))).toEqual([]);
  });

  it('refuses a file that was changed meanwhile', async () => {
    const made = request({
      files: [{ type: 'file', path: '/a', source: 'a.conf', mode: 0o644, owner: 'root', group: 'root' }],
    });
    const localFiles = { 'a.conf': { path: made.localFiles['a.conf']!.path, sha256: sha256('other') } };
    await expect(buildImage(host, ports, { ...made, localFiles })).rejects.toMatchObject({ code: 'INPUT_CHANGED' });
  });

  it.runIf(spawnSync('systemctl', ['--version']).status === 0)(
    'enables and disables units as systemctl does',
    async () => {
      const services = await buildRpms(servicesSpec(), EPOCH);
      const made = request({ services: { enable: ['one.service'], disable: ['two.service'] } });
      const tree = await build({ ...made, rpms: [...rpms, ...services] });
      expect(tree.line('etc/systemd/system/multi-user.target.wants/one.service')).toMatch(
        / -> (\/usr)?\/lib\/systemd\/system\/one\.service$/,
      );
      expect(tree.line('etc/systemd/system/multi-user.target.wants/two.service')).toBeUndefined();
      const missing = request({ services: { enable: ['three.service'], disable: [] } });
      await expect(buildImage(host, ports, { ...missing, rpms: [...rpms, ...services] })).rejects.toThrow(
        /systemctl enable failed: .*three\.service/,
      );
    },
  );
});

/** This machine's systemctl, and two units of which one is enabled. */
function servicesSpec(): string {
  const program = machineProgram('systemctl');
  const places = librariesOf(program)
    .map((path) => [path, path.replace(/^\/lib/, '/usr/lib')] as const)
    .filter(([, to]) => !baseLibraries().has(to));
  const unit = '[Service]\\nExecStart=/usr/bin/bash\\n[Install]\\nWantedBy=multi-user.target\\n';
  return specWith(
    'services',
    'Requires(post): base',
    '%install',
    `install -Dpm 755 ${program} %{buildroot}/usr/bin/systemctl`,
    ...places.map(([from, to]) => `install -Dpm 755 ${from} %{buildroot}${to}`),
    'cd %{buildroot}',
    'mkdir -p usr/lib/systemd/system etc/systemd/system/multi-user.target.wants',
    `printf '${unit}' > usr/lib/systemd/system/one.service`,
    `printf '${unit}' > usr/lib/systemd/system/two.service`,
    'ln -s /usr/lib/systemd/system/two.service etc/systemd/system/multi-user.target.wants/two.service',
    '%files',
    '/usr/bin/systemctl',
    '/usr/lib/systemd/system',
    '/etc/systemd',
    ...places.map(([, to]) => to),
  );
}

function baseLibraries(): Set<string> {
  return new Set(librariesOf(machineProgram('bash')).map((path) => path.replace(/^\/lib/, '/usr/lib')));
}
