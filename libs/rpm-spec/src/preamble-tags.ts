/** The tags of a preamble (preambleList, build/parsePreamble.c). */
import { trimSpaceStart } from '@kiln/rpm-macro';
import { SENSE } from '@kiln/rpm-package';
import type { DependencyKind, HeaderTag } from './spec-state.ts';

/** What a tag's value means. */
export type TagMeaning =
  | { readonly kind: 'header'; readonly tag: HeaderTag; readonly single?: boolean; readonly i18n?: boolean }
  | { readonly kind: 'source'; readonly source: 'source' | 'patch' }
  | { readonly kind: 'noSource'; readonly source: 'source' | 'patch' }
  | {
      readonly kind: 'dependency';
      readonly dependency: DependencyKind;
      /** Of the source package. */
      readonly build?: boolean;
      readonly flags?: number;
      /** `Requires(post)`: qualifiers become flags. */
      readonly qualified?: boolean;
    }
  | { readonly kind: 'restriction'; readonly list: 'exclusiveArch' | 'excludeArch' | 'exclusiveOs' | 'excludeOs' }
  | { readonly kind: 'buildArch' }
  | { readonly kind: 'epoch' }
  | { readonly kind: 'docdir' }
  | { readonly kind: 'prefixes' }
  | { readonly kind: 'sourceLicense' }
  | { readonly kind: 'icon'; readonly single: boolean }
  /** In rpm's table, but its parser has no case for it. */
  | { readonly kind: 'unsupported' }
  | { readonly kind: 'ignored' };

export interface PreambleTag {
  /** In lower case. */
  readonly token: string;
  /** `plain`: a colon follows; `language`: maybe (lang); `qualifiers`: maybe (bits). */
  readonly form: 'plain' | 'language' | 'qualifiers';
  /** Its value becomes the macro of that name. */
  readonly isMacro?: boolean;
  readonly isDeprecated?: boolean;
  readonly meaning: TagMeaning;
}

function header(token: string, tag: HeaderTag, options: { single?: boolean; i18n?: boolean } = {}): PreambleTag {
  return { token, form: 'plain', isMacro: true, meaning: { kind: 'header', tag, ...options } };
}

function dependency(
  token: string,
  kind: DependencyKind,
  options: { qualified?: boolean; build?: boolean } = {},
): PreambleTag {
  return { token, form: 'plain', meaning: { kind: 'dependency', dependency: kind, ...options } };
}

