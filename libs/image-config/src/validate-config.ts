/** Checks a definition against the schema, and says for every problem where it was written. */
import type { Diagnostic } from '@kiln/diagnostics';
import { nearestWord } from '@kiln/diagnostics';
import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import type { SchemaNode } from './schema-node.ts';
import { plainValue, valueAt, type LocatedJson } from './located-json.ts';

const ajv = new Ajv({ allErrors: true, verbose: true });
ajv.addVocabulary(['mergeBy', 'notBuilt']);
const compiled = new Map<SchemaNode, ValidateFunction>();

/** All violations of the schema, in the order of the text. */
export function schemaProblems(json: LocatedJson, schema: SchemaNode): Diagnostic[] {
  const validate = compiled.get(schema) ?? ajv.compile(schema);
  compiled.set(schema, validate);
  if (validate(plainValue(json))) return [];
  return withoutAlternatives(validate.errors!)
    .map((error) => toDiagnostic(error, json))
    .sort(byPlace);
}

/** Of several alternatives only what is wrong with the one of the right type counts; when there is none, that none fits. */
function withoutAlternatives(errors: readonly ErrorObject[]): ErrorObject[] {
  const alternative = ({ schemaPath }: ErrorObject) => /^.*\/anyOf\/\d+\//.exec(schemaPath)?.[0];
  // The alternative itself is of another type, not something in it.
  const isWrongType = (error: ErrorObject) => error.schemaPath === `${alternative(error)}type`;
  const telling = errors.filter((error) => !isWrongType(error));
  const isExplained = ({ keyword, instancePath }: ErrorObject) =>
    keyword === 'anyOf' &&
    telling.some((other) =>
      other.keyword === 'anyOf'
        ? other.instancePath.startsWith(`${instancePath}/`)
        : other.instancePath === instancePath || other.instancePath.startsWith(`${instancePath}/`),
    );
  return telling.filter((error) => !isExplained(error));
}

/** Everything that is asked for and not built yet, in the order of the text. */
export function unsupportedFeatures(json: LocatedJson, schema: SchemaNode, path: readonly string[] = []): Diagnostic[] {
  if (json.kind === 'list') return json.items.flatMap((item) => unsupportedFeatures(item, schema.items ?? {}, path));
  if (json.kind !== 'object') return [];
  return [...json.members].flatMap(([key, { keyLocation, value }]): Diagnostic[] => {
    const member = schema.properties?.[key];
    if (member === undefined) return [];
    if (member.notBuilt === undefined) return unsupportedFeatures(value, member, [...path, key]);
    if (asksForNothing(value, member.default)) return [];
    const message = `'${key}' is known but not built: ${member.notBuilt}`;
    return [
      { severity: 'error', code: 'IMAGE_FEATURE_UNSUPPORTED', message, location: keyLocation, hint: `remove '${key}'` },
    ];
  });
}

/** The documented default, or an empty text, list or object, also one of such. */
function asksForNothing(value: LocatedJson, standard: unknown): boolean {
  const plain = plainValue(value);
  return isEmpty(plain) || JSON.stringify(plain) === JSON.stringify(standard);
}

function isEmpty(value: unknown): boolean {
  if (typeof value === 'object' && value !== null) return Object.values(value).every(isEmpty);
  return value === '' || value === false;
}

function toDiagnostic(error: ErrorObject, json: LocatedJson): Diagnostic {
  const path = error.instancePath
    .split('/')
    .slice(1)
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));
  const place = valueAt(json, path) ?? json;
  const owner = path.findLast((step) => !/^\d+$/.test(step));
  const subject = owner === undefined ? 'the definition' : `'${owner}'`;
  const problem = describe(error, subject);
  const { additionalProperty } = error.params as { additionalProperty?: string };
  const key =
    additionalProperty !== undefined && place.kind === 'object' ? place.members.get(additionalProperty) : undefined;
  return { severity: 'error', code: 'IMAGE_CONFIG_INVALID', location: key?.keyLocation ?? place.location, ...problem };
}

interface Problem {
  readonly message: string;
  readonly hint?: string;
}

/** One line for each keyword of the schema that can fail. */
const DESCRIPTIONS: Readonly<Record<string, (error: ErrorObject, subject: string) => Problem>> = {
  additionalProperties: ({ params, parentSchema }, subject) => {
    const unknown = String(params['additionalProperty']);
    return suggestion(
      `${subject} has no member '${unknown}'`,
      unknown,
      Object.keys((parentSchema as SchemaNode).properties ?? {}),
    );
  },
  required: ({ params }, subject) => ({ message: `${subject} needs the member '${params['missingProperty']}'` }),
  type: ({ params, data }, subject) => ({
    message: `${subject} must be of type ${params['type']}, found ${excerpt(data)}`,
  }),
  enum: ({ params, data }, subject) => {
    const allowed = (params['allowedValues'] as readonly unknown[]).map(String);
    return suggestion(`${subject} can't be ${excerpt(data)}`, String(data), allowed);
  },
  anyOf: ({ data }, subject) => ({ message: `${subject} can't be ${excerpt(data)}` }),
  pattern: ({ params, data }, subject) => ({
    message: `${subject} can't be ${excerpt(data)}: it must match ${params['pattern']}`,
  }),
  minLength: (_, subject) => ({ message: `${subject} must not be empty` }),
  minItems: (_, subject) => ({ message: `${subject} must not be empty` }),
};

function describe(error: ErrorObject, subject: string): Problem {
  return (
    DESCRIPTIONS[error.keyword]?.(error, subject) ?? {
      message: `${subject} ${error.message}, found ${excerpt(error.data)}`,
    }
  );
}

function suggestion(message: string, found: string, candidates: readonly string[]): Problem {
  const nearest = nearestWord(found, candidates);
  return nearest === undefined
    ? { message, hint: `use one of: ${candidates.map((one) => one || "''").join(', ')}` }
    : { message: `${message}; did you mean '${nearest}'?`, hint: `write '${nearest}'` };
}

function excerpt(value: unknown): string {
  const text = JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}

function byPlace(a: Diagnostic, b: Diagnostic): number {
  const [left, right] = [a.location!, b.location!];
  if (left.file !== right.file) return left.file < right.file ? -1 : 1;
  return left.line - right.line || (left.column ?? 0) - (right.column ?? 0);
}
