/** `toolkit/packages.json`: what single packages are built with that differs from all others. The only reader of the file. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv, type ErrorObject } from 'ajv';
import { BuildError, nearestWord } from '@kiln/diagnostics';
import {
  CHECK_CODES,
  DEFAULT_LIMITS,
  observableLimits,
  type BuildLimits,
  type BuildRequestInput,
  type Waiver,
} from '@kiln/package-build';
import type { StatedResources } from './distro-config.ts';
import type { LintWaiver } from './lint-policy.ts';

export const SETTINGS_FILE = 'toolkit/packages.json';

export interface PackageSettings {
  /** Macros beside or instead of the distribution's, as `--define`. */
  readonly defines?: Readonly<Record<string, string>>;
  /** Build conditionals (`%bcond`) that are switched on and off, as `--with` and `--without`. */
  readonly with?: readonly string[];
  readonly without?: readonly string[];
  /** Instead of the usual limits. */
  readonly limits?: Partial<BuildLimits>;
  /** What to set aside for its build, instead of what history and the distribution say. Changes nothing in it. */
  readonly resources?: StatedResources;
  /** The build may use the machine's network. Its result then depends on more than its inputs. */
  readonly network?: { readonly reason: string };
  /** Why `%check` doesn't run, or why it may fail once: then it is tried a second time. */
  readonly check?: { readonly skip: string } | { readonly flaky: string };
  /** Findings on what is built that are accepted. */
  readonly waivers?: readonly Waiver[];
  /** Findings of rpmlint that are accepted. */
  readonly lint?: readonly LintWaiver[];
}

const reason = { type: 'string', minLength: 10 } as const;
const names = { type: 'array', items: { type: 'string', pattern: '^[A-Za-z0-9_]+$' }, uniqueItems: true } as const;
const amount = { type: 'integer', minimum: 1 } as const;

const limits = {
  seconds: amount,
  memoryBytes: amount,
  diskBytes: amount,
  outputBytes: amount,
  processes: amount,
  openFiles: amount,
  fileSizeBytes: amount,
  temporaryBytes: amount,
} as const satisfies Record<keyof BuildLimits, object>;

const share = { type: 'number', exclusiveMinimum: 0 } as const;
const resources = { memoryGB: share, cores: share } as const satisfies Record<keyof StatedResources, object>;

const members = {
  defines: {
    type: 'object',
    propertyNames: { pattern: '^[A-Za-z_][A-Za-z0-9_]{2,}$' },
    additionalProperties: { type: 'string' },
  },
  with: names,
  without: names,
  limits: { type: 'object', additionalProperties: false, properties: limits },
  resources: { type: 'object', additionalProperties: false, properties: resources },
  network: { type: 'object', additionalProperties: false, required: ['reason'], properties: { reason } },
  check: {
    type: 'object',
    additionalProperties: false,
    minProperties: 1,
    maxProperties: 1,
    properties: { skip: reason, flaky: reason },
  },
  waivers: {
    type: 'array',
    items: {
      type: 'object',
      additionalProperties: false,
      required: ['code', 'reason'],
      properties: { code: { type: 'string', enum: CHECK_CODES }, path: { type: 'string', pattern: '^/' }, reason },
    },
  },
  lint: {
    type: 'array',
    items: {
      type: 'object',
      additionalProperties: false,
      required: ['rule', 'reason'],
      properties: {
        rule: { type: 'string', pattern: '^[A-Za-z0-9%_-]+$' },
        path: { type: 'string', minLength: 1 },
        reason,
      },
    },
  },
} as const satisfies Record<keyof PackageSettings, object>;

/** JSON Schema of the file: settings by package id. */
export const settingsSchema = {
  type: 'object',
  additionalProperties: { type: 'object', additionalProperties: false, properties: members },
} as const;

/** Every name of a member that the file can have at some place, for suggestions. */
const KNOWN_MEMBERS = [
  ...Object.keys(members),
  ...Object.keys(limits),
  ...Object.keys(resources),
  'reason',
  'skip',
  'flaky',
  'code',
  'rule',
  'path',
];

/**
 * Settings by package id; none without the file.
 * @throws BuildError `PACKAGE_SETTINGS_INVALID`.
 */
