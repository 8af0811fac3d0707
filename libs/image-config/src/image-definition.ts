/** An image definition with everything that it refers to, checked: what the image stage works from. */
import { BuildError, type Diagnostic, type SourceLocation } from '@kiln/diagnostics';
import { formatDependency, parseDependency, type Dependency } from '@kiln/rpm-package';
import { BUILT_ARTIFACTS, imageConfigSchema, packageListSchema } from './image-config-schema.ts';
import type { BuiltArtifactType, ImageConfig, SystemConfig } from './image-config-schema.ts';
import { parseLocatedJson, plainValue, valueAt, type LocatedJson, type LocatedObject } from './located-json.ts';
import { mergeConfig } from './merge-config.ts';
import { schemaProblems, unsupportedFeatures } from './validate-config.ts';

/** Reads a text file by its path relative to the workspace; undefined when there is none. */
export type ReadText = (path: string) => string | undefined;

/** A package that the image must have: `name`, or `name op version`. */
export interface RequestedPackage {
  readonly dependency: Dependency;
  readonly location: SourceLocation;
}

export interface ImageArtifact {
  readonly type: BuiltArtifactType;
  readonly fileName: string;
}

/** How a container is run; the members that the definition doesn't give are absent or empty. */
export interface ContainerConfig {
  readonly cmd?: readonly string[];
  readonly entrypoint?: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  readonly user?: string;
  readonly workingDir?: string;
  readonly exposedPorts: readonly string[];
  readonly volumes: readonly string[];
  readonly stopSignal?: string;
}

/** Plain data. */
export interface ImageDefinition {
  /** The file's name without extension. */
  readonly name: string;
  readonly file: string;
  /** Every file that was read, sorted: the definition, what it extends, package lists. */
  readonly files: readonly string[];
  readonly packages: readonly RequestedPackage[];
  readonly artifacts: readonly ImageArtifact[];
  readonly hostname?: string;
  readonly removeRpmDb: boolean;
  readonly disableRpmDocs: boolean;
  readonly container: ContainerConfig;
}

/**
 * Reads a definition, what it extends and its package lists.
 * @throws BuildError `JSON_MALFORMED`, `IMAGE_FILE_MISSING`, `IMAGE_EXTENDS_CYCLE`, `IMAGE_CONFIG_INVALID`, `IMAGE_FEATURE_UNSUPPORTED`;
 * each at the place in the text, all problems of a kind at once
 */
export function readImageDefinition(file: string, read: ReadText): ImageDefinition {
  const reader = new DefinitionReader(read);
  const json = reader.readConfig(file, []);
  fail('IMAGE_CONFIG_INVALID', file, schemaProblems(json, imageConfigSchema));
  fail('IMAGE_FEATURE_UNSUPPORTED', file, [
    ...unsupportedFeatures(json, imageConfigSchema),
    ...unsupportedShapes(json),
  ]);

  const config = plainValue(json) as ImageConfig;
  const system = config.SystemConfigs[0]!;
  const name = baseName(file).replace(/\.json$/, '');
  const packages = [
    ...reader.readPackageLists(json),
    ...requestedPackages(valueAt(json, ['SystemConfigs', '0', 'Packages'])),
  ];
  const artifacts = toArtifacts(config, name);
  fail('IMAGE_CONFIG_INVALID', file, meaningProblems(json, { packages, artifacts }));
  return {
    name,
    file,
    files: reader.files(),
    packages: withoutRepetitions(packages),
    artifacts,
    ...(system.Hostname ? { hostname: system.Hostname } : {}),
    removeRpmDb: system.RemoveRpmDb ?? false,
    disableRpmDocs: system.DisableRpmDocs ?? false,
    container: toContainer(system),
  };
}

/** Follows references between files and remembers what was read. */
class DefinitionReader {
  readonly #read: ReadText;
  readonly #files = new Set<string>();

  constructor(read: ReadText) {
    this.#read = read;
  }

