/** Reads `toolkit/distro.json`, and says for which architectures it stands. */
import { readFileSync } from 'node:fs';
import { isAbsolute, join, normalize } from 'node:path';
import { Ajv, type ErrorObject } from 'ajv';
import { BuildError, nearestWord } from '@kiln/diagnostics';
import { CHECK_CODES } from '@kiln/package-build';
import { toolchainConfigProblem, toolchainFiles } from '@kiln/toolchain';
import { DISTRO_FILE, distroSchema, type DistroConfig } from './distro-config.ts';

/**
 * Reads and validates the file of a workspace.
 * @throws BuildError `DISTRO_CONFIG_MISSING`, `DISTRO_CONFIG_INVALID`.
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
  const value = parse(text);
  const validate = new Ajv({ allErrors: true }).compile(distroSchema);
  if (!validate(value)) throw invalid(describe(validate.errors![0]!));
  const problem = toolchainConfigProblem(value.toolchain);
  if (problem !== undefined) throw invalid(problem);
  const config = value as DistroConfig;
  const place = value.sources.places?.find(({ from, tokenVariable }) => tokenVariable !== undefined && !/:/.test(from));
  if (place !== undefined) throw invalid(`the place '${place.from}' takes no 'tokenVariable': tokens are for mirrors`);
  for (const one of paths(config)) {
    if (isAbsolute(one) || normalize(one).startsWith('..')) throw invalid(`the path '${one}' leaves the workspace`);
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

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw invalid((error as Error).message);
  }
}

function paths(config: DistroConfig): string[] {
  const { specRoots, imageDirectory, macros, toolchain, sources, provides, macroAnswers, signing } = config;
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
    ...tools.flatMap(({ packages, lock }) => [packages, lock]),
  ];
}

function describe(error: ErrorObject): string {
  const where = error.instancePath === '' ? 'the top level' : error.instancePath;
  const unknown = (error.params['additionalProperty'] as string | undefined) ?? error.propertyName;
  if (unknown === undefined) return `${where} ${error.message}`;
  const known = nearestWord(unknown, [...Object.keys(distroSchema['properties'] as object), ...CHECK_CODES]);
  return `${where} has the unknown member '${unknown}'${known === undefined ? '' : `; did you mean '${known}'?`}`;
}

function invalid(message: string): BuildError {
  return new BuildError('DISTRO_CONFIG_INVALID', message, { location: { file: DISTRO_FILE, line: 1 } });
}
