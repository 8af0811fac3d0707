/**
 * Compares the expanded text of specs with what `rpmspec --parse` printed:
 * `npx tsx tools/oracle/compare-parsed.ts --tree <azurelinux> --rpm <usr/lib/rpm> --answers <answers.json> --parsed <directory> [--only <text>] [--show <n>]`.
 * The directory has one file per spec, its path with `__` for `/` and `.out` behind.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createLuaPort } from '@kiln/rpm-macro/lua';
import { openTree } from '../azurelinux/macro-environment/evaluate-tree.ts';
import { openShellAnswers } from './shell-answers.ts';

const { values } = parseArgs({
  options: {
    tree: { type: 'string' },
    rpm: { type: 'string' },
    answers: { type: 'string' },
    parsed: { type: 'string' },
    record: { type: 'string' },
    only: { type: 'string', default: '' },
    show: { type: 'string', default: '10' },
  },
});
for (const name of ['tree', 'rpm', 'answers', 'parsed'] as const) {
  if (values[name] === undefined) throw new Error(`--${name} is missing`);
}
const record = values.record === undefined ? undefined : { path: values.record, directory: values.tree! };
const answers = openShellAnswers(values.answers!, record);
const tree = openTree({
  rpmDirectory: values.rpm!,
  tree: values.tree!,
  targetArch: 'x86_64',
  lua: await createLuaPort(),
  shell: answers.answer,
});
const paths = readdirSync(values.parsed!)
  .filter((name) => name.endsWith('.out') && name.startsWith('SPECS'))
  .map((name) => name.replaceAll('__', '/').slice(0, -'.out'.length))
  .filter((path) => path.includes(values.only) && existsSync(join(values.tree!, path)));

const differing: string[] = [];
for (const path of paths) {
  const expected = readFileSync(join(values.parsed!, `${path.replaceAll('/', '__')}.out`));
  const { expandedText } = tree.evaluate(path);
  if (Buffer.from(expandedText, 'utf8').equals(expected) || Buffer.from(expandedText, 'latin1').equals(expected))
    continue;
  differing.push(path);
  if (differing.length <= Number(values.show)) showFirstDifference(path, expected.toString('utf8'), expandedText);
}
answers.save();
console.log(`${paths.length - differing.length} of ${paths.length} texts are equal`);
if (differing.length > 0) console.log(differing.join('\n'));

function showFirstDifference(path: string, rpm: string, kiln: string): void {
  const [left, right] = [rpm.split('\n'), kiln.split('\n')];
  const line = left.findIndex((text, index) => text !== right[index]);
  console.log(`${path}: line ${line + 1}`);
  console.log(
    `  rpm:  ${JSON.stringify(left.slice(line, line + 2))}\n  kiln: ${JSON.stringify(right.slice(line, line + 2))}`,
  );
}
