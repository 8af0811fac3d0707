/** What the schema is written in: its nodes and those that stand in many places. */

/** A node of the schema. The last two members are ours. */
export interface SchemaNode {
  readonly type?: 'string' | 'integer' | 'boolean' | 'array' | 'object';
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly SchemaNode[];
  readonly pattern?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly items?: SchemaNode;
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  /** Members by a regular expression of their name; without a schema of their own. */
  readonly patternProperties?: Readonly<Record<string, object>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: false | SchemaNode;
  /** How lists of a base and of what extends it become one: `append` without repetitions, or by the member `Name`; else replace. */
  readonly mergeBy?: 'append' | 'Name';
  /** Why Kiln, which knows the meaning, doesn't build it; only `default` is accepted. */
  readonly notBuilt?: string;
}

export const text = { type: 'string' } as const;
export const name = { type: 'string', minLength: 1 } as const;
export const flag = { type: 'boolean', default: false } as const;
export const texts = { type: 'array', items: name, mergeBy: 'append' } as const;
export const words = { type: 'array', items: text } as const;
export const textMap = { type: 'object', additionalProperties: text } as const;
