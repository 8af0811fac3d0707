/** How a Debian root becomes the toolchain layer: tables of what is left out, linked, written. */
import { mayHaveDevelopmentFiles } from './tools-only.ts';

/** Raise it when the same packages give another layer. */
export const LAYER_RECIPE_VERSION = 3;

/** Time of everything that no Debian package dates: 2023-01-01. */
export const LAYER_TIME = 1_672_531_200;

/** Debian's multiarch library directory, below the root. */
export const MULTIARCH = 'usr/lib/x86_64-linux-gnu';

/** Made before the first package: links that merge `/usr`, with one library directory as the distribution has it. */
export const MERGE_LINKS: readonly (readonly [link: string, target: string])[] = [
  ['bin', 'usr/bin'],
  ['sbin', 'usr/sbin'],
  ['lib', 'usr/lib'],
  ['lib64', 'usr/lib'],
  ['usr/lib64', 'lib'],
];

export const DIRECTORIES = [
  ...['usr/bin', 'usr/sbin', 'usr/lib', 'usr/libexec', 'usr/share', 'usr/src', 'etc'],
  ...['proc', 'dev', 'sys', 'run', 'tmp', 'var/tmp', 'var/lib', 'root', 'home'],
];

/** Never unpacked: nobody reads them in a build. */
const NOT_UNPACKED = [
  ...[
    'doc',
    'doc-base',
    'info',
    'man',
    'locale',
    'lintian',
    'bug',
    'menu',
    'pixmaps',
    'icons',
    'applications',
    'metainfo',
  ].map((name) => `./usr/share/${name}`),
  ...['bash-completion', 'zsh', 'fish', 'debconf', 'reportbug', 'vim'].map((name) => `./usr/share/${name}`),
  ...['./boot', './home', './media', './mnt', './opt', './root', './srv', './var', './usr/games', './usr/local'],
  ...['./lib/systemd', './usr/lib/systemd', './lib/udev', './usr/lib/os-release', './usr/lib/ssl'],
  ...['./usr/share/python-wheels', './usr/share/base-files', './usr/share/gdb'],
];

/** Of Debian's /etc only what the interpreters and document types read. */
const KEPT_IN_ETC = /^etc\/(perl|python3(\.\d+)?|sgml\/docbook-xml)(\/|$)/;

/** What Debian's maintainer scripts would link; a link is made when its target is there. */
export const ALTERNATIVES: readonly (readonly [link: string, target: string])[] = [
  ['usr/bin/sh', 'bash'],
  ['usr/bin/awk', 'gawk'],
  ['usr/bin/nawk', 'gawk'],
  ['usr/bin/cc', 'gcc'],
  ['usr/bin/c++', 'g++'],
  ['usr/bin/c99', 'c99-gcc'],
  ['usr/bin/c89', 'c89-gcc'],
  ['usr/bin/lex', 'flex'],
  ['usr/bin/yacc', 'bison.yacc'],
  ['usr/bin/which', 'which.debianutils'],
  ['usr/bin/automake', 'automake-1.16'],
  ['usr/bin/aclocal', 'aclocal-1.16'],
  ['usr/bin/pkg-config', 'pkgconf'],
  ['usr/bin/lzma', 'xz'],
  ['usr/bin/unlzma', 'xz'],
];

/** Files of the build root's own. */
export const WRITTEN_FILES: Readonly<Record<string, string>> = {
  'etc/passwd': [
    'root:x:0:0:root:/root:/bin/bash',
    'builder:x:1000:1000:builder:/tmp:/bin/bash',
    'nobody:x:65534:65534:nobody:/:/usr/sbin/nologin',
    '',
  ].join('\n'),
  'etc/group': ['root:x:0:', 'builder:x:1000:', 'nobody:x:65534:', ''].join('\n'),
  'etc/hosts': '127.0.0.1 localhost builder\n::1 localhost builder\n',
  'etc/nsswitch.conf': 'passwd: files\ngroup: files\nhosts: files\nservices: files\nprotocols: files\n',
  'etc/fstab': '',
  'etc/ld.so.conf': '',
};

/** `/etc/xml/catalog`: names the catalogs among the paths, so that manuals in DocBook are made without a network. */
export function xmlCatalog(paths: Iterable<string>): string {
  const catalogs = [...paths].filter((path) => /^usr\/share\/xml\/docbook\/.*\/catalog\.xml$/.test(path)).sort();
  return [
    '<?xml version="1.0"?>',
    '<catalog xmlns="urn:oasis:names:tc:entity:xmlns:xml:catalog">',
    ...catalogs.map((path) => `  <nextCatalog catalog="file:///${path}"/>`),
    '</catalog>',
    '',
  ].join('\n');
}

/** What is made of Debian's packages. */
export interface LayerRecipe {
  readonly name: 'tools' | 'full';
  readonly notUnpacked: readonly string[];
  /** Whether a path (below the root) of a Debian package must not stay. `isLibrary`: it is an ELF file. */
  isUnwanted(path: string, owner: string, isLibrary: boolean): boolean;
}

/** Nobody reads them in a build, whatever is built. */
const NEVER_UNPACKED = [
  ...['doc', 'info', 'man', 'locale', 'lintian', 'bug', 'menu'].map((name) => `./usr/share/${name}`),
  ...['./boot', './home', './media', './mnt', './opt', './root', './srv', './usr/local', './var/cache', './var/log'],
  ...[
    './usr/lib/os-release',
    './etc/os-release',
    './etc/debian_version',
    './etc/apt',
    './etc/dpkg',
    './etc/cron.daily',
  ],
];

const DEVELOPMENT_FILES = [
  /^usr\/include\//,
  /^usr\/lib\/.*\.(h|hh|hpp|hxx)$/,
  /^usr\/(lib|share)\/(.*\/)?pkgconfig\//,
  /^usr\/lib\/.*\.(a|la|o)$/,
  /^usr\/lib\/(x86_64-linux-gnu\/)?cmake\//,
];

/** `libx.so` where the linker looks, as a link or as a linker script. */
const DEVELOPMENT_LINK = /^usr\/lib\/(x86_64-linux-gnu\/)?lib[^/]+\.so$/;

function isNoTool(path: string, owner: string, isLibrary: boolean): boolean {
  if (path.startsWith('etc/')) return !KEPT_IN_ETC.test(path);
  if (/(^|\/)__pycache__(\/|$)/.test(path)) return true;
  if (mayHaveDevelopmentFiles(owner)) return false;
  if (DEVELOPMENT_FILES.some((pattern) => pattern.test(path))) return true;
  return !isLibrary && DEVELOPMENT_LINK.test(path);
}

/** Tools alone: what the distribution's own packages bring is taken away. */
export const TOOLS_RECIPE: LayerRecipe = { name: 'tools', notUnpacked: NOT_UNPACKED, isUnwanted: isNoTool };

/** Debian's packages with their development files, for mode `debian-full`. */
export const FULL_RECIPE: LayerRecipe = {
  name: 'full',
  notUnpacked: NEVER_UNPACKED,
  isUnwanted: (path) => /(^|\/)__pycache__(\/|$)/.test(path),
};
