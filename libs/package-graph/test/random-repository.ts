/** Random repositories in the text notation, the same for the same seed. */

/** Numbers in [0, 1) from a seed (mulberry32). */
export function randomNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

export interface RandomRepository {
  /** One text per package. */
  readonly packages: readonly string[];
  readonly requirements: readonly string[];
}

/** About 8 packages with at most two versions of a name, capabilities, rich dependencies, conflicts and obsoletes. */
export function randomRepository(seed: number): RandomRepository {
  const random = randomNumbers(seed);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!;
  const chance = (p: number): boolean => random() < p;
  const names = ['a', 'b', 'c', 'd', 'e', 'f'];
  const capabilities = ['x', 'y', 'z'];
  const simple = (): string => {
    const name = pick([...names, ...capabilities]);
    return chance(0.3) ? `${name} ${pick(['<', '<=', '=', '>=', '>'])} ${pick(['1', '2', '2~rc', '1-1'])}` : name;
  };
  const requirement = (): string => {
    if (chance(0.7)) return simple();
    const operator = pick(['and', 'or', 'or', 'if', 'with', 'without']);
    return `(${simple()} ${operator} ${simple()})`;
  };
  const packages = names.flatMap((name) =>
    (chance(0.3) ? ['1-1', '2-1'] : [pick(['1-1', '2-1'])]).map((evr) => {
      const lines = [`P: ${name} ${evr} ${name}`];
      if (chance(0.6)) lines.push(`+ ${pick(capabilities)}${chance(0.4) ? ` = ${pick(['1', '2', '2~rc'])}` : ''}`);
      for (let count = Math.floor(random() * 3); count > 0; count -= 1) lines.push(`- ${requirement()}`);
      if (chance(0.25)) lines.push(`! ${simple()}`);
      if (chance(0.1)) lines.push(`~ ${pick(names)} < 2`);
      return lines.join('\n');
    }),
  );
  return { packages, requirements: Array.from({ length: 1 + Math.floor(random() * 3) }, requirement) };
}
