/**
 * The schema of image definitions: the one table from which validation, merging, "not built yet", TypeScript's types and the editors'
 * schema file come. Names and meanings are those of Azure Linux 3 image configurations; what is ours is in docs/images.md.
 */
import { disk } from './disk-schema.ts';
import { name } from './schema-node.ts';
import type { FromSchema } from './schema-type.ts';
import { systemConfig } from './system-schema.ts';

export const imageConfigSchema = {
  type: 'object',
  properties: {
    $schema: { type: 'string', description: 'For editors' },
    extends: {
      anyOf: [name, { type: 'array', items: name }],
      description:
        'Definitions to start from, relative to this file; later ones win over earlier ones, this one over all',
    },
    Disks: { type: 'array', items: disk, description: 'A list given here replaces that of the base' },
    SystemConfigs: { type: 'array', items: systemConfig, minItems: 1, mergeBy: 'Name' },
  },
  required: ['SystemConfigs'],
  additionalProperties: false,
} as const;

export const packageListSchema = {
  type: 'object',
  properties: {
    $schema: { type: 'string', description: 'For editors' },
    summary: { type: 'string', description: 'What the packages are for, in a sentence' },
    packages: {
      type: 'array',
      items: name,
      description: 'Names, or `name op version`; what these need comes by itself',
    },
  },
  patternProperties: { '^_': {} },
  required: ['packages'],
  additionalProperties: false,
} as const;

/** A valid image definition as it is written. */
export type ImageConfig = FromSchema<typeof imageConfigSchema>;
export type SystemConfig = ImageConfig['SystemConfigs'][number];

/** JSON Schemas for editors, by file name: without the members that only Kiln understands. */
export function editorSchemas(): Readonly<Record<string, unknown>> {
  return {
    'image-config.schema.json': editorSchema('Image definition', imageConfigSchema),
    'package-list.schema.json': editorSchema('List of packages', packageListSchema),
  };
}

function editorSchema(title: string, schema: object): unknown {
  const plain = JSON.parse(
    JSON.stringify(schema, (key, value: unknown) => (key === 'mergeBy' || key === 'notBuilt' ? undefined : value)),
  ) as Record<string, unknown>;
  return { $schema: 'http://json-schema.org/draft-07/schema#', title, ...plain };
}
