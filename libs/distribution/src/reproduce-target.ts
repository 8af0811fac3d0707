/**
 * The `reproduce` target: a package is built a second time, later, in another directory, with another number of jobs, over layers that are made
 * anew, and by another user where Kiln may choose; each of its RPMs must be the same file as the first time.
 */
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { canonicalJson, digestOf } from '@kiln/build-identity';
import { BuildError, type Diagnostic } from '@kiln/diagnostics';
import { buildPackage, packageActionKey } from '@kiln/package-build';
import { compareRpms, readRpmHeader } from '@kiln/rpm-repository';
import type { ActionResult, Blob } from '@kiln/store';
import { buildInput, preparedBuild } from './build-input.ts';
import { inputChanged } from './input-changed.ts';
import { buildsBefore } from './rpm-target.ts';
import { secondSite } from './second-site.ts';
import type { Session } from './session.ts';
import { showDifferences } from './show-differences.ts';
import type { Target } from './targets.ts';
import { asBuilt } from './toolchain-members.ts';

/** Raise it when the second build is made in another way. */
const RECIPE_VERSION = 2;

export const reproduceTarget: Target = {
  before(distribution, id) {
    const project = distribution.findPackage(id);
    return [['rpm', project.id], ...(project.member === undefined ? [] : buildsBefore(asBuilt(project)))];
  },

  async key(session, id) {
    const { key, result } = await session.state('rpm', id);
    return result === undefined
      ? undefined
      : digestOf({ stage: 'reproduce', recipeVersion: RECIPE_VERSION, rpm: key, outputs: result.outputs });
  },

  async build(session, id) {
    const { key, result: first } = await session.state('rpm', id);
    const project = session.distribution.findPackage(id);
    const input = await buildInput(session, asBuilt(project));
    if (first === undefined || input === undefined) throw new BuildError('PLAN_STALE', `${id} is not built`);
    if (project.member === undefined && packageActionKey(input.request) !== key) throw inputChanged('reproduce', id);
    const site = await secondSite(session);
    const build = await preparedBuild(site, input, { target: 'reproduce', log: reproduceTarget.log(id) });
    const second = await buildPackage(site.host, site.store, { ...build, jobs: otherJobs() });
    const outputs = project.member === undefined ? second.outputs : among(second.outputs, first.outputs);
    const problems = await differences(session, { id, first, second: { outputs } });
    if (problems.length > 0) {
      throw new BuildError('REPRODUCE_DIFFERS', `a second build of ${id} gives other RPMs`, {
        diagnostics: problems,
        log: build.log,
        hint: 'look for times, random names, directory order or parallel jobs that get into the files',
      });
    }
    const report = { id, rpms: Object.keys(second.outputs).sort() };
    return { outputs: { 'reproduced.json': await session.store.putText(`${canonicalJson(report)}\n`) }, facts: report };
  },

  showAs: (_, id) => join('dist', 'reproduced', `${id}.json`),
  log: (id) => join('dist', 'logs', 'reproduce', `${id}.log`),
};

/** Of a member the toolchain may not have the source RPM and debuginfo. */
function among(outputs: ActionResult['outputs'], known: ActionResult['outputs']): ActionResult['outputs'] {
  return Object.fromEntries(Object.entries(outputs).filter(([name]) => name in known));
}

/** Never the number that the first build had on this machine. */
function otherJobs(): number {
  const usual = availableParallelism();
  return usual === 1 ? 2 : Math.ceil(usual / 2);
}

interface TwoBuilds {
  readonly id: string;
  readonly first: Pick<ActionResult, 'outputs'>;
  readonly second: Pick<ActionResult, 'outputs'>;
}

async function differences(session: Session, { id, first, second }: TwoBuilds): Promise<Diagnostic[]> {
  const names = [...new Set([...Object.keys(first.outputs), ...Object.keys(second.outputs)])].sort();
  const problems: Diagnostic[] = [];
  for (const name of names) {
    const [a, b] = [first.outputs[name], second.outputs[name]];
    if (a === undefined || b === undefined) {
      const which = a === undefined ? 'second' : 'first';
      problems.push({ severity: 'error', code: 'RPM_DIFFERS', message: `only the ${which} build makes ${name}` });
    } else if (a.sha256 !== b.sha256) problems.push(await differenceOf(session, { id, name, a, b }));
  }
  return problems;
}

interface TwoRpms {
  readonly id: string;
  readonly name: string;
  readonly a: Blob;
  readonly b: Blob;
}

const MOST_SENTENCES = 10;

async function differenceOf(session: Session, { id, name, a, b }: TwoRpms): Promise<Diagnostic> {
  const [pathA, pathB] = [session.store.blobPath(a.sha256), session.store.blobPath(b.sha256)];
  const [headerA, headerB] = [await readRpmHeader(pathA), await readRpmHeader(pathB)];
  const sentences = compareRpms(headerA.package, headerB.package);
  const shown = sentences.slice(0, MOST_SENTENCES).map((sentence) => `\n    ${sentence}`);
  const more = sentences.length > MOST_SENTENCES ? `\n    and ${sentences.length - MOST_SENTENCES} more` : '';
  const seen = await showDifferences(session, {
    ...{ name, first: a, second: b },
    reports: join('dist', 'logs', 'reproduce', id),
  });
  return {
    severity: 'error',
    code: 'RPM_DIFFERS',
    message: `${name} differs:${shown.join('')}${more}${seen.lines.map((line) => `\n    | ${line}`).join('')}`,
    hint: seen.hint,
  };
}
