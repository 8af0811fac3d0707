/** Writes the schema files for editors: `npx tsx --conditions=development libs/image-config/test/write-schema.ts`. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { format } from 'prettier';
import { editorSchemas } from '../src/index.ts';

for (const [name, schema] of Object.entries(editorSchemas())) {
  const file = join(import.meta.dirname, '..', name);
  writeFileSync(file, await format(JSON.stringify(schema), { parser: 'json', printWidth: 120 }));
}
