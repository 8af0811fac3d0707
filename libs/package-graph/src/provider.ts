/** A package that can be chosen to satisfy requirements. */
import { formatEvr, type BinaryPackage, type Dependency, type Evr } from '@kiln/rpm-package';

/** `origin` is the id of the source package, or the name of a layer such as the toolchain. */
export interface Provider extends Pick<BinaryPackage, 'name' | 'arch' | 'provides' | 'requires'> {
  readonly evr: Evr;
  readonly origin: string;
  /** Name of its source package: one that has the same name is its own. */
  readonly sourceName?: string;
  /** Paths it installs, when known: they satisfy path dependencies. */
  readonly files?: readonly string[];
  readonly conflicts?: readonly Dependency[];
  readonly obsoletes?: readonly Dependency[];
}

/** The same order whatever the order of the input was: name, EVR as text, architecture, origin. */
export function compareProviders(a: Provider, b: Provider): number {
  return (
    compareText(a.name, b.name) ||
    compareText(formatEvr(a.evr), formatEvr(b.evr)) ||
    compareText(a.arch, b.arch) ||
    compareText(a.origin, b.origin)
  );
}

/** By code units: independent of the language of the machine. */
export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
