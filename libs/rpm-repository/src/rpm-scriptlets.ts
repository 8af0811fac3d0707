/** Scriptlets, triggers and file triggers of a header. */
import type { Dependency } from '@kiln/rpm-package';
import type { HeaderTags } from './header-tags.ts';
import { malformed } from './malformed.ts';
import { readDependencyList } from './rpm-dependencies.ts';
import { RPM_TAG } from './rpm-tag.ts';

export type ScriptletKind = 'pretrans' | 'pre' | 'post' | 'preun' | 'postun' | 'posttrans' | 'verify';

/** A scriptlet. Without `body` the interpreter itself is the action, as in `%post -p /sbin/ldconfig`. */
export interface Scriptlet {
  readonly kind: ScriptletKind;
  /** Program and arguments; `<lua>` is rpm's built-in interpreter. */
  readonly interpreter: readonly string[];
  readonly body?: string;
  /** RPMSCRIPT_FLAG_* bits: 1 expand macros, 2 query format, 4 critical (rpm's include/rpm/rpmtypes.h). */
  readonly flags: number;
}

export type TriggerKind = 'triggerprein' | 'triggerin' | 'triggerun' | 'triggerpostun';

/** A script that runs when other packages (`package`) or files (`file`, `transaction`) come or go. */
export interface Trigger {
  readonly scope: 'package' | 'file' | 'transaction';
  readonly kind: TriggerKind;
  /** Package conditions, or path prefixes as names for file triggers. */
  readonly conditions: readonly Dependency[];
  readonly interpreter: readonly string[];
  readonly body: string;
  readonly flags: number;
  /** Of file triggers only. */
  readonly priority?: number;
}

interface ScriptletTags {
  readonly kind: ScriptletKind;
  readonly body: number;
  readonly interpreter: number;
  readonly flags: number;
}

const SCRIPTLETS: readonly ScriptletTags[] = [
  { kind: 'pretrans', body: RPM_TAG.PRETRANS, interpreter: RPM_TAG.PRETRANSPROG, flags: RPM_TAG.PRETRANSFLAGS },
  { kind: 'pre', body: RPM_TAG.PREIN, interpreter: RPM_TAG.PREINPROG, flags: RPM_TAG.PREINFLAGS },
  { kind: 'post', body: RPM_TAG.POSTIN, interpreter: RPM_TAG.POSTINPROG, flags: RPM_TAG.POSTINFLAGS },
  { kind: 'preun', body: RPM_TAG.PREUN, interpreter: RPM_TAG.PREUNPROG, flags: RPM_TAG.PREUNFLAGS },
  { kind: 'postun', body: RPM_TAG.POSTUN, interpreter: RPM_TAG.POSTUNPROG, flags: RPM_TAG.POSTUNFLAGS },
  { kind: 'posttrans', body: RPM_TAG.POSTTRANS, interpreter: RPM_TAG.POSTTRANSPROG, flags: RPM_TAG.POSTTRANSFLAGS },
  {
    kind: 'verify',
    body: RPM_TAG.VERIFYSCRIPT,
    interpreter: RPM_TAG.VERIFYSCRIPTPROG,
    flags: RPM_TAG.VERIFYSCRIPTFLAGS,
  },
];

interface TriggerTags {
  readonly scope: Trigger['scope'];
  readonly scripts: number;
  readonly interpreters: number;
  readonly scriptFlags: number;
  readonly names: number;
  readonly versions: number;
  readonly flags: number;
  readonly indexes: number;
  readonly priorities?: number;
}

