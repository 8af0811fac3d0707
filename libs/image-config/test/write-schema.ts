/** Writes the schema file for editors: `npx tsx --conditions=development libs/image-config/test/write-schema.ts`. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { format } from 'prettier';
import { editorSchema } from '../src/index.ts';

const file = join(import.meta.dirname, '..', 'image-config.schema.json');
writeFileSync(file, await format(JSON.stringify(editorSchema()), { parser: 'json', printWidth: 120 }));
