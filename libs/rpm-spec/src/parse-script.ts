/** Scriptlets and triggers (build/parseScript.c). */
import { trimSpace } from '@kiln/rpm-macro';
import { SENSE, type Scriptlet } from '@kiln/rpm-package';
import { parseText } from './parse-lines.ts';
import { addDependency, addRpmlibDependency, parseTriggerConditions } from './parse-reqs.ts';
import { optionNumber, optionValue, splitWords, WordError } from './popt.ts';
import { parseSectionHeader, type SectionHeader } from './section-header.ts';
import type { Section } from './sections.ts';
import type { NextSection, PackageState, SpecState } from './spec-state.ts';

/** The flag by which a scriptlet's interpreter is required. */
const SCRIPTLET_BITS: Readonly<Record<string, number>> = {
  pre: SENSE.pre,
  post: SENSE.post,
  preun: SENSE.preun,
  postun: SENSE.postun,
  pretrans: SENSE.pretrans,
  posttrans: SENSE.posttrans,
  verifyscript: SENSE.verify,
};

/** Sections of which rpm knows two names. */
const OTHER_NAMES: Readonly<Record<string, string>> = {
  trigger: 'triggerin',
  filetrigger: 'filetriggerin',
  transfiletrigger: 'transfiletriggerin',
};
const DEFAULT_PRIORITY = 1_000_000;

/** Parses a scriptlet, whose header is the current line. */
export function parseScript(state: SpecState, section: Section): NextSection {
  const { reader } = state;
  const isTrigger = section.kind === 'trigger';
  const split: { head: string; condition?: string } | undefined = isTrigger
    ? splitTrigger(state, reader.line)
    : { head: reader.line };
  const header =
    split === undefined
      ? undefined
      : parseSectionHeader(state, split.head, { flags: 'eq', valued: 'pnf', numbers: 'P' });
  const interpreter = header === undefined ? undefined : interpreterOf(state, header.options);
  const name = section.name.slice(1);
  const when = OTHER_NAMES[name] ?? name;
  if (header !== undefined && !isTrigger) {
    if (optionValue(header.options, 'P') !== undefined) {
      state.error('SPEC_SCRIPTLET', `priorities are allowed only for file triggers: ${reader.line.trim()}`);
    }
    if (header.target.scriptlets.some((other) => other.when === when)) {
      state.error('SPEC_SCRIPTLET', `second ${section.name} for package ${header.target.name}`);
    }
  }
  const at = reader.location();
  const { text, next } = parseText(state, {});
  if (header === undefined || interpreter === undefined) return next;
  const { target, options } = header;
  const scriptlet = makeScriptlet(when, { interpreter, text, options });
  state.afterScriptlet(() => {
    if (!addRequirements(state, target, { scriptlet, location: at, isTrigger })) return;
    if (split?.condition === undefined) return void target.scriptlets.push(scriptlet);
    const conditions = parseTriggerConditions(state, target, { field: split.condition, when });
    const priority = optionNumber(options, 'P') ?? DEFAULT_PRIORITY;
    target.triggers.push({ ...scriptlet, conditions, priority });
  });
  return next;
}

function makeScriptlet(
  when: string,
  { interpreter, text, options }: { interpreter: readonly string[]; text: string; options: SectionHeader['options'] },
): Scriptlet {
  const has = (letter: string): boolean => options.options.some((option) => option.letter === letter);
  const expands = [...(has('e') ? (['macros'] as const) : []), ...(has('q') ? (['tags'] as const) : [])];
  const file = optionValue(options, 'f');
  return {
    when,
    interpreter,
    text,
    ...(file === undefined ? {} : { file }),
    ...(expands.length === 0 ? {} : { expands }),
  };
}

/** Adds what a scriptlet requires; false and an error when rpm refuses its interpreter. */
function addRequirements(
  state: SpecState,
  target: PackageState,
  { scriptlet, location, isTrigger }: { scriptlet: Scriptlet; location: PackageState['location']; isTrigger: boolean },
): boolean {
  const { interpreter, text, when } = scriptlet;
  const flags = (SCRIPTLET_BITS[when] ?? 0) | SENSE.interp;
  const [program = ''] = interpreter;
  if (program === '<lua>') {
    const problem = state.context.ports.lua?.check(text);
    if (problem !== undefined) return refuse(state, `invalid Lua scriptlet: ${problem}`);
    addRpmlibDependency(target, 'BuiltinLuaScripts', '4.2.2-1');
  } else if (program.startsWith('<')) return refuse(state, `unsupported internal script: ${program}`);
  else addDependency(target, 'requires', { name: program, flags, location });
  if (scriptlet.expands !== undefined) {
    addRpmlibDependency(target, 'ScriptletExpansion', '4.9.0-1');
  }
  if (interpreter.length > 1) {
    if (isTrigger) return refuse(state, `interpreter arguments not allowed in triggers: ${interpreter.join(' ')}`);
    addRpmlibDependency(target, 'ScriptletInterpreterArgs', '4.0.3-1');
  }
  return true;
}

function refuse(state: SpecState, message: string): false {
  state.error('SPEC_SCRIPTLET', message);
  return false;
}

/** The words of `-p`; undefined and an error when they are no program. */
function interpreterOf(state: SpecState, options: Parameters<typeof optionValue>[0]): string[] | undefined {
  const program = optionValue(options, 'p') ?? '/bin/sh';
  let message: string | undefined;
  if (program.startsWith('<') && !program.endsWith('>')) message = "internal script must end with '>'";
  else if (!program.startsWith('<') && !program.startsWith('/')) message = "script program must begin with '/'";
  try {
    const words = splitWords(program);
    if (message === undefined && words.length > 0) return words;
  } catch (error) {
    if (!(error instanceof WordError)) throw error;
    message = error.message;
  }
  state.error('SPEC_SCRIPTLET', `${message}: ${program}`, { part: program, hint: 'Give -p a path, or <lua>.' });
  return undefined;
}

/** `%trigger… options -- conditions`: the part before the conditions. */
function splitTrigger(state: SpecState, line: string): { head: string; condition?: string } | undefined {
  const match = /^(.*?[ \t]--)(?=[ \t])(.*)$/s.exec(line);
  if (match === null) {
    state.error('SPEC_TRIGGER', `triggers must have --: ${line.trim()}`, { hint: 'Write %triggerin -- package.' });
    return undefined;
  }
  if (trimSpace(match[2]!) !== '') return { head: match[1]!, condition: match[2]! };
  state.error('SPEC_TRIGGER', `missing trigger condition: ${line.trim()}`);
  return undefined;
}