  files(): string[] {
    return [...this.#files].sort();
  }

  /** A definition over those that it extends, without its `extends`. `from` is the chain of files that led here. */
  readConfig(file: string, from: readonly string[], reference?: SourceLocation): LocatedJson {
    if (from.includes(file)) {
      throw new BuildError('IMAGE_EXTENDS_CYCLE', `'extends' goes in a circle: ${[...from, file].join(' → ')}`, {
        ...(reference === undefined ? {} : { location: reference }),
        hint: 'remove one of these references',
      });
    }
    const json = this.#parse(file, reference);
    if (json.kind !== 'object') return json;
    const bases = references(json.members.get('extends')?.value);
    const members = new Map([...json.members].filter(([key]) => key !== 'extends' || bases === undefined));
    const own: LocatedObject = { ...json, members };
    const chain = [...from, file];
    const inherited = (bases ?? []).map(({ path, location }) =>
      this.readConfig(resolvePath(file, path), chain, location),
    );
    return [...inherited, own].reduce((base, next) => mergeConfig(base, next, imageConfigSchema));
  }

  readPackageLists(json: LocatedJson): RequestedPackage[] {
    const lists = references(valueAt(json, ['SystemConfigs', '0', 'PackageLists'])) ?? [];
    return lists.flatMap(({ path, location }) => {
      const file = resolvePath(location.file, path);
      const list = this.#parse(file, location);
      fail('IMAGE_CONFIG_INVALID', file, schemaProblems(list, packageListSchema));
      return requestedPackages(valueAt(list, ['packages']));
    });
  }

  #parse(file: string, reference: SourceLocation | undefined): LocatedJson {
    const text = this.#read(file);
    if (text === undefined) {
      throw new BuildError('IMAGE_FILE_MISSING', `there is no file '${file}'`, {
        ...(reference === undefined ? {} : { location: reference }),
        hint: 'paths are relative to the file that names them',
      });
    }
    this.#files.add(file);
    return parseLocatedJson(text, file);
  }
}

function fail(code: string, file: string, problems: readonly Diagnostic[]): void {
  const [first, ...others] = problems;
  if (first === undefined) return;
  if (others.length === 0) throw new BuildError(code, first.message, { location: first.location, hint: first.hint });
  throw new BuildError(code, `${file} has ${problems.length} problems`, {
    location: first.location,
    diagnostics: problems,
  });
}

/** What the schema allows and the image stage can't do yet, beside single members. */
function unsupportedShapes(json: LocatedJson): Diagnostic[] {
  const unsupported = (place: LocatedJson, message: string): Diagnostic => ({
    severity: 'error',
    code: 'IMAGE_FEATURE_UNSUPPORTED',
    message,
    location: place.location,
  });
  const single = ['SystemConfigs', 'Disks'].flatMap((key) => {
    const second = valueAt(json, [key, '1']);
    return second === undefined ? [] : [unsupported(second, `more than one entry of '${key}' is not built yet`)];
  });
  const types = listItems(valueAt(json, ['Disks', '0', 'Artifacts'])).flatMap((artifact) => {
    const type = valueAt(artifact, ['Type']);
    if (type?.kind !== 'scalar' || String(type.value) in BUILT_ARTIFACTS) return [];
    const built = Object.keys(BUILT_ARTIFACTS).join(', ');
    return [
      { ...unsupported(type, `artifacts of type '${type.value}' are not built yet`), hint: `use one of: ${built}` },
    ];
  });
  return [...single, ...types];
}

