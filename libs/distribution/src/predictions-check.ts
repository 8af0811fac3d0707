/** Predictions of a package compared with what its built RPMs really provide. */
import { isPrimaryPath, type PackageResult } from '@kiln/package-build';
import type { Prediction } from '@kiln/package-graph';
import type { PackageProject } from './package-project.ts';

export interface WrongPrediction extends Prediction {
  readonly message: string;
}

/** The predictions that the build refutes. Of paths, results hold those that other packages may require. */
export function wrongPredictions({ id, predicted }: PackageProject, { rpms }: PackageResult): WrongPrediction[] {
  const built = new Map(rpms.filter(({ kind }) => kind === 'binary').map((rpm) => [rpm.name, rpm]));
  return predicted
    .filter((one) => {
      const rpm = built.get(one.package);
      const { capability } = one;
      if (rpm === undefined) return true;
      if (capability.startsWith('/')) return isPrimaryPath(capability) && !rpm.paths.includes(capability);
      return !rpm.provides.some(({ name }) => name === capability);
    })
    .map((one) => ({
      ...one,
      message:
        `${one.package} of ${id} doesn't provide '${one.capability}', which was predicted from ${one.rule} '${one.evidence}'; ` +
        `\`kiln provides ${id}\` records what it provides`,
    }));
}
