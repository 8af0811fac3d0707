/** What rpm itself says of an RPM, and the same view of what the reader under test found. */
import { spawnSync } from 'node:child_process';
import { formatEvr, type Dependency } from '@kiln/rpm-package';
import {
  isSymbolicLink,
  RPM_SIGNATURE_TAG,
  RPM_TAG,
  type RpmFileEntry,
  type RpmHeader,
  type ScriptletKind,
} from '../src/index.ts';

/** A view of a header as rows of text, one list per aspect. */
export type HeaderView = Readonly<Record<string, readonly (readonly string[])[]>>;

const FIELD = '\x1f';
const ROW = '\x1e';
const PART = '\x1d';
const NONE = '(none)';

const SCALARS = [
  'NAME',
  'EVR',
  'ARCHSUFFIX',
  'SUMMARY',
  'DESCRIPTION',
  'LICENSE',
  'GROUP',
  'URL',
  'BUILDTIME',
  'BUILDHOST',
  'SOURCERPM',
  'SOURCEPKGID',
  'LONGSIZE',
  'PAYLOADFORMAT',
  'PAYLOADCOMPRESSOR',
  'PAYLOADFLAGS',
  'PAYLOADDIGEST',
  'FILEDIGESTALGO',
  'SHA256HEADER',
  'VENDOR',
  'PACKAGER',
  'DISTRIBUTION',
  'OS',
  'RPMVERSION',
];
const FILES = [
  'FILENAMES',
  'FILEMODES',
  'LONGFILESIZES',
  'FILEMTIMES',
  'FILEUSERNAME',
  'FILEGROUPNAME',
  'FILEDIGESTS',
  'FILELINKTOS',
  'FILEFLAGS',
  'FILEVERIFYFLAGS',
  'FILEINODES',
  'FILENLINKS',
  'FILERDEVS',
  'FILELANGS',
  'FILECLASS',
];
const DEPENDENCIES = {
  provides: 'PROVIDE',
  requires: 'REQUIRE',
  conflicts: 'CONFLICT',
  obsoletes: 'OBSOLETE',
  recommends: 'RECOMMEND',
  suggests: 'SUGGEST',
  supplements: 'SUPPLEMENT',
  enhances: 'ENHANCE',
  orderWithRequires: 'ORDER',
} as const;
const SCRIPTLETS: Readonly<Record<ScriptletKind, string>> = {
  pretrans: 'PRETRANS',
  pre: 'PREIN',
  post: 'POSTIN',
  preun: 'PREUN',
  postun: 'POSTUN',
  posttrans: 'POSTTRANS',
  verify: 'VERIFYSCRIPT',
};
const TRIGGERS = { package: 'TRIGGER', file: 'FILETRIGGER', transaction: 'TRANSFILETRIGGER' } as const;

const rows = (tags: readonly string[]) => `[${tags.map((tag) => `%{${tag}}`).join(FIELD)}${ROW}]`;

/** Each aspect's queryformat. */
const QUERIES: Readonly<Record<string, string>> = {
  scalars: SCALARS.map((tag) => `%{${tag}}`).join(FIELD) + ROW,
  files: rows(FILES),
  capabilities: rows(['FILECAPS']),
  colors: rows(['FILECOLORS']),
  ...Object.fromEntries(
    Object.entries(DEPENDENCIES).map(([kind, tag]) => [kind, rows([`${tag}NAME`, `${tag}FLAGS`, `${tag}VERSION`])]),
  ),
  ...Object.fromEntries(
    Object.entries(SCRIPTLETS).map(([kind, tag]) => [
      kind,
      `%|${tag}PROG?{[%{${tag}PROG}${PART}]${FIELD}%{${tag}}${FIELD}%|${tag}FLAGS?{%{${tag}FLAGS}}:{0}|${ROW}}|`,
    ]),
  ),
  ...Object.fromEntries(
    Object.entries(TRIGGERS).map(([scope, tag]) => [
      `${scope} triggers`,
      rows([`${tag}SCRIPTPROG`, `${tag}SCRIPTS`, `${tag}TYPE`]),
    ]),
  ),
  ...Object.fromEntries(
    Object.entries(TRIGGERS).map(([scope, tag]) => [
      `${scope} trigger conditions`,
      rows([`${tag}INDEX`, `${tag}NAME`, `${tag}FLAGS`, `${tag}VERSION`]),
    ]),
  ),
  'file trigger priorities': rows(['FILETRIGGERPRIORITIES']),
  'transaction trigger priorities': rows(['TRANSFILETRIGGERPRIORITIES']),
  prefixes: rows(['PREFIXES']),
  devices: rows(['FILEDEVICES']),
  changelog: rows(['CHANGELOGTIME', 'CHANGELOGNAME', 'CHANGELOGTEXT']),
};

export function hasRpm(): boolean {
  return spawnSync('rpm', ['--version']).status === 0;
}

/** Asks `rpm -qp`; `rpm` is the command's begin, for a rpm elsewhere. */
export function askRpm(path: string, [program, ...words]: readonly [string, ...string[]] = ['rpm']): HeaderView {
  const separator = '\x1c';
  const format = Object.values(QUERIES).join(separator);
  const { status, stdout, stderr } = spawnSync(
    program,
    [...words, '-qp', '--nosignature', '--nodigest', '--queryformat', format, path],
    {
      encoding: 'latin1',
      env: { ...process.env, LC_ALL: 'C.UTF-8' },
      maxBuffer: 2 ** 30,
    },
  );
  if (status !== 0) throw new Error(`rpm -qp ${path}: ${stderr}`);
  const aspects = stdout.split(separator);
  return Object.fromEntries(
    Object.keys(QUERIES).map((name, index) => [name, inOrder(name, normalise(aspects[index] ?? ''))]),
  );
}

