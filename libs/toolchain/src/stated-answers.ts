/** What is stated instead of found in mode `debian-full`: a short list, each entry with its reason. */
import { BuildError } from '@kiln/diagnostics';
import type { StatedAnswer } from './answer-requirements.ts';

export interface StatedAnswers {
  /** By capability. */
  readonly stated: Readonly<Record<string, StatedAnswer>>;
  /** Debian packages that no build root gets: what only administers a Debian system. */
  readonly exclude: readonly string[];
  /** Capabilities that each build root of the tree has, whether asked for or not; those that nothing answers are left out. */
  readonly inEveryRoot: readonly string[];
}

/**
 * Reads `{"exclude": [...], "inEveryRoot": [...], "stated": {"<capability>": {"packages": [...], "reason": "..."}}}`; `file` is how it is called in messages.
 * @throws BuildError `TOOLCHAIN_CONFIG_INVALID`.
 */
export function parseStatedAnswers(text: string, file: string): StatedAnswers {
  const fail = (message: string) =>
    new BuildError('TOOLCHAIN_CONFIG_INVALID', `${file}: ${message}`, { location: { file, line: 1 } });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw fail((error as Error).message);
  }
  const { exclude, stated, inEveryRoot = [], ...unknown } = (value ?? {}) as Record<string, unknown>;
  const [extra] = Object.keys(unknown);
  if (extra !== undefined) throw fail(`the member '${extra}' is unknown`);
  if (!isTextList(exclude)) throw fail("'exclude' must be a list of Debian package names");
  if (!isTextList(inEveryRoot)) throw fail("'inEveryRoot' must be a list of capabilities");
  if (typeof stated !== 'object' || stated === null) throw fail("'stated' must be an object of answers by capability");
  for (const [capability, answer] of Object.entries(stated as Record<string, Partial<StatedAnswer> | null>)) {
    if (!isTextList(answer?.packages))
      throw fail(`'packages' of '${capability}' must be a list of Debian package names`);
    if (typeof answer?.reason !== 'string' || answer.reason.length < 10) throw fail(`'${capability}' has no reason`);
  }
  return { stated: stated as Record<string, StatedAnswer>, exclude, inEveryRoot };
}

function isTextList(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((one) => typeof one === 'string');
}