/** What is well-formed but makes no sense. */
function meaningProblems(
  json: LocatedJson,
  {
    packages,
    artifacts,
  }: { readonly packages: readonly RequestedPackage[]; readonly artifacts: readonly ImageArtifact[] },
): Diagnostic[] {
  const invalid = (message: string, location: SourceLocation): Diagnostic => ({
    severity: 'error',
    code: 'IMAGE_CONFIG_INVALID',
    message,
    location,
  });
  const problems: Diagnostic[] = [];
  if (artifacts.length === 0) problems.push(invalid("it makes nothing: 'Disks' has no 'Artifacts'", json.location));
  if (packages.length === 0)
    problems.push(invalid("it has no packages: neither 'Packages' nor 'PackageLists'", json.location));
  const places = listItems(valueAt(json, ['Disks', '0', 'Artifacts']));
  artifacts.forEach(({ fileName }, index) => {
    if (artifacts.findIndex((other) => other.fileName === fileName) === index) return;
    problems.push(invalid(`two artifacts are called '${fileName}'`, places[index]!.location));
  });
  for (const { dependency, location } of packages) {
    if (/^[^\s()<>=/][^\s()<>=]*$/.test(dependency.name)) continue;
    problems.push(
      invalid(`'${formatDependency(dependency)}' is neither a package name nor 'name op version'`, location),
    );
  }
  return problems;
}

function toArtifacts(config: ImageConfig, definition: string): ImageArtifact[] {
  return (config.Disks?.[0]?.Artifacts ?? []).map(({ Name, Type }) => {
    const type = Type as BuiltArtifactType;
    return { type, fileName: `${Name ?? definition}${BUILT_ARTIFACTS[type]}` };
  });
}

function toContainer({ Container: container = {} }: SystemConfig): ContainerConfig {
  return {
    ...(container.Cmd === undefined ? {} : { cmd: container.Cmd }),
    ...(container.Entrypoint === undefined ? {} : { entrypoint: container.Entrypoint }),
    env: container.Env ?? {},
    labels: container.Labels ?? {},
    ...(container.User ? { user: container.User } : {}),
    ...(container.WorkingDir === undefined ? {} : { workingDir: container.WorkingDir }),
    exposedPorts: container.ExposedPorts ?? [],
    volumes: container.Volumes ?? [],
    ...(container.StopSignal === undefined ? {} : { stopSignal: container.StopSignal }),
  };
}

function requestedPackages(list: LocatedJson | undefined): RequestedPackage[] {
  return listItems(list).flatMap((item) =>
    item.kind === 'scalar'
      ? [{ dependency: parseDependency(spaced(String(item.value))), location: item.location }]
      : [],
  );
}

/** `name>=1` as `name >= 1`. */
function spaced(text: string): string {
  return text.replace(/^([^\s<>=]+)\s*(<=|>=|<|>|==?)\s*(\S+)$/, '$1 $2 $3');
}

function withoutRepetitions(packages: readonly RequestedPackage[]): RequestedPackage[] {
  const byText = new Map<string, RequestedPackage>();
  for (const one of packages) {
    const text = formatDependency(one.dependency);
    if (!byText.has(text)) byText.set(text, one);
  }
  return [...byText.values()];
}

/** One path or a list of paths; undefined when it is neither. */
function references(
  value: LocatedJson | undefined,
): { readonly path: string; readonly location: SourceLocation }[] | undefined {
  if (value === undefined) return undefined;
  const items = value.kind === 'list' ? value.items : [value];
  const found = items.flatMap((item) =>
    item.kind === 'scalar' && typeof item.value === 'string' ? [{ path: item.value, location: item.location }] : [],
  );
  return found.length === items.length ? found : undefined;
}

function listItems(value: LocatedJson | undefined): readonly LocatedJson[] {
  return value?.kind === 'list' ? value.items : [];
}

/** `path` relative to the directory of `file`, with `.` and `..` resolved; both use `/`. */
function resolvePath(file: string, path: string): string {
  const steps = path.startsWith('/') ? [] : file.split('/').slice(0, -1);
  for (const step of path.split('/')) {
    if (step === '..' && steps.length > 0 && steps.at(-1) !== '..') steps.pop();
    else if (step !== '' && step !== '.') steps.push(step);
  }
  return (path.startsWith('/') || file.startsWith('/') ? '/' : '') + steps.filter((step) => step !== '').join('/');
}

function baseName(file: string): string {
  return file.slice(file.lastIndexOf('/') + 1);
}
