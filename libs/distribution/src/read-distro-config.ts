/** Reads `toolkit/distro.json`, and says for which architectures it stands. */
import { readFileSync } from 'node:fs';
import { isAbsolute, join, normalize } from 'node:path';
import { Ajv, type ErrorObject } from 'ajv';
import { BuildError, nearestWord, type SourceLocation } from '@kiln/diagnostics';
import { parseLocatedJson, plainValue, valueAt, type LocatedJson } from '@kiln/image-config';
import { toolchainConfigProblem, toolchainFiles } from '@kiln/toolchain';
import { DISTRO_FILE, distroSchema, type DistroConfig } from './distro-config.ts';

/**
 * Reads and validates the file of a workspace.
 * @throws BuildError `DISTRO_CONFIG_MISSING`, `JSON_MALFORMED`, `DISTRO_CONFIG_INVALID`.
 */
export function readDistroConfig(root: string): DistroConfig {
  let text: string;
  try {
    text = readFileSync(join(root, DISTRO_FILE), 'utf8');
  } catch (cause) {
    throw new BuildError('DISTRO_CONFIG_MISSING', `${root} has no ${DISTRO_FILE}`, {
      hint: 'run inside a Kiln workspace, or create the file (docs/architecture.md shows one)',
      cause,
    });
  }
  const json = parseLocatedJson(text, DISTRO_FILE);
  const value = plainValue(json);
  const validate = new Ajv({ allErrors: true, verbose: true }).compile(distroSchema);
  if (!validate(value)) {
    const errors = validate.errors!;
    // Beside a slip in a name stands the error that the right one is missing.
    throw unfit(json, errors.find((error) => unknownName(error) !== undefined) ?? errors[0]!);
  }
  const problem = toolchainConfigProblem(value.toolchain);
  if (problem !== undefined) throw invalid(problem, placeOf(json, ['toolchain']));
  const config = value as DistroConfig;
  const index = (config.sources.places ?? []).findIndex(
    (one) => one.tokenVariable !== undefined && !/:/.test(one.from),
  );
  if (index >= 0) {
    const { from } = config.sources.places![index]!;
    const place = placeOf(json, ['sources', 'places', String(index), 'tokenVariable']);
    throw invalid(`the place '${from}' takes no 'tokenVariable': tokens are for mirrors`, place);
  }
  for (const one of paths(config)) {
    if (isAbsolute(one) || normalize(one).startsWith('..'))
      throw invalid(`the path '${one}' leaves the workspace`, placeOfText(json, one));
  }
  return config;
}

/** All architectures of a distribution, its own first. */
export function architecturesOf({ architecture, architectures = [] }: DistroConfig): string[] {
  return [...new Set([architecture, ...architectures])];
}

/**
 * The distribution for another architecture. Records of built packages are of one architecture; others have theirs in a
 * directory of their own.
 * @throws BuildError `ARCHITECTURE_UNKNOWN` for one that the distribution doesn't name.
 */
export function forArchitecture(config: DistroConfig, architecture: string): DistroConfig {
  if (architecture === config.architecture) return config;
  const known = architecturesOf(config);
  if (known.includes(architecture))
    return { ...config, architecture, provides: join(config.provides, `.${architecture}`) };
  throw new BuildError('ARCHITECTURE_UNKNOWN', `the distribution isn't made for '${architecture}'`, {
    location: { file: DISTRO_FILE, line: 1 },
    hint: `it is made for ${known.join(', ')}; further ones are named in "architectures"`,
  });
}

function paths(config: DistroConfig): string[] {
  const { specRoots, imageDirectory, macros, toolchain, sources, provides, macroAnswers, signing, results } = config;
  const tools = [config.imageTools, config.bootTools].filter((one) => one !== undefined);
  return [
    ...specRoots,
    imageDirectory,
    macros.main,
    ...macros.additional,
    ...(macros.rpmrc === undefined ? [] : [macros.rpmrc]),
    ...Object.values(macros.luaModules ?? {}),
    ...(macros.inBuildRoots ?? []),
    ...Object.values(macros.files ?? {}),
    ...toolchainFiles(toolchain),
    sources.debianLock,
    provides,
    ...(macroAnswers === undefined ? [] : [macroAnswers]),
    ...(signing === undefined ? [] : [signing.publicKey]),
    ...(results?.signedBy === undefined ? [] : [results.signedBy.publicKey]),
    ...(results?.from === undefined || results.from.includes('://') ? [] : [results.from]),
    ...tools.flatMap(({ packages, lock }) => [packages, lock]),
  ];
}

function unfit(json: LocatedJson, error: ErrorObject): BuildError {
  const path = error.instancePath.split('/').slice(1);
  const where = error.instancePath === '' ? 'the top level' : error.instancePath;
  const unknown = unknownName(error);
  if (unknown === undefined) return invalid(`${where} ${error.message}`, placeOf(json, path));
  const known = nearestWord(unknown, knownNames(error));
  const suggestion = known === undefined ? '' : `; did you mean '${known}'?`;
  return invalid(`${where} has the unknown member '${unknown}'${suggestion}`, placeOf(json, [...path, unknown]));
}

function unknownName({ params, propertyName }: ErrorObject): string | undefined {
  return (params['additionalProperty'] as string | undefined) ?? propertyName;
}

/** What stands where the error is: members of an object, or the names that a map may have. */
function knownNames({ schema, parentSchema }: ErrorObject): string[] {
  if (Array.isArray(schema)) return schema.map(String);
  return Object.keys((parentSchema?.['properties'] ?? {}) as object);
}

/** Of a member: its name. */
function placeOf(json: LocatedJson, path: readonly string[]): SourceLocation {
  const parent = valueAt(json, path.slice(0, -1));
  const member = parent?.kind === 'object' ? parent.members.get(path.at(-1) ?? '') : undefined;
  return member?.keyLocation ?? (valueAt(json, path) ?? json).location;
}

/** Of the first string with this text. */
function placeOfText(json: LocatedJson, text: string): SourceLocation {
  const find = (one: LocatedJson): SourceLocation | undefined => {
    if (one.kind === 'scalar') return one.value === text ? one.location : undefined;
    const within = one.kind === 'list' ? one.items : [...one.members.values()].map(({ value }) => value);
    return within.map(find).find((found) => found !== undefined);
  };
  return find(json) ?? json.location;
}

function invalid(message: string, location: SourceLocation): BuildError {
  return new BuildError('DISTRO_CONFIG_INVALID', message, { location });
}
