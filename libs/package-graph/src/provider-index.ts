/** Who provides what: packages by capability and by file path. */
import { formatDependency, isRich, satisfies, type Dependency } from '@kiln/rpm-package';
import type { Provider } from './provider.ts';
import { matching, parseRequirement } from './requirement.ts';

export class ProviderIndex {
  readonly #byCapability = new Map<string, { provider: Provider; capability: Dependency }[]>();
  readonly #found = new Map<string, readonly Provider[]>();

  constructor(providers: Iterable<Provider>) {
    for (const provider of providers) {
      for (const capability of provider.provides) this.#add(provider, capability);
      for (const file of provider.files ?? []) this.#add(provider, { name: file });
      if (!provider.provides.some(({ name }) => name === provider.name)) {
        this.#add(provider, { name: provider.name, operator: '=', evr: provider.evr });
      }
    }
  }

  /**
   * All packages that satisfy a dependency, in the order they were given, each once. Of a rich dependency: those that satisfy it
   * alone as one package (`or`, `with`, `without`).
   */
  whatProvides(dependency: Dependency): readonly Provider[] {
    const text = formatDependency(dependency);
    const known = this.#found.get(text);
    if (known !== undefined) return known;
    const found = isRich(dependency)
      ? matching(parseRequirement(dependency), (simple) => this.whatProvides(simple))
      : this.#providersOf(dependency);
    this.#found.set(text, found);
    return found;
  }

  /** Versions on offer under a name, for messages about a version that nobody has. */
  offers(name: string): Dependency[] {
    return (this.#byCapability.get(name) ?? []).map(({ capability }) => capability);
  }

  /** All capability names, for "did you mean". */
  names(): Iterable<string> {
    return this.#byCapability.keys();
  }

  #providersOf(dependency: Dependency): Provider[] {
    const found = (this.#byCapability.get(dependency.name) ?? []).filter(({ capability }) =>
      satisfies(capability, dependency),
    );
    return [...new Set(found.map(({ provider }) => provider))];
  }

  #add(provider: Provider, capability: Dependency): void {
    const list = this.#byCapability.get(capability.name);
    if (list === undefined) this.#byCapability.set(capability.name, [{ provider, capability }]);
    else list.push({ provider, capability });
  }
}
