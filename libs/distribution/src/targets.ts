/** The targets of a distribution, one record each. */
import type { Sha256 } from '@kiln/build-identity';
import type { ActionResult } from '@kiln/store';
import { bootstrapStepTarget, stageATarget } from './bootstrap-target.ts';
import { bootTestTarget } from './boot-test-target.ts';
import { buildRequiresTarget } from './build-requires-target.ts';
import { checkTarget } from './check-target.ts';
import type { Distribution } from './distribution.ts';
import { imageTarget } from './image-target.ts';
import { publishImageTarget } from './publish-image-target.ts';
import { publishTarget } from './publish-target.ts';
import { repositoryTarget } from './repository-target.ts';
import { reproduceTarget } from './reproduce-target.ts';
import { rpmBootstrapTarget, rpmTarget } from './rpm-target.ts';
import type { Session } from './session.ts';
import { sourcesTarget } from './sources-target.ts';
import { toolchainTarget } from './toolchain-target.ts';

export type TargetName =
  | 'bootstrap-step'
  | 'stage-a'
  | 'toolchain'
  | 'sources'
  | 'buildrequires'
  | 'rpm-bootstrap'
  | 'rpm'
  | 'check'
  | 'reproduce'
  | 'repository'
  | 'publish'
  | 'image'
  | 'boot-test'
  | 'publish-image';

/** What a stage has to say of its tasks. */
export interface Target {
  /** Tasks that must be done before: target and id. */
  before(distribution: Distribution, id: string): readonly (readonly [TargetName, string])[];
  /** Fewer of them, from which the others follow: enough for an order. All of them when it is missing. */
  nearest?(distribution: Distribution, id: string): readonly (readonly [TargetName, string])[];
  /** The action key; undefined while something before it isn't done. */
  key(session: Session, id: string): Promise<Sha256 | undefined>;
  /** Really does it; outputs are in the store when it returns. */
  build(session: Session, id: string, key: Sha256): Promise<Omit<ActionResult, 'key'>>;
  /** What has to be so whenever the result is there, also when the store answered; called before the task ends. */
  whenThere?(session: Session): Promise<void>;
  /** Workspace-relative path under which an output is shown; undefined for one that stays in the store. */
  showAs(distribution: Distribution, id: string, output: string): string | undefined;
  /** Workspace-relative path of the log. */
  log(id: string): string;
}

export const TARGETS: Readonly<Record<TargetName, Target>> = {
  'bootstrap-step': bootstrapStepTarget,
  'stage-a': stageATarget,
  toolchain: toolchainTarget,
  sources: sourcesTarget,
  buildrequires: buildRequiresTarget,
  'rpm-bootstrap': rpmBootstrapTarget,
  rpm: rpmTarget,
  check: checkTarget,
  reproduce: reproduceTarget,
  repository: repositoryTarget,
  publish: publishTarget,
  image: imageTarget,
  'boot-test': bootTestTarget,
  'publish-image': publishImageTarget,
};