const TRIGGERS: readonly TriggerTags[] = [
  {
    scope: 'package',
    scripts: RPM_TAG.TRIGGERSCRIPTS,
    interpreters: RPM_TAG.TRIGGERSCRIPTPROG,
    scriptFlags: RPM_TAG.TRIGGERSCRIPTFLAGS,
    names: RPM_TAG.TRIGGERNAME,
    versions: RPM_TAG.TRIGGERVERSION,
    flags: RPM_TAG.TRIGGERFLAGS,
    indexes: RPM_TAG.TRIGGERINDEX,
  },
  {
    scope: 'file',
    scripts: RPM_TAG.FILETRIGGERSCRIPTS,
    interpreters: RPM_TAG.FILETRIGGERSCRIPTPROG,
    scriptFlags: RPM_TAG.FILETRIGGERSCRIPTFLAGS,
    names: RPM_TAG.FILETRIGGERNAME,
    versions: RPM_TAG.FILETRIGGERVERSION,
    flags: RPM_TAG.FILETRIGGERFLAGS,
    indexes: RPM_TAG.FILETRIGGERINDEX,
    priorities: RPM_TAG.FILETRIGGERPRIORITIES,
  },
  {
    scope: 'transaction',
    scripts: RPM_TAG.TRANSFILETRIGGERSCRIPTS,
    interpreters: RPM_TAG.TRANSFILETRIGGERSCRIPTPROG,
    scriptFlags: RPM_TAG.TRANSFILETRIGGERSCRIPTFLAGS,
    names: RPM_TAG.TRANSFILETRIGGERNAME,
    versions: RPM_TAG.TRANSFILETRIGGERVERSION,
    flags: RPM_TAG.TRANSFILETRIGGERFLAGS,
    indexes: RPM_TAG.TRANSFILETRIGGERINDEX,
    priorities: RPM_TAG.TRANSFILETRIGGERPRIORITIES,
  },
];

/** RPMSENSE_TRIGGER* bits (rpm's include/rpm/rpmds.h). */
const TRIGGER_KINDS: readonly (readonly [number, TriggerKind])[] = [
  [1 << 25, 'triggerprein'],
  [1 << 16, 'triggerin'],
  [1 << 17, 'triggerun'],
  [1 << 18, 'triggerpostun'],
];

const DEFAULT_INTERPRETER = '/bin/sh';

/** All scriptlets, in the order in which a transaction runs them. @throws BuildError `RPM_MALFORMED` */
export function readScriptlets(tags: HeaderTags): Scriptlet[] {
  return SCRIPTLETS.filter(({ body, interpreter }) => tags.has(body) || tags.has(interpreter)).map((numbers) => {
    const body = tags.text(numbers.body);
    return {
      kind: numbers.kind,
      interpreter: tags.texts(numbers.interpreter) ?? [DEFAULT_INTERPRETER],
      ...(body === undefined ? {} : { body }),
      flags: tags.integer(numbers.flags) ?? 0,
    };
  });
}

/** All triggers, in the header's order. @throws BuildError `RPM_MALFORMED` */
export function readTriggers(tags: HeaderTags): Trigger[] {
  return TRIGGERS.flatMap((numbers) => readTriggersOf(tags, numbers));
}

function readTriggersOf(tags: HeaderTags, numbers: TriggerTags): Trigger[] {
  const scripts = tags.texts(numbers.scripts);
  if (scripts === undefined) return [];
  const conditions = readDependencyList(tags, numbers);
  const indexes = tags.integers(numbers.indexes) ?? [];
  const interpreters = tags.texts(numbers.interpreters) ?? [];
  const flags = tags.integers(numbers.scriptFlags) ?? [];
  const priorities = numbers.priorities === undefined ? undefined : tags.integers(numbers.priorities);
  if (indexes.length !== conditions.length || indexes.some((index) => index >= scripts.length)) {
    throw malformed(
      tags.origin,
      `the indexes of the ${numbers.scope} triggers don't fit their ${scripts.length} scripts`,
    );
  }
  return scripts.map((body, script) => {
    const own = conditions.filter((_, index) => indexes[index] === script);
    const kind = TRIGGER_KINDS.find(([bit]) => ((own[0]?.sense ?? 0) & bit) !== 0)?.[1];
    if (kind === undefined)
      throw malformed(tags.origin, `${numbers.scope} trigger ${script + 1} has no condition that says when it runs`);
    return {
      scope: numbers.scope,
      kind,
      conditions: own,
      interpreter: [interpreters[script] ?? DEFAULT_INTERPRETER],
      body,
      flags: flags[script] ?? 0,
      ...(priorities?.[script] === undefined ? {} : { priority: priorities[script] }),
    };
  });
}