export function readPackageSettings(root: string): ReadonlyMap<string, PackageSettings> {
  let text: string;
  try {
    text = readFileSync(join(root, SETTINGS_FILE), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return new Map();
    throw invalid('', (error as Error).message);
  }
  return parsePackageSettings(text);
}

/** @throws BuildError `PACKAGE_SETTINGS_INVALID`. */
export function parsePackageSettings(text: string): ReadonlyMap<string, PackageSettings> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw invalid(text, (error as Error).message);
  }
  const validate = new Ajv({ allErrors: true }).compile<Record<string, PackageSettings>>(settingsSchema);
  if (!validate(value)) throw described(text, validate.errors![0]!);
  for (const [id, { with: on = [], without: off = [] }] of Object.entries(value)) {
    const both = on.find((name) => off.includes(name));
    if (both !== undefined) throw invalid(text, `'${id}' is built with and without '${both}'`, id);
  }
  return new Map(Object.entries(value));
}

/**
 * Settings of packages that the tree doesn't have.
 * @throws BuildError `PACKAGE_SETTINGS_INVALID`.
 */
export function checkSettingsNames(settings: ReadonlyMap<string, PackageSettings>, ids: ReadonlySet<string>): void {
  for (const id of settings.keys()) {
    if (ids.has(id)) continue;
    const near = nearestWord(id, ids);
    throw invalid('', `the tree has no package '${id}'${near === undefined ? '' : `; did you mean '${near}'?`}`, id);
  }
}

/** The distribution's defines with those of a package; conditionals as rpmbuild's `--with` and `--without` define them. */
export function definesWith(
  defines: Readonly<Record<string, string>>,
  { defines: own = {}, with: on = [], without: off = [] }: PackageSettings,
): Record<string, string> {
  return {
    ...defines,
    ...own,
    ...Object.fromEntries(on.map((name) => [`_with_${name}`, `--with-${name}`])),
    ...Object.fromEntries(off.map((name) => [`_without_${name}`, `--without-${name}`])),
  };
}

/** What the build request has of a package's settings beside its defines. */
export function requestSettings(settings: PackageSettings = {}): Pick<BuildRequestInput, 'limits' | 'network'> {
  const { limits = {}, network } = settings;
  return {
    limits: { ...DEFAULT_LIMITS, ...limits },
    ...(network === undefined ? {} : { network: true }),
  };
}

/** The part of it that can change what is built. */
export function identityOfSettings(settings?: PackageSettings): object {
  const request = requestSettings(settings);
  return { ...request, limits: observableLimits(request.limits) };
}

/** Why `%check` of a package doesn't run, when somebody said so. */
export function skipReason({ settings }: { readonly settings?: PackageSettings }): string | undefined {
  const check = settings?.check;
  return check !== undefined && 'skip' in check ? check.skip : undefined;
}

/** Whether the spec has to be evaluated anew with them. */
export function changesEvaluation({ defines = {}, with: on = [], without: off = [] }: PackageSettings): boolean {
  return Object.keys(defines).length + on.length + off.length > 0;
}

function described(text: string, error: ErrorObject): BuildError {
  const path = error.instancePath.split('/').slice(1).map(unescapePointer);
  const where = path.length === 0 ? 'the top level' : path.map((part) => `'${part}'`).join(' → ');
  if (error.keyword === 'enum') {
    const allowed = (error.params['allowedValues'] as readonly string[]).join(', ');
    return invalid(text, `${where} must be one of ${allowed}`, path[0]);
  }
  if (error.keyword !== 'additionalProperties') return invalid(text, `${where} ${error.message}`, path[0]);
  const unknown = String(error.params['additionalProperty']);
  const known = nearestWord(unknown, KNOWN_MEMBERS);
  const suggestion = known === undefined ? '' : `; did you mean '${known}'?`;
  return invalid(text, `${where} has the unknown member '${unknown}'${suggestion}`, unknown);
}

/** RFC 6901, section 4. */
function unescapePointer(part: string): string {
  return part.replaceAll('~1', '/').replaceAll('~0', '~');
}

/** The location is the first line that names `near`. */
function invalid(text: string, message: string, near?: string): BuildError {
  const found = near === undefined ? -1 : text.split('\n').findIndex((line) => line.includes(JSON.stringify(near)));
  return new BuildError('PACKAGE_SETTINGS_INVALID', message, {
    location: { file: SETTINGS_FILE, line: found + 1 || 1 },
    hint: 'docs/debugging.md shows what the file may have',
  });
}
