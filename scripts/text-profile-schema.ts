/** Writes the JSON schema of text profiles to docs/text-profiles/schema.json. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { textProfileSchema } from '../src/watermark/text/profile.ts';

const path = join(import.meta.dirname, '..', 'docs', 'text-profiles', 'schema.json');
await writeFile(path, `${JSON.stringify(z.toJSONSchema(textProfileSchema), null, 2)}\n`);
