/**
 * The target `buildrequires`: what `%generate_buildrequires` of a package asks for in the planned root. It is run again, in a larger
 * root, after its answer was recorded, until it asks for nothing new.
 */
import { join } from 'node:path';
import { digestOf } from '@kiln/build-identity';
import { BuildError } from '@kiln/diagnostics';
import { buildRequest, generateBuildRequires, GENERATE_RECIPE_VERSION } from '@kiln/package-build';
import { formatDependency, parseDependency, type Dependency } from '@kiln/rpm-package';
import type { ActionResult } from '@kiln/store';
import { buildInput, preparedBuild } from './build-input.ts';
import { buildsBefore, nearestBuilds } from './rpm-target.ts';
import type { Target } from './targets.ts';

export const buildRequiresTarget: Target = {
  before: (distribution, id) => buildsBefore(distribution.findPackage(id)),
  nearest: (distribution, id) => nearestBuilds(distribution.findPackage(id)),

  async key(session, id) {
    const input = await buildInput(session, session.distribution.findPackage(id));
    if (input === undefined) return undefined;
    return digestOf({
      stage: 'buildrequires',
      recipeVersion: GENERATE_RECIPE_VERSION,
      request: buildRequest(input.request),
    });
  },

  async build(session, id) {
    const input = await buildInput(session, session.distribution.findPackage(id));
    if (input === undefined) throw new BuildError('PLAN_STALE', `a package that ${id} depends on is not built`);
    if (!input.source.generatesBuildRequires) return factsOf([]);
    const build = await preparedBuild(session, input, { target: 'buildrequires', log: buildRequiresTarget.log(id) });
    return factsOf(await generateBuildRequires(session.host, session.store, build));
  },

  showAs: () => undefined,
  log: (id) => join('dist', 'logs', 'buildrequires', `${id}.log`),
};

/** What a complete `buildrequires` task found, beside what the spec states; sorted. */
export function generatedBuildRequires({ facts }: ActionResult): Dependency[] {
  return (facts as BuildRequiresFacts).buildRequires.map(parseDependency);
}

interface BuildRequiresFacts {
  readonly buildRequires: readonly string[];
}

function factsOf(generated: readonly Dependency[]): Omit<ActionResult, 'key'> {
  return { outputs: {}, facts: { buildRequires: generated.map(formatDependency).sort() } satisfies BuildRequiresFacts };
}
