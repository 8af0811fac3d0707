/**
 * Command: `npx tsx tools/azurelinux/set-up.ts <workspace> [--debian-full]` lets a workspace with the specs of Azure Linux 3 read them as the
 * distribution does; see set-up-workspace.ts. Run it again after each release, as versions of packages are macros there. With
 * `--debian-full` its packages are tried on those of Debian.
 */
import '../conformance/use-sources.ts';

const { resolve } = await import('node:path');
const { setUpWorkspace } = await import('./set-up-workspace.ts');
const { tryOnDebian } = await import('./debian-full/try-on-debian.ts');

const [workspace] = process.argv.slice(2).filter((word) => !word.startsWith('--'));
if (workspace === undefined)
  throw new Error('the workspace is missing: npx tsx tools/azurelinux/set-up.ts <workspace> [--debian-full]');
const report = (line: string) => console.log(line);
await setUpWorkspace(resolve(workspace), report);
if (process.argv.includes('--debian-full')) await tryOnDebian(resolve(workspace), report);
