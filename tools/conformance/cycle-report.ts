/** Runs the life of packages in roots of their own and tells what was found; see cycle-packages.ts. */
import { parseArgs } from 'node:util';
import { findWorkspaceRoot, loadDistribution, Session } from '@kiln/distribution';
import { createHost, inParallel } from '@kiln/host';
import { builtRpms, cyclePackage } from './cycle-packages.ts';

const HELP = `Usage: npx tsx tools/conformance/install-cycle.ts [--jobs 2] [package...]

The RPMs of each source package (of all of the tree when none is named) are installed in an empty root together with what they require, verified,
upgraded, and erased; whatever rpm says, and whatever it leaves behind, is a finding. So are libraries that an ELF file
names and that nothing brings, unless its note only suggests them or toolkit/optional-libraries.json says that it does without. Packages must be in the store (\`./nx run-many -t rpm\`). Ends with status 1
when there are findings, or packages that are not built.
`;

const OPTIONS = { help: { type: 'boolean', default: false }, jobs: { type: 'string', default: '2' } } as const;

/** Sets the exit status of the process to 1 when something was found. */
export async function reportCycles(args: readonly string[]): Promise<void> {
  const { values, positionals } = parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true });
  if (values.help) return console.log(HELP);
  const distribution = await loadDistribution(findWorkspaceRoot(process.cwd()));
  const session = new Session(distribution, createHost({ emit: () => undefined }));
  const ids =
    positionals.length > 0
      ? positionals.map((name) => distribution.findPackage(name).id)
      : distribution.packages.map(({ id }) => id);
  const built = await builtRpms(session);
  let bad = 0;
  await inParallel(ids, Number(values.jobs), async (id) => {
    const { installed, findings } = built.has(id)
      ? await cyclePackage(session, built, id)
      : { installed: 0, findings: ['is not built'] };
    console.log(`${findings.length === 0 ? 'ok    ' : 'FAILED'} ${id} (${installed} packages)`);
    for (const finding of findings) console.log(`       ${finding}`);
    if (findings.length > 0) bad += 1;
  });
  console.log(`${ids.length - bad} of ${ids.length} packages without findings`);
  if (bad > 0) process.exitCode = 1;
}
