/** RPMs with everything unusual that rpmbuild can make, built when a test asks for them. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Name of the spec → its lines after the preamble's usual ones. */
const SPECS: Readonly<Record<string, readonly string[]>> = {
  empty: ['%description', 'Nothing in it.', '%files'],
  links: [
    '%description',
    'Links of both kinds.',
    '%install',
    'mkdir -p "%{buildroot}/opt/a b" && cd "%{buildroot}/opt/a b"',
    'echo one > one; ln one two; ln one "three 3"; echo single > single',
    'ln -s "target with  spaces" "link with spaces"; ln -s /absolute dangling; mkdir empty-directory; mkfifo pipe',
    '%files',
    '"/opt/a b"',
  ],
  attributes: [
    'Requires(pre): /usr/sbin/useradd',
    'Requires(post,preun): coreutils >= 8',
    'Requires(postun): sed',
    'Requires(pretrans): first',
    'Requires(posttrans): last',
    'Requires(meta): meta-only',
    'Requires(verify): checker',
    '%description',
    'Attributes of files.',
    '%install',
    'mkdir -p %{buildroot}/etc/odd %{buildroot}/usr/bin %{buildroot}/usr/share/doc/odd',
    'for name in plain config keep missing ghost readme license; do echo $name > %{buildroot}/etc/odd/$name; done',
    'echo program > %{buildroot}/usr/bin/odd',
    '%files',
    '%config /etc/odd/config',
    '%config(noreplace) /etc/odd/keep',
    '%config(missingok) /etc/odd/missing',
    '%ghost %attr(0600,daemon,mail) /etc/odd/ghost',
    '%ghost %dir /var/cache/odd',
    '%readme /etc/odd/readme',
    '%license /etc/odd/license',
    '%artifact /etc/odd/plain',
    '%verify(not size md5 mtime) %caps(cap_net_raw,cap_net_admin=ep) %attr(4755,root,bin) /usr/bin/odd',
    '%dir %attr(1777,root,root) /usr/share/doc/odd',
    '%lang(de) %dir /etc/odd',
  ],
  relations: [
    'Epoch: 7',
    'Provides: virtual = 1:2~rc1^git3-4, plain, path(/with/(parens))',
    'Requires: ((a and (b or c >= 2)) if d else e), (f with f < 3)',
    'Requires: less < 1, at-most <= 1:2, exact = 0:3, at-least >= 4-5%{?dist}, more > 6',
    'Conflicts: enemy < 2, (x and y)',
    'Obsoletes: ancient <= 9',
    'Recommends: rec = 1, (r1 or r2)',
    'Suggests: sug',
    'Supplements: (s1 and s2)',
    'Enhances: enh > 2',
    'OrderWithRequires: earlier',
    'BuildRequires: bash',
    'Prefix: /opt/one',
    'Prefix: /opt/two',
    '%description',
    'Relations to others.',
    '%files',
  ],
  scripts: [
    '%description',
    'Scripts.',
    '%pretrans -p <lua>',
    'print("x")',
    '%pre -p /bin/sh -e',
    'echo "%{name}"',
    '%post -p /sbin/ldconfig',
    '%preun',
    'echo preun $1',
    '',
    'echo after an empty line',
    '%postun -q',
    'echo %%{NAME}',
    '%posttrans',
    ':',
    '%verifyscript',
    'true',
    '%triggerprein -- before < 3',
    'echo before',
    '%triggerin -- one > 1, two',
    'echo in',
    '%triggerun -p /usr/bin/perl -- three = 2',
    'print 1',
    '%triggerpostun -- four',
    'echo gone',
    '%filetriggerin -P 100 -- /usr/lib /usr/share',
    'cat',
    '%filetriggerun -- /etc',
    'cat',
    '%filetriggerpostun -- /opt',
    'cat',
    '%transfiletriggerin -P 5 -- /usr/lib64',
    'cat',
    '%transfiletriggerun -p <lua> -- /srv',
    'print("t")',
    '%transfiletriggerpostun -- /home',
    'cat',
    '%files',
  ],
  bytes: [
    '%description',
    'Names that are not UTF-8.',
    '%install',
    'mkdir -p %{buildroot}/opt/bytes',
    `cd %{buildroot}/opt/bytes && touch "$(printf 'latin-\\351')" "$(printf 'utf8-\\303\\251')" 'back\\slash' "quote'" '<&>'`,
    '%files',
    '/opt/bytes',
  ],
  huge: [
    '%description',
    'A file of more than 4 GB.',
    '%install',
    'mkdir -p %{buildroot}/opt',
    'truncate -s 4294967301 %{buildroot}/opt/sparse',
    '%files',
    '/opt/sparse',
  ],
};

const PAYLOAD_SPEC = [
  '%description',
  'A file that can be compressed.',
  '%install',
  'mkdir -p %{buildroot}/opt',
  'seq 2000 > %{buildroot}/opt/seq',
  '%files',
  '/opt/seq',
];

/** Payload compressions as macro `_binary_payload` names them. */
const PAYLOADS: Readonly<Record<string, string>> = {
  gzip: 'w9.gzdio',
  xz: 'w2.xzdio',
  zstd: 'w3.zstdio',
  bzip2: 'w9.bzdio',
  none: 'w.ufdio',
};

/** A file so large that building it takes a while: for tools. */
export const LARGE = 'huge';
export const ODD_SPECS: readonly string[] = Object.keys(SPECS).filter((name) => name !== LARGE);

/** Builds the specs below `top`, and one package per compression of the payload; gives the paths of all RPMs. */
export function buildOddRpms(top: string, specs: readonly string[] = ODD_SPECS): string[] {
  mkdirSync(top, { recursive: true });
  for (const name of specs) build(top, name, SPECS[name]!);
  for (const [payload, value] of Object.entries(PAYLOADS)) {
    build(top, `payload-${payload}`, PAYLOAD_SPEC, { _binary_payload: value, _binary_filedigest_algorithm: '10' });
  }
  return ['RPMS', 'SRPMS'].flatMap((directory) =>
    readdirSync(join(top, directory), { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('.rpm'))
      .sort()
      .map((path) => join(top, directory, path)),
  );
}

function build(top: string, name: string, lines: readonly string[], more: Readonly<Record<string, string>> = {}): void {
  const file = join(top, `${name}.spec`);
  const head = [
    `Name: odd-${name}`,
    'Version: 1.0~rc2^3',
    'Release: 1',
    'Summary: é <odd> & "quoted"',
    'License: MIT',
    'BuildArch: noarch',
  ];
  writeFileSync(file, [...head, ...lines, ''].join('\n'));
  const defines = {
    _topdir: top,
    _buildhost: 'builder',
    _buildshell: '/bin/bash',
    __os_install_post: '%{nil}',
    _build_id_links: 'none',
    _invalid_encoding_terminates_build: '0',
    ...more,
  };
  const words = Object.entries(defines).flatMap(([macro, value]) => ['--define', `${macro} ${value}`]);
  const { status, stderr } = spawnSync('rpmbuild', ['-ba', '--quiet', '--nodeps', ...words, file], {
    encoding: 'utf8',
    env: { ...process.env, LC_ALL: 'C.UTF-8' },
  });
  if (status !== 0) throw new Error(`${name}: ${stderr}`);
}
