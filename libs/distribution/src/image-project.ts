/** The image definitions of a tree. */
import fastGlob from 'fast-glob';
import { BuildError, type Diagnostic } from '@kiln/diagnostics';
import {
  imageName,
  parsePart,
  readImageDefinition,
  type DefinitionFiles,
  type ImageDefinition,
  type RequestedPackage,
} from '@kiln/image-config';
import type { Conflict, Unresolved } from '@kiln/package-graph';
import { formatDependency } from '@kiln/rpm-package';
import { asDiagnostic } from './as-diagnostic.ts';
import { definitionFilesOnDisk } from './definition-files-on-disk.ts';
import { DISTRO_FILE, type DistroConfig } from './distro-config.ts';
import type { ImageProject, PackageProject } from './package-project.ts';
import { planImage } from './plan.ts';
import { isTrial } from './trial-toolchain.ts';
import type { Universe } from './universe.ts';

export interface ImageReading {
  readonly root: string;
  readonly config: DistroConfig;
  readonly universe: Universe;
  readonly packages: readonly PackageProject[];
}

/** All definitions, ordered by name; a broken one has diagnostics instead of a definition. */
export function readImages(reading: ImageReading): ImageProject[] {
  const { root, config } = reading;
  return fastGlob
    .sync(`${fastGlob.escapePath(config.imageDirectory)}/*.json`, { cwd: root, onlyFiles: true })
    .sort()
    .flatMap((file) => {
      const image = readImage(file, reading);
      return [image, ...ownSystems(image).map((reference) => readImage(reference, reading))];
    });
}

/** Of an installer that has its systems in its own definition: these are images too. */
function ownSystems({ file, definition }: ImageProject): string[] {
  return (definition?.installer?.systems ?? [])
    .map(({ reference }) => reference)
    .filter((reference) => reference !== file && parsePart(reference).file === file);
}

/** @param reference a definition, or one system of it */
function readImage(reference: string, reading: ImageReading): ImageProject {
  const part = parsePart(reference);
  const { file } = part;
  const name = imageName(part);
  const read = new Set([file]);
  let definition: ImageDefinition;
  try {
    definition = readImageDefinition(reference, noting(definitionFilesOnDisk(reading.root), read));
  } catch (error) {
    if (!(error instanceof BuildError)) throw error;
    const diagnostics = error.diagnostics.length > 0 ? error.diagnostics : [asDiagnostic(error)];
    return { name, file, inputs: [...read].sort(), dependencies: [], rootPackages: [], diagnostics };
  }
  if (isTrial(reading.config)) {
    // The target says that it can't be made; what it would hold doesn't matter.
    const inputs = [...new Set([...definition.files, DISTRO_FILE])].sort();
    return { name, file, definition, inputs, dependencies: [], rootPackages: [], diagnostics: [] };
  }
  const requirements = definition.packages.map(({ dependency }) => dependency);
  const plan = planImage(requirements, reading.universe, reading.packages);
  return {
    name,
    file,
    definition,
    inputs: [...new Set([...definition.files, DISTRO_FILE])].sort(),
    dependencies: plan.dependencies,
    rootPackages: plan.rootPackages,
    diagnostics: [
      ...plan.unresolved.map((lack) => missingPackage(lack, definition.packages)),
      ...plan.conflicts.map((conflict) => conflictDiagnostic(conflict, file)),
    ],
  };
}

/** Notes every file that is asked for, so that a definition that can't be read changes when one of them does. */
function noting(files: DefinitionFiles, noted: Set<string>): DefinitionFiles {
  const note = <T>(path: string, found: T): T => {
    noted.add(path);
    return found;
  };
  return {
    read: (path) => note(path, files.read(path)),
    inspect: (path) => note(path, files.inspect(path)),
  };
}

function missingPackage({ dependency, offers }: Unresolved, requested: readonly RequestedPackage[]): Diagnostic {
  const text = formatDependency(dependency);
  const location = requested.find((one) => formatDependency(one.dependency) === text)?.location;
  const offered = offers.length === 0 ? '' : `; the tree offers ${offers.map(formatDependency).join(', ')}`;
  return {
    severity: 'error',
    code: 'IMAGE_PACKAGE_UNKNOWN',
    message: `no package of the tree provides '${text}'${offered}`,
    ...(location === undefined ? {} : { location }),
    hint: 'correct the name, or add the package to the tree',
  };
}

function conflictDiagnostic({ package: name, with: others, dependency }: Conflict, file: string): Diagnostic {
  return {
    severity: 'error',
    code: 'IMAGE_PACKAGES_CONFLICT',
    message: `the image needs ${[name, ...others].join(' and ')}, which can't be installed together because of '${dependency}' of ${name}`,
    location: { file, line: 1 },
    hint: 'name only one of them',
  };
}
