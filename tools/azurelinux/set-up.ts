/**
 * Command: `npx tsx tools/azurelinux/set-up.ts <workspace>` lets a workspace with the specs of Azure Linux 3 read them as the
 * distribution does; see set-up-workspace.ts. Run it again after each release, as versions of packages are macros there.
 */
import '../conformance/use-sources.ts';

const { resolve } = await import('node:path');
const { setUpWorkspace } = await import('./set-up-workspace.ts');

const [workspace] = process.argv.slice(2);
if (workspace === undefined)
  throw new Error('the workspace is missing: npx tsx tools/azurelinux/set-up.ts <workspace>');
await setUpWorkspace(resolve(workspace), (line) => console.log(line));
