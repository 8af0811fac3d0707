/**
 * Command: `npx tsx tools/azurelinux/set-up.ts <workspace>` lets a workspace with the specs of Azure Linux 3 read them as the
 * distribution does: writes the macro environment, and records what commands in macros answer. Run it again after each release,
 * as versions of packages are macros there.
 */
import '../conformance/use-sources.ts';

const { resolve } = await import('node:path');
const { writeEnvironment } = await import('./macro-environment/write-environment.ts');
const { loadDistribution, recordMacros, Session } = await import('@kiln/distribution');
const { createHost } = await import('@kiln/host');

const [workspace] = process.argv.slice(2);
if (workspace === undefined)
  throw new Error('the workspace is missing: npx tsx tools/azurelinux/set-up.ts <workspace>');
const root = resolve(workspace);
// Answers decide some versions, and versions lead to some more commands.
let last: string | undefined;
for (;;) {
  const { files, versions, answers, releaseVersions } = await writeEnvironment(root);
  if (releaseVersions === last) break;
  last = releaseVersions;
  console.log(`${files.join(', ')}: written`);
  console.log(`the versions of ${versions} specs are macros, ${answers} commands about perl and python are answered`);
  const { file, commands, added } = await recordMacros(new Session(await loadDistribution(root), createHost()));
  console.log(`${file}: ${commands} commands, ${added.length} new`);
}
