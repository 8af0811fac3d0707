/**
 * Records what real rpm says of the fixture specs: `npx tsx tools/oracle/record-specs.ts [--rpmspec <program>]`. For each
 * `input.spec` it writes `expected.json`: facts, and the text as `--parse` prints it; or that rpm refuses the spec.
 */
import { spawnSync } from 'node:child_process';
import { readdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    rpmspec: { type: 'string', default: 'rpmspec' },
    fixtures: { type: 'string', default: 'libs/rpm-spec/test/fixtures' },
  },
});
const fixtures = resolve(values.fixtures);
const options = [
  '--macros',
  join(fixtures, 'macros'),
  '-D',
  'dist .kl1',
  '-D',
  '_sourcedir /sources',
  '--target',
  'x86_64',
];

for (const name of readdirSync(fixtures, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map((entry) => entry.name)) {
  const spec = join(fixtures, name, 'input.spec');
  const run = (words: readonly string[]): ReturnType<typeof spawnSync> =>
    spawnSync(values.rpmspec, [...words, ...options, spec], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  const parsed = run(['--parse']);
  const expected = parsed.status === 0 ? { ...factsOf(run), parsed: String(parsed.stdout) } : { refused: true };
  writeFileSync(join(fixtures, name, 'expected.json'), `${JSON.stringify(expected, undefined, 2)}\n`);
}

/** Facts as lines of text, so that a difference reads well. */
function factsOf(run: (words: readonly string[]) => ReturnType<typeof spawnSync>): Record<string, string[]> {
  const kinds = ['PROVIDE', 'REQUIRE', 'CONFLICT', 'OBSOLETE', 'RECOMMEND', 'SUGGEST', 'SUPPLEMENT', 'ENHANCE'];
  const dependencies = kinds
    .map((kind) => `[${kind.toLowerCase()}s %{${kind}FLAGS} %{${kind}NAME} %{${kind}VERSION}\\n]`)
    .join('');
  const identity = '%{NAME} %{EVR} %{ARCH} | %{LICENSE} | %{SUMMARY} | %{GROUP}\\n';
  const lists =
    '[source %{SOURCE}\\n][patch %{PATCH}\\n][buildarch %{BUILDARCHS}\\n][changelog %{CHANGELOGTIME} %{CHANGELOGNAME}\\n]';
  const lines = (words: readonly string[], format: string): string[] =>
    String(run(['-q', ...words, '--queryformat', format]).stdout)
      .split('\n')
      .map((line) => line.trimEnd())
      .filter(Boolean);
  return {
    packages: lines([], `${identity}${dependencies}`),
    source: lines(['--srpm'], `${identity}${dependencies}${lists}`),
    built: lines(['--builtrpms'], '%{NAME}\\n'),
  };
}
