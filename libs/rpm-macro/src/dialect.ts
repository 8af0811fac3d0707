/** The versions of rpm whose macro and spec language is spoken. A later dialect adds a row here and to the tables that differ. */

/** `4.18` is the last of its series, 4.18.2. */
export type RpmVersion = '4.18' | '4.18.0';

/** What differs between versions. */
export interface Dialect {
  /** What %{rpmversion} says. */
  readonly version: string;
  readonly missingBuiltins: readonly string[];
  /** `%[…]` expands its macros in the scope in which it stands; else in the outermost one. */
  readonly expressionsKeepScope: boolean;
  /** %setup quotes file names for the shell. */
  readonly quotesUnpackedSources: boolean;
  /** A scriptlet's interpreter or trigger that is refused after its body was read makes the spec unusable; else it is only reported. */
  readonly lateScriptletErrorsCount: boolean;
}

export const DIALECTS: Readonly<Record<RpmVersion, Dialect>> = {
  '4.18': {
    version: '4.18.2',
    missingBuiltins: [],
    expressionsKeepScope: true,
    quotesUnpackedSources: true,
    lateScriptletErrorsCount: true,
  },
  '4.18.0': {
    version: '4.18.0',
    missingBuiltins: ['rpmversion'],
    expressionsKeepScope: false,
    quotesUnpackedSources: false,
    lateScriptletErrorsCount: false,
  },
};
