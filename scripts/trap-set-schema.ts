/** Writes the JSON schema of trap sets to traps/trap-set.schema.json. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { trapSetJsonSchema } from '../src/traps/trap-set.ts';

const path = join(import.meta.dirname, '..', 'traps', 'trap-set.schema.json');
await writeFile(path, `${JSON.stringify(trapSetJsonSchema(), null, 2)}\n`);
