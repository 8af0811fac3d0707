/** One process that reads a workspace through the cache of evaluations and prints what that cost; started by evaluate-cached-cost.ts. */
import '../conformance/use-sources.ts';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual, parseArgs } from 'node:util';

const { values } = parseArgs({
  options: { workspace: { type: 'string' }, compare: { type: 'boolean', default: false } },
});
const root = values.workspace!;
const { evaluateTree, EVALUATION_CACHE } = await import('../../libs/distribution/src/evaluate-tree.ts');
const { readDistroConfig } = await import('../../libs/distribution/src/read-distro-config.ts');
const { readMacroAnswers } = await import('../../libs/distribution/src/macro-answers.ts');
const { macroEnvironment, readMacroFiles } = await import('../../libs/distribution/src/macro-files.ts');

const config = readDistroConfig(root);
const macroFiles = readMacroFiles(root, config);
const answers = readMacroAnswers(root, config);
const tree = { root, config, macroFiles, environment: macroEnvironment(config, macroFiles), answers };
const cacheFile = join(root, EVALUATION_CACHE);

/** Seconds of wall and CPU time. */
async function timed<T>(action: () => T): Promise<{ wall: number; cpu: number; result: Awaited<T> }> {
  const [started, before] = [performance.now(), process.cpuUsage()];
  const result = await action();
  const { user, system } = process.cpuUsage(before);
  return { wall: (performance.now() - started) / 1000, cpu: (user + system) / 1e6, result };
}

const { wall, cpu, result } = await timed(() => evaluateTree({ ...tree, cacheFile }));
const parse = await timed(() => result.packages.filter(({ sourcePackage }) => sourcePackage !== undefined).length);
const specs = await timed(() => result.packages.map(({ specFile }) => readFileSync(join(root, specFile), 'utf8')));
const cache = await timed(() => readFileSync(cacheFile));
const same = values.compare ? isDeepStrictEqual(plain(result), plain(await evaluateTree(tree))) : undefined;

/** With the values behind getters. */
function plain({ packages }: Awaited<ReturnType<typeof evaluateTree>>): object[] {
  return packages.map((one) => ({ ...one }));
}

const parts = { readSpecs: specs.cpu, readCache: cache.cpu, parseAll: parse.cpu };
const megabytes = Math.round(cache.result.length / 1e6);
const count = { specs: result.packages.length, evaluated: result.evaluated.length };
console.log(JSON.stringify({ ...count, wall, cpu, parts, megabytes, same }));
