/** The RPMs of complete tasks as providers. */
import { ProviderIndex, type Provider } from '@kiln/package-graph';
import type { PackageResult, RootRpm } from '@kiln/package-build';
import type { ActionResult, Blob } from '@kiln/store';

/** A built RPM that can be chosen. */
export interface BuiltProvider extends Provider {
  readonly fileName: string;
  readonly artifact: RootRpm['artifact'];
  readonly content: RootRpm['content'];
  readonly buildTime: number;
  readonly blob: Blob;
}

/** The facts of a complete `rpm` or `rpm-bootstrap` task. */
export function packageResult(result: Pick<ActionResult, 'facts'>): PackageResult {
  return result.facts as PackageResult;
}

/** Binary RPMs of complete tasks as providers with their blobs. */
export function builtProviders(origin: string, result: Pick<ActionResult, 'facts' | 'outputs'>): BuiltProvider[] {
  return packageResult(result)
    .rpms.filter(({ kind }) => kind === 'binary')
    .map((rpm) => ({ ...rpm, origin, files: rpm.paths, blob: result.outputs[rpm.fileName]! }));
}

/**
 * One index for the build roots of a session. Thousands of roots share most of their packages, and each sees only its own.
 */
export class BuiltIndex {
  readonly #toolchain: Provider;
  readonly #index: ProviderIndex;
  readonly #known = new Set<Provider>();
  readonly #ofResult = new WeakMap<object, readonly BuiltProvider[]>();

  constructor(toolchain: Provider) {
    this.#toolchain = toolchain;
    this.#index = new ProviderIndex([toolchain]);
  }

  /** The same objects for the same result. */
  providers(origin: string, result: Pick<ActionResult, 'facts' | 'outputs'>): readonly BuiltProvider[] {
    let known = this.#ofResult.get(result);
    if (known === undefined) {
      known = builtProviders(origin, result);
      this.#ofResult.set(result, known);
    }
    return known;
  }

  /** An index of the toolchain and these. */
  among(providers: readonly Provider[]): ProviderIndex {
    for (const one of providers) {
      if (this.#known.has(one)) continue;
      this.#known.add(one);
      this.#index.add(one);
    }
    return this.#index.among(new Set([this.#toolchain, ...providers]));
  }
}
