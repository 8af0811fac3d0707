/** What a package is about, whatever a distribution calls it: `glib2-devel` and `libglib2.0-dev` have one stem. Pure. */

export interface PackageStem {
  /** In lower case, without `lib`, kind and version. */
  readonly stem: string;
  readonly kind: 'devel' | 'libs' | 'main';
  /** Numbers at the end of the name: `2`, `2.0`, `1.0-0`; empty without. */
  readonly version: string;
}

/** Ends of names that say of what kind a package is. */
const KINDS: readonly (readonly [RegExp, PackageStem['kind']])[] = [
  [/(-libs?)?-(devel|dev|headers|static)$/, 'devel'],
  [/-libs?$/, 'libs'],
];

/** Parts that only say what it is written in, at either end. */
const LANGUAGES = /^(?:python3?|perl|ruby|rubygem|ocaml|lua|php|r|golang)-|-(?:perl|ocaml|java)$/;

export function stemOf(packageName: string): PackageStem {
  let name = packageName.toLowerCase();
  let kind: PackageStem['kind'] = 'main';
  for (const [pattern, one] of KINDS) {
    if (!pattern.test(name)) continue;
    kind = one;
    name = name.replace(pattern, '');
    break;
  }
  const language = LANGUAGES.exec(name)?.[0].replaceAll('-', '') ?? '';
  name = name.replace(LANGUAGES, '').replace(/^lib(?=.)/, '');
  const [, bare = name, numbers = ''] = /^(.*?[^\d.-])((?:-v?\d[\d.]*|\d[\d.]*)*)$/.exec(name) ?? [];
  const short = language.replace(/^rubygem$/, 'ruby').replace(/^python$/, 'python3');
  const version = numbers.replace(/^-?v?/, '');
  return { stem: `${short === '' ? '' : `${short}:`}${bare.replace(/[-_.+]/g, '')}`, kind, version };
}
