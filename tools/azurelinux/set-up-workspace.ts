/** Lets a workspace with the specs of Azure Linux 3 read them as the distribution does. */
import { loadDistribution, recordMacros, Session } from '@kiln/distribution';
import { createHost } from '@kiln/host';
import { writeEnvironment } from './macro-environment/write-environment.ts';

/**
 * Writes the macro environment, and records what commands in macros answer. Answers decide some versions, and versions lead to some more
 * commands: so again, until nothing changes. Needs the toolchain.
 * @param say is told a line of what was done
 * @throws BuildError of `writeEnvironment`, `loadDistribution`, `recordMacros`.
 */
export async function setUpWorkspace(root: string, say: (line: string) => void = () => undefined): Promise<void> {
  let last: string | undefined;
  for (;;) {
    const { files, versions, answers, releaseVersions } = await writeEnvironment(root);
    if (releaseVersions === last) return;
    last = releaseVersions;
    say(`${files.join(', ')}: written`);
    say(`the versions of ${versions} specs are macros, ${answers} commands about perl and python are answered`);
    const { file, commands, added } = await recordMacros(new Session(await loadDistribution(root), createHost()));
    say(`${file}: ${commands} commands, ${added.length} new`);
  }
}
