import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { verifyShippedSet } from '../../src/operations/traps/verify.ts';
import { trapSetJsonSchema } from '../../src/traps/trap-set.ts';

const folder = join(import.meta.dirname, '../../traps');
const schemaFile = 'trap-set.schema.json';

describe('the folder traps/', () => {
  it('publishes the JSON schema that scripts/trap-set-schema.ts writes', () => {
    const published: unknown = JSON.parse(readFileSync(join(folder, schemaFile), 'utf8'));
    expect(published).toEqual(trapSetJsonSchema());
  });

  it('ships sets that verify', async () => {
    const names = readdirSync(folder).filter((name) => name.endsWith('.json'));
    for (const name of names.filter((each) => each !== schemaFile)) {
      const { problems } = await verifyShippedSet(name.slice(0, -'.json'.length));
      expect(problems, name).toEqual([]);
    }
  });

  it('is described with every field of a set and every reason to retire', () => {
    const page = readFileSync(join(folder, 'README.md'), 'utf8');
    for (const name of fieldNames(trapSetJsonSchema())) expect(page).toContain(`\`${name}\``);
  });
});

/** The names of all properties anywhere in a JSON schema. */
function fieldNames(schema: unknown): Set<string> {
  const names = new Set<string>();
  const visit = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return;
    if ('properties' in value) {
      for (const name of Object.keys(value.properties as object)) names.add(name);
    }
    for (const inner of Object.values(value)) visit(inner);
  };
  visit(schema);
  return names;
}
