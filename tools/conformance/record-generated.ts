/** What `%generate_buildrequires` asks for, recorded as `kiln build` does it, and answered by Debian's packages. */
import { BuildError } from '@kiln/diagnostics';
import { loadDistribution, lockTreeRequirements, recordProvides, Session } from '@kiln/distribution';
import { createHost } from '@kiln/host';

/** Runs them again in larger roots until they ask for nothing new; what fails is told by its build. */
export async function recordGenerated(root: string, ids: readonly string[]): Promise<void> {
  const host = createHost();
  for (;;) {
    const distribution = await loadDistribution(root);
    const session = new Session(distribution, host);
    const asking = ids
      .map((id) => distribution.findPackage(id))
      .filter(({ sourcePackage }) => sourcePackage?.generatesBuildRequires === true);
    for (const { id } of asking) {
      await session.run('buildrequires', id).catch((error: unknown) => {
        if (!(error instanceof BuildError)) throw error;
      });
    }
    const recorded = await recordProvides(new Session(distribution, host), asking);
    const changed = recorded.filter(({ outcome }) => outcome === 'changed');
    if (changed.length === 0) return;
    console.error(`generated BuildRequires of ${changed.map(({ id }) => id).join(', ')}: recorded`);
    await lockTreeRequirements(new Session(await loadDistribution(root, { isLocking: true }), host));
  }
}
