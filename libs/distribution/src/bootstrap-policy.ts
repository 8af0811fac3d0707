/** `toolkit/bootstrap.json`: how cycles of packages that need one another to be built are broken. Nothing else breaks them. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv, type JSONSchemaType } from 'ajv';
import { BuildError, nearestWord, type SourceLocation } from '@kiln/diagnostics';
import { parseDependency, parseEvr } from '@kiln/rpm-package';
import type { Provider } from '@kiln/package-graph';

export const BOOTSTRAP_FILE = 'toolkit/bootstrap.json';

/** An RPM from outside, pinned by digest, with what a plan must know of it. */
export interface SeedRpm {
  readonly fileName: string;
  readonly sha256: string;
  /** Where it can be had when the store doesn't have it. */
  readonly url: string;
  readonly name: string;
  readonly evr: string;
  readonly arch: string;
  readonly provides: string[];
  readonly requires: string[];
}

/** How a package is built the first time. */
export interface BootstrapBuild {
  /** Build conditionals (`%bcond`) that are switched on and off. */
  readonly with: string[];
  readonly without: string[];
}

/** A need of a build root that isn't met by the RPMs of the tree's package `requires`. */
export interface BrokenEdge {
  /** Id of the package that is built. */
  readonly package: string;
  /** Id of the package whose RPMs stay out of its root. */
  readonly requires: string;
  /** What meets the need instead: the toolchain, pinned RPMs, or the RPMs of that package's `rpm-bootstrap` target. */
  readonly from: 'toolchain' | 'seed' | 'bootstrap';
  readonly rpms: readonly SeedRpm[];
  readonly location: SourceLocation;
}

export interface BootstrapPolicy {
  /** By package id: those with a target `rpm-bootstrap`. */
  readonly packages: ReadonlyMap<string, BootstrapBuild>;
  readonly edges: readonly BrokenEdge[];
}

interface PolicyFile {
  readonly packages?: Record<string, { readonly with?: string[]; readonly without?: string[] }>;
  readonly edges?: {
    readonly package: string;
    readonly requires: string;
    readonly from: 'toolchain' | 'seed' | 'bootstrap';
    readonly rpms?: SeedRpm[];
  }[];
}

const text = { type: 'string', minLength: 1 } as const;
const texts = { type: 'array', items: text, uniqueItems: true } as const;

/** JSON Schema of the file. */
export const bootstrapSchema: JSONSchemaType<PolicyFile> = {
  type: 'object',
  additionalProperties: false,
  properties: {
    packages: {
      type: 'object',
      nullable: true,
      required: [],
      additionalProperties: {
        type: 'object',
        additionalProperties: false,
        properties: { with: { ...texts, nullable: true }, without: { ...texts, nullable: true } },
      },
    },
    edges: {
      type: 'array',
      nullable: true,
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['package', 'requires', 'from'],
        properties: {
          package: text,
          requires: text,
          from: { type: 'string', enum: ['toolchain', 'seed', 'bootstrap'] },
          rpms: {
            type: 'array',
            nullable: true,
            minItems: 1,
            items: {
              type: 'object',
              additionalProperties: false,
              required: ['fileName', 'sha256', 'url', 'name', 'evr', 'arch', 'provides', 'requires'],
              properties: {
                fileName: text,
                sha256: { type: 'string', pattern: '^[0-9a-f]{64}$' },
                url: text,
                name: text,
                evr: text,
                arch: text,
                provides: { type: 'array', items: text },
                requires: { type: 'array', items: text },
              },
            },
          },
        },
      },
    },
  },
};

/** No cycle is broken. */
export const NO_POLICY: BootstrapPolicy = { packages: new Map(), edges: [] };

/**
 * Reads the policy of a tree; without the file nothing is broken.
 * @throws BuildError `BOOTSTRAP_POLICY_INVALID`.
 */
export function readBootstrapPolicy(root: string): BootstrapPolicy {
  let content: string;
  try {
    content = readFileSync(join(root, BOOTSTRAP_FILE), 'utf8');
  } catch {
    return NO_POLICY;
  }
  return parseBootstrapPolicy(content);
}

/** @throws BuildError `BOOTSTRAP_POLICY_INVALID`. */
export function parseBootstrapPolicy(content: string): BootstrapPolicy {
  const file = parseFile(content);
  const packages = Object.entries(file.packages ?? {}).map(([id, one]): [string, BootstrapBuild] => [
    id,
    { with: one.with ?? [], without: one.without ?? [] },
  ]);
  const edges = (file.edges ?? []).map((edge, at): BrokenEdge => {
    const location = { file: BOOTSTRAP_FILE, line: lineOfEdge(content, at) };
    if ((edge.from === 'seed') !== (edge.rpms !== undefined)) {
      throw invalid(`an edge has 'rpms' exactly when it is from 'seed'`, location);
    }
    return { ...edge, rpms: edge.rpms ?? [], location };
  });
  return { packages: new Map(packages), edges };
}

function parseFile(content: string): PolicyFile {
  let value: unknown;
  try {
    value = JSON.parse(content);
  } catch (error) {
    throw invalid((error as Error).message);
  }
  const validate = new Ajv({ allErrors: true }).compile(bootstrapSchema);
  if (validate(value)) return value;
  const { instancePath, message, params } = validate.errors![0]!;
  const member = params['additionalProperty'] as string | undefined;
  const named = member === undefined ? '' : ` '${member}'`;
  throw invalid(`${instancePath === '' ? 'the top level' : instancePath} ${message ?? 'is wrong'}${named}`);
}

/** Edges stand in the file in their order; each has one member `package`. */
function lineOfEdge(content: string, index: number): number {
  const found = [...content.matchAll(/"package"\s*:/g)][index];
  return content.slice(0, found?.index ?? 0).split('\n').length;
}

/**
 * Entries that name what the tree doesn't have.
 * @throws BuildError `BOOTSTRAP_POLICY_INVALID`.
 */
export function checkPolicyNames({ packages, edges }: BootstrapPolicy, ids: ReadonlySet<string>): void {
  const named = [...packages.keys(), ...edges.flatMap((edge) => [edge.package, edge.requires])];
  for (const id of named) {
    if (ids.has(id)) continue;
    const near = nearestWord(id, ids);
    throw invalid(`the tree has no package '${id}'${near === undefined ? '' : `; did you mean '${near}'?`}`);
  }
  for (const { from, requires, location } of edges) {
    if (from === 'bootstrap' && !packages.has(requires)) {
      throw invalid(
        `'${requires}' has no entry below 'packages', which would say how it is built the first time`,
        location,
      );
    }
  }
}

/** A seed as something that can be chosen. */
export function seedProvider(seed: SeedRpm): Provider {
  return {
    origin: seedOrigin(seed),
    name: seed.name,
    evr: parseEvr(seed.evr),
    arch: seed.arch,
    provides: seed.provides.map(parseDependency),
    requires: seed.requires.map(parseDependency),
  };
}

/** Origin of a seed: its digest makes it unique. */
export function seedOrigin({ sha256 }: Pick<SeedRpm, 'sha256'>): string {
  return `${SEED_PREFIX}${sha256}`;
}

const SEED_PREFIX = 'seed:';

export function isSeedOrigin(origin: string): boolean {
  return origin.startsWith(SEED_PREFIX);
}

function invalid(message: string, location: SourceLocation = { file: BOOTSTRAP_FILE, line: 1 }): BuildError {
  return new BuildError('BOOTSTRAP_POLICY_INVALID', message, {
    location,
    hint: '`kiln cycles` proposes entries; docs/decisions has the rules',
  });
}
