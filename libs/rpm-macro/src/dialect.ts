/** The versions of rpm whose macro language is spoken. A later dialect adds a row here and to the tables that differ. */

export type RpmVersion = '4.18';

export interface Dialect {
  /** What %{rpmversion} says. */
  readonly version: string;
}

export const DIALECTS: Readonly<Record<RpmVersion, Dialect>> = {
  '4.18': { version: '4.18.2' },
};
