/** A file that a task reads was edited between the look at its identity and the task: the result would be kept under the wrong one. */
import { BuildError } from '@kiln/diagnostics';
import type { TargetName } from './targets.ts';

export function inputChanged(target: TargetName, id: string): BuildError {
  return new BuildError('INPUT_CHANGED', `a file that ${target} of ${id} reads was changed before it began`, {
    hint: 'run the same command again',
  });
}
