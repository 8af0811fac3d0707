/** Evaluation and build must say the same: the evaluated packages are compared with the headers of the built RPMs. */
import type { Diagnostic } from '@kiln/diagnostics';
import { formatDependency, formatNevra, type SourcePackage } from '@kiln/rpm-package';
import type { RpmPackage } from '@kiln/rpm-repository';

/** All differences between what was evaluated and what was built; empty when they agree. */
export function compareWithHeaders(source: SourcePackage, headers: readonly RpmPackage[]): Diagnostic[] {
  const isSource = ({ isSource }: RpmPackage) => isSource;
  const expected = source.packages.filter(({ built }) => built).map(formatNevra);
  const binaries = headers.filter((one) => !isSource(one)).map(formatNevra);
  const sources = headers.filter(isSource);
  const wanted = source.buildRequires.map(formatDependency);
  const stated = sources
    .flatMap(({ requires }) => requires.map(formatDependency))
    .filter((text) => !text.startsWith('rpmlib('));
  const sourceName = formatNevra({ name: source.name, evr: source.evr, arch: 'src' });
  return [
    ...differences(source, 'binary package', expected, binaries),
    ...differences(source, 'source package', [sourceName], sources.map(formatNevra)),
    ...differences(source, 'BuildRequires', wanted, stated),
  ];
}

function differences(
  source: SourcePackage,
  what: string,
  evaluated: readonly string[],
  built: readonly string[],
): Diagnostic[] {
  const report = (text: string, found: string): Diagnostic => ({
    severity: 'error',
    code: 'EVALUATION_DIFFERS',
    message: `${what} '${text}' ${found}`,
    location: source.location,
    hint: 'rpmbuild is right: report this as a defect of the evaluator together with the spec',
  });
  const [left, right] = [new Set(evaluated), new Set(built)];
  return [
    ...[...left].filter((text) => !right.has(text)).map((text) => report(text, 'was evaluated but not built')),
    ...[...right].filter((text) => !left.has(text)).map((text) => report(text, 'was built but not evaluated')),
  ];
}