/** In rpm's order: the first token that the line starts with counts. */
export const PREAMBLE_TAGS: readonly PreambleTag[] = [
  header('name', 'name', { single: true }),
  header('version', 'version', { single: true }),
  header('release', 'release', { single: true }),
  { token: 'epoch', form: 'plain', isMacro: true, meaning: { kind: 'epoch' } },
  { ...header('summary', 'summary', { i18n: true }), form: 'language' },
  header('license', 'license'),
  { token: 'sourcelicense', form: 'plain', isMacro: true, meaning: { kind: 'sourceLicense' } },
  header('distribution', 'distribution'),
  { token: 'disturl', form: 'plain', isMacro: true, meaning: { kind: 'unsupported' } },
  header('vendor', 'vendor'),
  { ...header('group', 'group', { i18n: true }), form: 'language' },
  header('packager', 'packager'),
  header('url', 'url', { single: true }),
  header('vcs', 'vcs', { single: true }),
  { token: 'source', form: 'plain', meaning: { kind: 'source', source: 'source' } },
  { token: 'patch', form: 'plain', meaning: { kind: 'source', source: 'patch' } },
  { token: 'nosource', form: 'plain', meaning: { kind: 'noSource', source: 'source' } },
  { token: 'nopatch', form: 'plain', meaning: { kind: 'noSource', source: 'patch' } },
  { token: 'excludearch', form: 'plain', meaning: { kind: 'restriction', list: 'excludeArch' } },
  { token: 'exclusivearch', form: 'plain', meaning: { kind: 'restriction', list: 'exclusiveArch' } },
  { token: 'excludeos', form: 'plain', meaning: { kind: 'restriction', list: 'excludeOs' } },
  { token: 'exclusiveos', form: 'plain', meaning: { kind: 'restriction', list: 'exclusiveOs' } },
  { token: 'icon', form: 'plain', meaning: { kind: 'icon', single: true } },
  dependency('provides', 'provides'),
  { ...dependency('requires', 'requires', { qualified: true }), form: 'qualifiers' },
  dependency('recommends', 'recommends'),
  dependency('suggests', 'suggests'),
  dependency('supplements', 'supplements'),
  dependency('enhances', 'enhances'),
  {
    token: 'prereq',
    form: 'qualifiers',
    isDeprecated: true,
    meaning: { kind: 'dependency', dependency: 'requires', flags: SENSE.pre | SENSE.preun },
  },
  dependency('conflicts', 'conflicts'),
  dependency('obsoletes', 'obsoletes'),
  { token: 'prefixes', form: 'plain', isMacro: true, meaning: { kind: 'prefixes' } },
  { token: 'prefix', form: 'plain', isMacro: true, meaning: { kind: 'prefixes' } },
  { token: 'buildroot', form: 'plain', meaning: { kind: 'ignored' } },
  { token: 'buildarchitectures', form: 'plain', meaning: { kind: 'buildArch' } },
  { token: 'buildarch', form: 'plain', meaning: { kind: 'buildArch' } },
  dependency('buildconflicts', 'conflicts', { build: true }),
  { ...dependency('buildprereq', 'requires', { build: true }), isDeprecated: true },
  dependency('buildrequires', 'requires', { build: true }),
  { token: 'autoreqprov', form: 'plain', meaning: { kind: 'ignored' } },
  { token: 'autoreq', form: 'plain', meaning: { kind: 'ignored' } },
  { token: 'autoprov', form: 'plain', meaning: { kind: 'ignored' } },
  { token: 'docdir', form: 'plain', meaning: { kind: 'docdir' } },
  header('disttag', 'disttag', { single: true }),
  header('bugurl', 'bugurl', { single: true }),
  header('translationurl', 'translationurl'),
  header('upstreamreleases', 'upstreamreleases'),
  { ...dependency('orderwithrequires', 'order', { qualified: true }), form: 'qualifiers' },
  { token: 'removepathpostfixes', form: 'plain', isMacro: true, meaning: { kind: 'ignored' } },
  header('modularitylabel', 'modularitylabel', { single: true }),
];

/** The qualifiers of `Requires(…)` (installScriptBits). */
export const QUALIFIER_BITS: Readonly<Record<string, number>> = {
  interp: SENSE.interp,
  meta: SENSE.meta,
  preun: SENSE.preun,
  pre: SENSE.pre,
  postun: SENSE.postun,
  post: SENSE.post,
  rpmlib: SENSE.rpmlib,
  verify: SENSE.verify,
  pretrans: SENSE.pretrans,
  posttrans: SENSE.posttrans,
};

/** A tag as it stands on a line. */
export interface TagOnLine {
  readonly tag: PreambleTag;
  /** What is in the parentheses: a language or qualifiers; empty when there are none. */
  readonly qualifier: string;
}

/** The tag that a line starts with; undefined when there is none or its form is wrong (findPreambleTag). */
export function findPreambleTag(line: string): TagOnLine | undefined {
  const lower = line.slice(0, 24).toLowerCase();
  const tag = PREAMBLE_TAGS.find((candidate) => lower.startsWith(candidate.token));
  if (tag === undefined) return undefined;
  const rest = trimSpaceStart(line.slice(tag.token.length));
  if (tag.form === 'plain')
    return tag.meaning.kind === 'source' || rest.startsWith(':') ? { tag, qualifier: '' } : undefined;
  if (rest.startsWith(':')) return { tag, qualifier: '' };
  const match = /^\([ \t-\r]*([^ \t-\r)]*)[ \t-\r]*\)[ \t-\r]*:/.exec(rest);
  return match === null ? undefined : { tag, qualifier: match[1]! };
}
