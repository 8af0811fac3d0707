/**
 * Version order and dependency matching on generated pairs, compared with rpm:
 * `npx tsx tools/fuzz/versions.ts [--rpmlua <rpmlua>] [--rpmbuild <rpmbuild>] [--rpm <rpm>] [--count 100000] [--seed 1] [--json]`.
 * `--record <file>` writes the pairs with rpm's answers.
 *
 * rpm's order comes from its Lua function `rpm.vercmp`; its matching from a dry installation into an empty database of two
 * packages, of which one provides and the other requires a capability of its own for each pair.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { compareVersions } from '../../libs/rpm-macro/src/version-order.ts';
import { parseDependency, parseEvr, satisfies } from '@kiln/rpm-package';
import { Random } from './random.ts';
import { type DependencyPair, type VersionPair, dependencyPair, versionPair } from './version-grammar.ts';

const OPTIONS = {
  rpmlua: { type: 'string', default: 'rpmlua' },
  rpmbuild: { type: 'string', default: 'rpmbuild' },
  rpm: { type: 'string', default: 'rpm' },
  count: { type: 'string', default: '10000' },
  seed: { type: 'string', default: '1' },
  record: { type: 'string' },
  json: { type: 'boolean', default: false },
} as const;

/** Pairs per two packages: rpm's solver takes long for more. */
const BATCH = 10_000;

interface PairDifference {
  readonly pair: VersionPair | DependencyPair;
  readonly rpm: number | boolean;
  readonly kiln: number | boolean;
}

/** Runs both comparisons and prints their result. */
export async function fuzzVersions(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({ args: [...args], options: OPTIONS });
  const [count, seed] = [Number(values.count), Number(values.seed)];
  const directory = mkdtempSync(join(tmpdir(), 'kiln-fuzz-'));
  try {
    const versions = Array.from({ length: count }, (_, index) => versionPair(new Random(seed, index)));
    const order = compareOrder(versions, values.rpmlua, directory);
    const dependencies = Array.from({ length: count }, (_, index) => dependencyPair(new Random(seed + 1, index)));
    const matching: PairDifference[] = [];
    for (let start = 0; start < count; start += BATCH) {
      const place = join(directory, String(start));
      mkdirSync(place);
      matching.push(...compareMatching(dependencies.slice(start, start + BATCH), values, place));
    }
    if (values.record !== undefined) record(values.record, { versions, order, dependencies, matching });
    const result = { versions: count, versionDifferences: order, dependencies: count, dependencyDifferences: matching };
    if (values.json) console.log(JSON.stringify(result));
    else {
      for (const difference of [...order, ...matching].slice(0, 50)) console.log(JSON.stringify(difference));
      console.log(`${count} version pairs, ${order.length} differences`);
      console.log(`${count} dependency pairs, ${matching.length} differences`);
    }
    if (order.length + matching.length > 0) process.exitCode = 1;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Writes the pairs with rpm's answers, as a table for tests. */
function record(
  file: string,
  found: {
    versions: readonly VersionPair[];
    order: readonly PairDifference[];
    dependencies: readonly DependencyPair[];
    matching: readonly PairDifference[];
  },
): void {
  const answer = <T extends number | boolean>(differences: readonly PairDifference[], pair: unknown, kiln: T): T =>
    (differences.find((difference) => difference.pair === pair)?.rpm as T | undefined) ?? kiln;
  const lines = [
    ...found.versions.map((pair) => [...pair, answer(found.order, pair, orderOf(pair))]),
    ...found.dependencies.map((pair) => [
      ...[pair.provided, pair.required],
      answer(found.matching, pair, matches(pair)),
    ]),
  ];
  writeFileSync(file, `[\n${lines.map((line) => JSON.stringify(line)).join(',\n')}\n]\n`);
}

function orderOf([a, b]: VersionPair): -1 | 0 | 1 {
  return compareVersions(parseEvr(a), parseEvr(b));
}

function matches({ provided, required }: DependencyPair): boolean {
  return satisfies(parseDependency(`c ${provided}`.trim()), parseDependency(`c ${required}`.trim()));
}

function compareOrder(pairs: readonly VersionPair[], rpmlua: string, directory: string): PairDifference[] {
  writeFileSync(join(directory, 'pairs'), pairs.map(([a, b]) => `${a}\n${b}\n`).join(''));
  const script = 'local n = io.lines("pairs") for a in n do print(rpm.vercmp(a, n())) end';
  const answers = run(rpmlua, ['-e', script], directory).trim().split('\n').map(Number);
  if (answers.length !== pairs.length) throw new Error(`rpmlua answered ${answers.length} of ${pairs.length} pairs`);
  return pairs.flatMap((pair, index) => {
    const kiln = orderOf(pair);
    return kiln === answers[index] ? [] : [{ pair, rpm: answers[index]!, kiln }];
  });
}

function compareMatching(
  pairs: readonly DependencyPair[],
  { rpmbuild, rpm }: { rpmbuild: string; rpm: string },
  directory: string,
): PairDifference[] {
  const capability = (index: number, condition: string): string =>
    `c${index}${condition === '' ? '' : ` ${condition}`}`;
  const spec = [
    ...['Name: provider', 'Version: 1', 'Release: 1', 'Summary: x', 'License: x', 'BuildArch: noarch'],
    ...pairs.map(({ provided }, index) => `Provides: ${capability(index, provided)}`),
    ...['%description', '%package -n requirer', 'Summary: x'],
    ...pairs.map(({ required }, index) => `Requires: ${capability(index, required)}`),
    ...['%description -n requirer', '%files', '%files -n requirer', ''],
  ].join('\n');
  writeFileSync(join(directory, 'pairs.spec'), spec);
  run(rpmbuild, ['-bb', '-D', `_topdir ${directory}`, '-D', '_rpmdir %{_topdir}/out', 'pairs.spec'], directory);
  const built = readdirSync(join(directory, 'out/noarch')).map((name) => join(directory, 'out/noarch', name));
  const check = ['-U', '--test', '--nosignature', '--dbpath', join(directory, 'db'), ...built];
  const { stderr } = spawnSync(rpm, check, { encoding: 'utf8', maxBuffer: 1 << 28 });
  const unmet = new Set([...stderr.matchAll(/^\s*c(\d+)\b.* is needed by/gm)].map(([, index]) => Number(index)));
  return pairs.flatMap((pair, index) => {
    const kiln = matches(pair);
    return kiln === !unmet.has(index) ? [] : [{ pair, rpm: !unmet.has(index), kiln }];
  });
}

function run(program: string, args: readonly string[], cwd: string): string {
  const { stdout, stderr, status, error } = spawnSync(program, args, { cwd, encoding: 'utf8', maxBuffer: 1 << 28 });
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(`${program} ${args.join(' ')} failed: ${stderr.slice(-2000)}`);
  return stdout;
}
