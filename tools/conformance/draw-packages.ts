/** Draws packages for a trial: an order that nobody chose, with a limit for modules of one kind. Pure. */
import { sha256 } from '@kiln/build-identity';

export interface Draw {
  readonly commit: string;
  /** How many are drawn before the limit of modules is over. */
  readonly count: number;
}

/** Modules of perl and python are half of all packages and much alike. */
export function isModule(id: string): boolean {
  return /\/(perl|python3?)-[^/]*$|\/py[^/]*$/.test(`/${id}`);
}

/** All ids in the order of the digests of commit and id; among the first `count` at most half are modules. */
export function drawPackages(ids: readonly string[], { commit, count }: Draw): string[] {
  const key = (id: string) => sha256(`${commit}\n${id}`);
  const order = [...ids].sort((a, b) => (key(a) < key(b) ? -1 : 1));
  const first: string[] = [];
  for (const id of order) {
    if (first.length === count) break;
    if (isModule(id) && first.filter(isModule).length >= count / 2) continue;
    first.push(id);
  }
  return [...first, ...order.filter((id) => !first.includes(id))];
}