/** A header lists the conditions of all triggers by name, the reader lists them by trigger. */
function inOrder(aspect: string, found: string[][]): string[][] {
  return aspect.endsWith('conditions') ? found.sort() : found;
}

/** An array tag that is absent prints one row of nothing. */
function normalise(text: string): string[][] {
  const found = text
    .split(ROW)
    .slice(0, -1)
    .map((row) => row.split(FIELD).map(fromBytes));
  return found.filter((row) => !row.every((field) => field === NONE));
}

/** Each byte as one character → the text, by the reader's rule: UTF-8 where it is valid. */
function fromBytes(bytes: string): string {
  const text = Buffer.from(bytes, 'latin1').toString('utf8');
  return text.includes('\ufffd') ? bytes : text;
}

/** What rpm prints as class of a file for which the header has none (rpmfilesFClass, lib/rpmfi.c), by `st_mode`'s type. */
const CLASSES_BY_TYPE: Readonly<Record<number, string>> = {
  0o010000: 'fifo (named pipe)',
  0o020000: 'character special',
  0o040000: 'directory',
  0o060000: 'block special',
  0o140000: 'socket',
};

function classOf({ class: stated, mode, linkTarget }: RpmFileEntry): string {
  if (stated !== undefined) return stated;
  if (isSymbolicLink({ mode })) return `symbolic link to \`${linkTarget}'`;
  return CLASSES_BY_TYPE[mode & 0o170000] ?? '';
}

/** The same view, from the reader. */
export function viewOf(header: RpmHeader): HeaderView {
  const rpm = header.package;
  const scriptlet = (kind: ScriptletKind) =>
    rpm.scriptlets
      .filter((one) => one.kind === kind)
      .map(({ interpreter, body, flags }) => [
        interpreter.map((word) => word + PART).join(''),
        body ?? NONE,
        String(flags),
      ]);
  const triggers = (scope: keyof typeof TRIGGERS) => rpm.triggers.filter((one) => one.scope === scope);
  return {
    scalars: [
      [
        rpm.name,
        formatEvr(rpm.evr),
        `.${rpm.arch}`,
        rpm.summary,
        rpm.description,
        rpm.license,
        rpm.group ?? NONE,
        rpm.url ?? NONE,
        String(rpm.buildTime ?? NONE),
        rpm.buildHost ?? NONE,
        rpm.sourceRpm ?? NONE,
        rpm.sourcePackageId ?? NONE,
        String(rpm.installedSize),
        rpm.payload.format,
        rpm.payload.compressor ?? NONE,
        rpm.payload.level ?? NONE,
        rpm.payload.digest ?? NONE,
        header.tags.has(RPM_TAG.FILEDIGESTALGO) ? String(rpm.fileDigestAlgorithm) : NONE,
        header.signatureTags.has(RPM_SIGNATURE_TAG.SHA256) ? rpm.headerDigest : NONE,
        rpm.vendor ?? NONE,
        rpm.packager ?? NONE,
        rpm.distribution ?? NONE,
        rpm.os ?? NONE,
        rpm.rpmVersion ?? NONE,
      ],
    ],
    files: rpm.files.map((file) => [
      file.path,
      String(file.mode),
      String(file.size),
      String(file.mtime),
      file.user,
      file.group,
      file.digest ?? '',
      file.linkTarget ?? '',
      String(file.flags),
      String(file.verifyFlags),
      String(file.inode),
      String(file.linkCount),
      String(file.rdev),
      file.language ?? '',
      classOf(file),
    ]),
    capabilities: rpm.files.some(({ capabilities }) => capabilities !== undefined)
      ? rpm.files.map(({ capabilities }) => [capabilities ?? ''])
      : [],
    colors: rpm.isSource ? [] : rpm.files.map(({ color }) => [String(color)]),
    ...Object.fromEntries(
      (Object.keys(DEPENDENCIES) as (keyof typeof DEPENDENCIES)[]).map((kind) => [kind, rpm[kind].map(dependencyRow)]),
    ),
    ...Object.fromEntries((Object.keys(SCRIPTLETS) as ScriptletKind[]).map((kind) => [kind, scriptlet(kind)])),
    ...Object.fromEntries(
      (Object.keys(TRIGGERS) as (keyof typeof TRIGGERS)[]).flatMap((scope) => [
        [
          `${scope} triggers`,
          triggers(scope).map(({ interpreter, body, kind }) => [interpreter[0]!, body, kind.slice('trigger'.length)]),
        ],
        [
          `${scope} trigger conditions`,
          inOrder(
            `${scope} trigger conditions`,
            triggers(scope).flatMap(({ conditions }, index) =>
              conditions.map((one) => [String(index), ...dependencyRow(one)]),
            ),
          ),
        ],
      ]),
    ),
    'file trigger priorities': triggers('file').map(({ priority }) => [String(priority)]),
    'transaction trigger priorities': triggers('transaction').map(({ priority }) => [String(priority)]),
    prefixes: rpm.prefixes.map((prefix) => [prefix]),
    devices: rpm.files.map(({ device }) => [String(device)]),
    changelog: rpm.changelog.map(({ time, author, text }) => [String(time), author, text]),
  };
}

const COMPARISON = { '<': 2, '<=': 10, '=': 8, '>=': 12, '>': 4 } as const;

function dependencyRow({ name, operator, evr, sense }: Dependency): string[] {
  const flags = (sense ?? 0) | (operator === undefined ? 0 : COMPARISON[operator]);
  return [name, String(flags), evr === undefined ? '' : formatEvr(evr)];
}
