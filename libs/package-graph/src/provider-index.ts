/** Who provides what: packages by capability and by file path. */
import { satisfies, type BinaryPackage, type Dependency, type Evr } from '@kiln/rpm-package';

/** A package that can be chosen. `origin` is the id of the source package, or the name of a layer such as the toolchain. */
export interface Provider extends Pick<BinaryPackage, 'name' | 'arch' | 'provides' | 'requires'> {
  readonly evr: Evr;
  readonly origin: string;
  /** Paths it installs, when known: they satisfy path dependencies. */
  readonly files?: readonly string[];
}

export class ProviderIndex {
  readonly #byCapability = new Map<string, { provider: Provider; capability: Dependency }[]>();

  constructor(providers: Iterable<Provider>) {
    for (const provider of providers) {
      for (const capability of provider.provides) this.#add(provider, capability);
      for (const file of provider.files ?? []) this.#add(provider, { name: file });
      if (!provider.provides.some(({ name }) => name === provider.name)) {
        this.#add(provider, { name: provider.name, operator: '=', evr: provider.evr });
      }
    }
  }

  /** All packages that satisfy a dependency, in the order they were given, each once. */
  whatProvides(dependency: Dependency): Provider[] {
    const found = (this.#byCapability.get(dependency.name) ?? []).filter(({ capability }) =>
      satisfies(capability, dependency),
    );
    return [...new Set(found.map(({ provider }) => provider))];
  }

  /** Versions on offer under a name, for messages about a version that nobody has. */
  offers(name: string): Dependency[] {
    return (this.#byCapability.get(name) ?? []).map(({ capability }) => capability);
  }

  /** All capability names, for "did you mean". */
  names(): Iterable<string> {
    return this.#byCapability.keys();
  }

  #add(provider: Provider, capability: Dependency): void {
    const list = this.#byCapability.get(capability.name);
    if (list === undefined) this.#byCapability.set(capability.name, [{ provider, capability }]);
    else list.push({ provider, capability });
  }
}
