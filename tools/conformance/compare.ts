/** Compares two plain values field by field. */

/** A field that differs, with both sides. */
export interface FieldDifference {
  readonly field: string;
  readonly rpm: unknown;
  readonly kiln: unknown;
}

/** The differing fields; lists that are not of records are compared as wholes and shown by what only one side has. */
export function compareValues(rpm: unknown, kiln: unknown, field = ''): FieldDifference[] {
  if (JSON.stringify(rpm) === JSON.stringify(kiln)) return [];
  if (isRecord(rpm) && isRecord(kiln)) {
    const keys = [...new Set([...Object.keys(rpm), ...Object.keys(kiln)])];
    return keys.flatMap((key) => compareValues(rpm[key], kiln[key], field === '' ? key : `${field}.${key}`));
  }
  if (!Array.isArray(rpm) || !Array.isArray(kiln)) return [{ field, rpm, kiln }];
  const [left, right]: [readonly unknown[], readonly unknown[]] = [rpm, kiln];
  if (left.length === right.length && left.every(isRecord)) {
    return left.flatMap((item, index) => compareValues(item, right[index], `${field}[${index}]`));
  }
  return [{ field, ...onlyOnOneSide(left, right) }];
}

function onlyOnOneSide(rpm: readonly unknown[], kiln: readonly unknown[]): { rpm: unknown; kiln: unknown } {
  const keys = (list: readonly unknown[]): Set<string> => new Set(list.map((item) => JSON.stringify(item)));
  const [left, right] = [keys(rpm), keys(kiln)];
  const onlyLeft = rpm.filter((item) => !right.has(JSON.stringify(item)));
  const onlyRight = kiln.filter((item) => !left.has(JSON.stringify(item)));
  return onlyLeft.length + onlyRight.length === 0 ? { rpm, kiln } : { rpm: onlyLeft, kiln: onlyRight };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A value as one short line. */
export function shorten(value: unknown, length = 400): string {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > length ? `${text.slice(0, length)}…` : text;
}
