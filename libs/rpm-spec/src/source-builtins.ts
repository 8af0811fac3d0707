/** The built-in macros behind the standard %autopatch, %sources and %patches, which rpm writes in Lua. */
import { spaceWords, type Builtin, type BuiltinCall } from '@kiln/rpm-macro';
import type { SourceState } from './spec-state.ts';

/** `%{apply_patches}`, in the body of a macro with the options of %autopatch; `%{source_paths}`; `%{patch_paths}`. */
export function sourceBuiltins(sources: () => readonly SourceState[]): Builtin[] {
  const of = (kind: SourceState['kind']): readonly SourceState[] => sources().filter((source) => source.kind === kind);
  return [
    { name: 'apply_patches', arity: 0, run: (call) => run(call, of('patch')) },
    { name: 'patch_paths', arity: 0, run: (call) => listPaths(call, of('patch')) },
    { name: 'source_paths', arity: 0, run: (call) => listPaths(call, of('source')) },
  ];
}

function listPaths({ expansion }: BuiltinCall, sources: readonly SourceState[]): void {
  for (const { path } of sources) expansion.out += `'${path.replaceAll("'", "'\\''")}' `;
}

function run({ context, expansion }: BuiltinCall, patches: readonly SourceState[]): void {
  const value = (text: string): string => context.expandPart(expansion, text).text;
  const wanted = spaceWords(value('%{?*}'));
  const low = value('%{-m*}');
  const high = value('%{-M*}');
  const inRange = ({ number }: SourceState): boolean =>
    (low === '' || number >= Number(low)) && (high === '' || number <= Number(high));
  const chosen = wanted.length === 0 ? patches.filter(inRange).map(({ number }) => String(number)) : wanted;
  const options = value('%{!-v:-q} %{-p:-p%{-p*}}');
  for (const text of chosen) {
    const patch = patches.find(({ number }) => String(number) === text);
    if (patch === undefined) {
      context.fail(expansion, 'SPEC_PREP', `no such patch ${text}`);
      return;
    }
    const arguments_ = `${options} -m ${patch.fileName} ${patch.path} ${patch.number}`;
    expansion.out += value(`%{uncompress:${patch.path}} | %{expand:%__scm_apply_%{__scm} ${arguments_}}\n`);
  }
}
