/** The stack of definitions of every macro name (rpmMacroContext, rpmio/macro.c). */
import type { SourceLocation } from '@kiln/diagnostics';
import type { Builtin } from './builtins.ts';

/** Where a definition comes from (RMIL_*, rpmmacro.h). Positive levels are the scopes of parametric macro calls. */
export const LEVEL = {
  builtin: -20,
  macroFiles: -13,
  rpmrc: -11,
  commandLine: -7,
  spec: -3,
  global: 0,
} as const;

export interface MacroEntry {
  readonly name: string;
  /** The getopt description; undefined for a macro without parameters. */
  readonly options: string | undefined;
  readonly body: string;
  readonly level: number;
  /** An argument macro such as `%1` or `%*`. */
  readonly automatic: boolean;
  /** The body is the value: it is not expanded. */
  readonly literal: boolean;
  readonly builtin: Builtin | undefined;
  readonly location: SourceLocation | undefined;
  /** The definition that this one hides. */
  readonly previous: MacroEntry | undefined;
  /** It was looked up since it was defined. */
  used: boolean;
}

export interface MacroDefinition {
  readonly name: string;
  readonly options?: string | undefined;
  readonly body: string;
  readonly level: number;
  readonly automatic?: boolean;
  readonly literal?: boolean;
  readonly builtin?: Builtin;
  readonly location?: SourceLocation | undefined;
}

/** Definitions over a shared, unchanging base: a copy costs nothing, so each spec starts from the same environment. */
export class MacroTable {
  readonly #base: ReadonlyMap<string, MacroEntry>;
  readonly #own = new Map<string, MacroEntry | undefined>();
  /** Names whose newest definition is local to a parametric call. */
  readonly #scoped = new Set<string>();
  readonly #baseReads = new Set<string>();
  #listed = false;

  constructor(base: ReadonlyMap<string, MacroEntry> = new Map()) {
    this.#base = base;
  }

  get(name: string): MacroEntry | undefined {
    const own = this.#own.get(name);
    if (own !== undefined || this.#own.has(name)) return own;
    this.#baseReads.add(name);
    return this.#base.get(name);
  }

  /** The same for who does not depend on what it finds in the base: it is no read of it. */
  peek(name: string): MacroEntry | undefined {
    const own = this.#own.get(name);
    return own !== undefined || this.#own.has(name) ? own : this.#base.get(name);
  }

  /** The names that were looked up in the base, defined there or not; 'all' when all definitions were listed. */
  get baseReads(): ReadonlySet<string> | 'all' {
    return this.#listed ? 'all' : this.#baseReads;
  }

  push(definition: MacroDefinition): void {
    const { name, level } = definition;
    this.#own.set(name, {
      name,
      options: definition.options,
      body: definition.body,
      level,
      automatic: definition.automatic ?? false,
      literal: definition.literal ?? false,
      builtin: definition.builtin,
      location: definition.location,
      previous: this.peek(name),
      used: false,
    });
    if (level > 0) this.#scoped.add(name);
    else this.#scoped.delete(name);
  }

  pop(name: string): void {
    const entry = this.get(name);
    if (entry === undefined) return;
    const { previous } = entry;
    if (previous === this.#base.get(name)) this.#own.delete(name);
    else this.#own.set(name, previous);
    if (previous !== undefined && previous.level > 0) this.#scoped.add(name);
    else this.#scoped.delete(name);
  }

  /** The newest definitions at `level` or above, by name. */
  scopedAt(level: number): MacroEntry[] {
    const entries: MacroEntry[] = [];
    for (const name of this.#scoped) {
      const entry = this.peek(name)!;
      if (entry.level >= level) entries.push(entry);
    }
    return entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** Every macro that is defined now. */
  entries(): Map<string, MacroEntry> {
    this.#listed = true;
    return this.#entries();
  }

  #entries(): Map<string, MacroEntry> {
    const all = new Map(this.#base);
    for (const [name, entry] of this.#own) {
      if (entry === undefined) all.delete(name);
      else all.set(name, entry);
    }
    return all;
  }

  /** A table that starts from what is defined now and changes on its own. */
  fork(): MacroTable {
    return new MacroTable(this.#own.size === 0 ? this.#base : this.#entries());
  }
}
