/** Who provides what: packages by capability and by file path. */
import { formatDependency, satisfies, type Dependency, type RichDependency } from '@kiln/rpm-package';
import type { Provider } from './provider.ts';
import { isAboutOnePackage, matching, parseRequirement } from './requirement.ts';

/** A requirement as an index answers it, made once for all closures over the index. */
export interface IndexedRequirement {
  /** As `formatDependency` writes it. */
  readonly text: string;
  readonly dependency: Dependency;
  readonly formula: RichDependency;
  /** Whether one package can satisfy it alone. */
  readonly isAboutOne: boolean;
  /** Packages that satisfy it alone. */
  readonly candidates: readonly Provider[];
}

interface Offer {
  readonly provider: Provider;
  readonly capability: Dependency;
}

export class ProviderIndex {
  #byCapability = new Map<string, Offer[]>();
  /** Those that count; all when it is missing. */
  #members: ReadonlySet<Provider> | undefined;
  readonly #found = new Map<string, readonly Provider[]>();
  readonly #requirements = new Map<string, IndexedRequirement>();
  readonly #required = new Map<Provider, readonly IndexedRequirement[]>();

  constructor(providers: Iterable<Provider>) {
    for (const provider of providers) this.add(provider);
  }

  add(provider: Provider): void {
    for (const known of [this.#found, this.#requirements, this.#required]) known.clear();
    for (const capability of provider.provides) this.#add(provider, capability);
    for (const file of provider.files ?? []) this.#add(provider, { name: file });
    if (!provider.provides.some(({ name }) => name === provider.name)) {
      this.#add(provider, { name: provider.name, operator: '=', evr: provider.evr });
    }
  }

  /** An index of some of these packages, at no cost for each of them. */
  among(members: ReadonlySet<Provider>): ProviderIndex {
    const part = new ProviderIndex([]);
    part.#byCapability = this.#byCapability;
    part.#members = members;
    return part;
  }

  /**
   * All packages that satisfy a dependency, in the order they were given, each once. Of a rich dependency: those that satisfy it
   * alone as one package (`or`, `with`, `without`).
   */
  whatProvides(dependency: Dependency): readonly Provider[] {
    const text = formatDependency(dependency);
    const known = this.#found.get(text);
    if (known !== undefined) return known;
    const formula = parseRequirement(dependency);
    const found =
      formula.kind === 'simple'
        ? this.#providersOf(formula.dependency)
        : matching(formula, (simple) => this.whatProvides(simple));
    this.#found.set(text, found);
    return found;
  }

  /** The same object for the same text. */
  requirement(dependency: Dependency): IndexedRequirement {
    const text = formatDependency(dependency);
    let known = this.#requirements.get(text);
    if (known === undefined) {
      const formula = parseRequirement(dependency);
      const candidates = this.whatProvides(dependency);
      known = { text, dependency, formula, isAboutOne: isAboutOnePackage(formula), candidates };
      this.#requirements.set(text, known);
    }
    return known;
  }

  /** What a package requires of others: `rpmlib(…)` concerns rpm itself and is passed over. */
  requirementsOf(provider: Provider): readonly IndexedRequirement[] {
    let known = this.#required.get(provider);
    if (known === undefined) {
      known = provider.requires.filter(isAboutPackages).map((one) => this.requirement(one));
      this.#required.set(provider, known);
    }
    return known;
  }

  /** Versions on offer under a name, for messages about a version that nobody has. */
  offers(name: string): Dependency[] {
    return this.#offersOf(name).map(({ capability }) => capability);
  }

  /** All capability names, for "did you mean". */
  names(): Iterable<string> {
    return [...this.#byCapability.keys()].filter((name) => this.#offersOf(name).length > 0);
  }

  #providersOf(dependency: Dependency): Provider[] {
    const found = this.#offersOf(dependency.name).filter(({ capability }) => satisfies(capability, dependency));
    return [...new Set(found.map(({ provider }) => provider))];
  }

  #offersOf(name: string): readonly Offer[] {
    const offers = this.#byCapability.get(name) ?? [];
    const members = this.#members;
    return members === undefined ? offers : offers.filter(({ provider }) => members.has(provider));
  }

  #add(provider: Provider, capability: Dependency): void {
    const list = this.#byCapability.get(capability.name);
    if (list === undefined) this.#byCapability.set(capability.name, [{ provider, capability }]);
    else list.push({ provider, capability });
  }
}

/** Not about rpm itself. */
export function isAboutPackages({ name }: Dependency): boolean {
  return !name.startsWith('rpmlib(');
}
