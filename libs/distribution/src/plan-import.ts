/** What an import changes: upstream's last state, upstream's new one and the tree, file by file. Pure. */
import type { PathContent, TreeContent } from './upstream-lock.ts';

export interface ImportStates {
  /** What was imported last. */
  readonly base: TreeContent;
  readonly upstream: TreeContent;
  /** What stands in the tree at the paths of both. */
  readonly local: TreeContent;
}

/** `both changed`: here and upstream. `in the way`: here is another file that did not come from upstream. */
export interface ImportConflict {
  readonly path: string;
  readonly kind: 'both changed' | 'changed here, gone upstream' | 'removed here, changed upstream' | 'in the way';
}

/** Paths, each list sorted. */
export interface ImportPlan {
  readonly added: readonly string[];
  readonly updated: readonly string[];
  readonly removed: readonly string[];
  /** Changed here, unchanged upstream: they stay as they are. */
  readonly keptChanges: readonly string[];
  readonly conflicts: readonly ImportConflict[];
}

/** The path's place in the plan follows from its three contents alone; equal ones here and upstream are never a difference. */
export function planImport({ base, upstream, local }: ImportStates): ImportPlan {
  const plan = {
    added: [] as string[],
    updated: [] as string[],
    removed: [] as string[],
    keptChanges: [] as string[],
    conflicts: [] as ImportConflict[],
  };
  for (const path of [...new Set([...base.keys(), ...upstream.keys()])].sort()) {
    const [before, theirs, ours] = [base.get(path), upstream.get(path), local.get(path)];
    if (ours === theirs) continue;
    if (theirs === before) plan.keptChanges.push(path);
    else if (ours !== before) plan.conflicts.push({ path, kind: conflictKind(before, theirs, ours) });
    else if (theirs === undefined) plan.removed.push(path);
    else if (before === undefined) plan.added.push(path);
    else plan.updated.push(path);
  }
  return plan;
}

function conflictKind(before: PathContent, theirs: PathContent, ours: PathContent): ImportConflict['kind'] {
  if (before === undefined) return 'in the way';
  if (theirs === undefined) return 'changed here, gone upstream';
  return ours === undefined ? 'removed here, changed upstream' : 'both changed';
}
