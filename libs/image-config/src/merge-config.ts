/** How a definition and what it extends become one. */
import type { SchemaNode } from './schema-node.ts';
import type { LocatedJson, LocatedList, LocatedMember, LocatedObject } from './located-json.ts';

/**
 * `own` over `base`, by the schema: objects member by member; lists by their `mergeBy`, else replaced; everything else replaced. Each value
 * keeps the place where it was written. Values of the wrong shape are kept for validation to find.
 */
export function mergeConfig(base: LocatedJson, own: LocatedJson, schema: SchemaNode): LocatedJson {
  if (base.kind === 'object' && own.kind === 'object') return mergeObjects(base, own, schema);
  if (base.kind === 'list' && own.kind === 'list' && schema.mergeBy !== undefined) return mergeLists(base, own, schema);
  return own;
}

function mergeObjects(base: LocatedObject, own: LocatedObject, schema: SchemaNode): LocatedObject {
  const members = new Map<string, LocatedMember>(base.members);
  for (const [key, member] of own.members) {
    const inherited = base.members.get(key);
    const value =
      inherited === undefined ? member.value : mergeConfig(inherited.value, member.value, memberSchema(schema, key));
    members.set(key, { keyLocation: member.keyLocation, value });
  }
  return { kind: 'object', members, location: own.location };
}

function mergeLists(base: LocatedList, own: LocatedList, schema: SchemaNode): LocatedList {
  const items = [...base.items];
  for (const item of own.items) {
    const key = identity(item, schema.mergeBy!);
    const index = key === undefined ? -1 : items.findIndex((other) => identity(other, schema.mergeBy!) === key);
    if (index < 0) items.push(item);
    else items[index] = mergeConfig(items[index]!, item, schema.items ?? {});
  }
  return { kind: 'list', items, location: own.location };
}

/** By what two items are the same: a scalar by its value, an object by its `Name`; undefined when it is always another one. */
function identity(item: LocatedJson, mergeBy: 'append' | 'Name'): unknown {
  if (mergeBy === 'append') return item.kind === 'scalar' ? item.value : undefined;
  const name = item.kind === 'object' ? item.members.get('Name')?.value : undefined;
  return name?.kind === 'scalar' ? name.value : undefined;
}

function memberSchema(schema: SchemaNode, key: string): SchemaNode {
  return schema.properties?.[key] ?? (schema.additionalProperties || {});
}
