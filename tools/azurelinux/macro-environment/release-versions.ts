/** macros.releaseversions: the version and release of every spec, as macros that other specs use. */
import { basename } from 'node:path';
import { formatEvr, type SourcePackage } from '@kiln/rpm-package';

/**
 * `%azl_<file>_version` and `%azl_<file>_release`, with `_epoch` before them where there is one. Only `-` becomes `_`: a file name
 * with a dot gives a definition of another name, and that is how the distribution reads it.
 */
export function releaseVersionMacros(packages: readonly SourcePackage[], distTag: string): string {
  const lines = packages.flatMap((source) => {
    const name = `azl_${basename(source.specFile).replace('.spec', '').replaceAll('-', '_')}`;
    const { epoch, version, release = '' } = source.evr;
    return [
      ...(epoch === undefined ? [] : [`%${name}_epoch ${epoch}`]),
      `%${name}_version ${formatEvr({ version })}`,
      `%${name}_release ${release.replace(distTag, '')}`,
    ];
  });
  return `${lines.join('\n')}\n`;
}
