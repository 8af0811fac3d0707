/** The providers of stage 1 behind one interface: a plan that nothing is downloaded for, then the layer and the RPMs. */
import type { Sha256 } from '@kiln/build-identity';
import { BuildError } from '@kiln/diagnostics';
import type { Host } from '@kiln/host';
import type { Store } from '@kiln/store';
import {
  bootstrapLayerKeys,
  loadBootstrapToolchain,
  prepareBootstrapToolchain,
  type BootstrapToolchain,
} from './bootstrap-toolchain.ts';
import { loadDebianFullToolchain, type DebianFullToolchain } from './debian-full.ts';
import { loadDebianToolchain, upstreamVersion, type DebianToolchain } from './debian-toolchain.ts';
import { prepareDebianToolchain } from './prepare-debian-toolchain.ts';
import { prepareRepositoryToolchain, repositoryLayerKey } from './prepare-repository-toolchain.ts';
import { loadRepositoryToolchain, type RepositoryToolchain } from './repository-toolchain.ts';
import type { ToolchainConfig } from './toolchain-config.ts';
import type { Toolchain } from './toolchain.ts';

/** A toolchain as planning sees it: `identity` and `package`, and what its provider makes it of. */
export type PlannedToolchain = DebianToolchain | DebianFullToolchain | RepositoryToolchain | BootstrapToolchain;

export interface LoadToolchainOptions {
  /** The lock of requirements is made anew, so that it isn't read; or the manifest, which may have no packages yet. */
  readonly isLocking?: boolean;
}

/**
 * Reads the files of the provider that is configured; their paths are relative to `root`.
 * @throws BuildError `TOOLCHAIN_*`
 */
export function loadToolchain(
  root: string,
  config: ToolchainConfig,
  { isLocking = false }: LoadToolchainOptions = {},
): PlannedToolchain {
  switch (config.provider) {
    case 'debian':
      return withKnownRpm(loadDebianToolchain(root, config), config.lock);
    case 'debian-full': {
      const { packages, lock, requirements } = config;
      const answers = isLocking ? {} : { requirementsLock: requirements.lock };
      return withKnownRpm(loadDebianFullToolchain(root, { packages, lock, ...answers }), lock);
    }
    case 'repository':
      return loadRepositoryToolchain(root, config, { isLocking });
    case 'bootstrap':
      return loadBootstrapToolchain(root, config);
  }
}

/** Specs are evaluated as this rpm does it; later ones have other macros and build elsewhere. */
const RPM_VERSION = /^4\.18(\.|$)/;

/** @throws BuildError `TOOLCHAIN_RPM_UNSUPPORTED`; Debian's suites have the rpm of their time. */
function withKnownRpm<Plan extends DebianToolchain>(plan: Plan, file: string): Plan {
  const rpm = plan.lock.packages.find(({ name }) => name === 'rpm');
  if (rpm === undefined || RPM_VERSION.test(upstreamVersion(rpm.version))) return plan;
  const message = `the suite '${plan.lock.suite}' has rpm ${rpm.version}; packages are built with rpm 4.18`;
  throw new BuildError('TOOLCHAIN_RPM_UNSUPPORTED', message, {
    location: { file, line: 1 },
    hint: 'take a suite that has it (bookworm), or a toolchain of RPMs whose rpm is 4.18 (docs/toolchains.md)',
  });
}

/** What a provider does with its plans. */
interface Provider<Plan> {
  /** Downloads and makes what isn't in the store, checks what is. Emits progress. */
  prepare(host: Host, store: Store, plan: Plan): Promise<Toolchain>;
  /** The layers in the store that belong to a plan. */
  layerKeys(plan: Plan): string[];
  /** Digests of the files in the store that it is made of, when they are needed beside the layers. */
  blobs(plan: Plan): Sha256[];
}

const PROVIDERS: {
  readonly [Kind in PlannedToolchain['kind']]: Provider<Extract<PlannedToolchain, { readonly kind: Kind }>>;
} = {
  debian: {
    prepare: prepareDebianToolchain,
    layerKeys: ({ identity, layerIdentity }) => [`toolchain-${layerIdentity}`, `toolchain-rpm-${identity}`],
    blobs: () => [],
  },
  repository: {
    prepare: prepareRepositoryToolchain,
    layerKeys: (plan) => [repositoryLayerKey(plan)],
    // They stand in the database of each new build root.
    blobs: ({ manifest }) => manifest.packages.map((one) => one.sha256),
  },
  bootstrap: {
    prepare: prepareBootstrapToolchain,
    layerKeys: bootstrapLayerKeys,
    blobs: () => [],
  },
};

/** @throws BuildError `TOOLCHAIN_*`, `STORE_UNREACHABLE`, `BUILD_USER_MISSING`. */
export function prepareToolchain(host: Host, store: Store, plan: PlannedToolchain): Promise<Toolchain> {
  return providerOf(plan).prepare(host, store, plan);
}

export function toolchainLayerKeys(plan: PlannedToolchain): string[] {
  return providerOf(plan).layerKeys(plan);
}

export function toolchainBlobs(plan: PlannedToolchain): Sha256[] {
  return providerOf(plan).blobs(plan);
}

function providerOf({ kind }: PlannedToolchain): Provider<PlannedToolchain> {
  return PROVIDERS[kind];
}
