/** What `%generate_buildrequires` of a package asks for: `rpmbuild -br` in its root, then the source RPM that it writes. */
import { join } from 'node:path';
import { BuildError } from '@kiln/diagnostics';
import type { Host } from '@kiln/host';
import { formatDependency, type Dependency } from '@kiln/rpm-package';
import { readRpmHeader } from '@kiln/rpm-repository';
import type { Store } from '@kiln/store';
import type { PackageBuild } from './build-package.ts';
import { buildFailure, inBuildRoot, runBuildCommand } from './build-place.ts';
import { entriesOf } from './build-root-files.ts';
import { generateCommand } from './build-request.ts';

/** Raise it when the same request would be asked in another way. */
export const GENERATE_RECIPE_VERSION = 1;

/**
 * The generated BuildRequires, without those that the spec states. When the root lacks one of them, rpm 4.18 ends with 11 and has written
 * `*.buildreqs.nosrc.rpm`; else it ends with 0 and a `.src.rpm`. Without either it didn't get as far (build/build.c).
 * @throws BuildError `RPMBUILD_FAILED`, `BUILD_TIMEOUT`, `BUILD_REQUIRES_MISSING`, `EVALUATION_DIFFERS` and those of the sandbox.
 */
export function generateBuildRequires(host: Host, store: Store, build: PackageBuild): Promise<Dependency[]> {
  return inBuildRoot(host, store, build, async (place) => {
    const status = await runBuildCommand(host, generateCommand(build.request.spec.name, build.request.defines), place);
    const directory = join(place.work, 'top', 'SRPMS');
    const written = (await entriesOf(directory, 'file')).find((name) => name.endsWith('.rpm'));
    if (written === undefined) throw await buildFailure(place, { status });
    const { requires } = (await readRpmHeader(join(directory, written))).package;
    return generatedOf(build, requires);
  });
}

function generatedOf({ id, source, log }: PackageBuild, requires: readonly Dependency[]): Dependency[] {
  const asked = new Map(
    requires.filter(({ name }) => !name.startsWith('rpmlib(')).map((one) => [formatDependency(one), one]),
  );
  for (const stated of source.buildRequires.map(formatDependency)) {
    if (asked.delete(stated)) continue;
    throw new BuildError(
      'EVALUATION_DIFFERS',
      `BuildRequires '${stated}' of ${id} was evaluated, but rpmbuild has no such one`,
      {
        location: { file: source.specFile, line: 1 },
        hint: 'rpmbuild is right: report this as a defect of the evaluator together with the spec',
        log,
      },
    );
  }
  return [...asked.values()];
}
