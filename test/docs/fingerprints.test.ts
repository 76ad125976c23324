import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { buildLanguageProbes } from '../../scripts/demo/fingerprints/language-probes.ts';
import { fingerprintSchema } from '../../src/fingerprints/fingerprint.ts';
import { probeSetId, probeSetSchema } from '../../src/fingerprints/probe-set.ts';
import { referenceNullSchema } from '../../src/fingerprints/reference-null.ts';
import { listFingerprints } from '../../src/operations/fingerprints/list.ts';

const folder = join(import.meta.dirname, '../../fingerprints');
const page = readFileSync(join(folder, 'README.md'), 'utf8');

describe('the folder fingerprints/', () => {
  it('ships fingerprints that can be read, each described with its package and version', async () => {
    const { fingerprints, problems } = await listFingerprints({ configPath: 'touchmark.yaml' });
    expect(problems).toEqual([]);
    const shipped = fingerprints.filter(({ builtin }) => builtin !== null);
    const files = readdirSync(folder).filter((name) => /^fingerprint-.*\.json$/.test(name));
    expect(shipped).toHaveLength(files.length);
    for (const { builtin, model, summary } of shipped) {
      expect(page).toContain(`| \`${builtin}\` | ${model.version}`);
      expect(summary!.answered).toBe(600);
    }
  });

  it('has the questions that scripts/demo/fingerprints makes', () => {
    expect(existsSync(join(folder, `${probeSetId(buildLanguageProbes())}.json`))).toBe(true);
  });

  it('is described with every field of its files', () => {
    for (const schema of [fingerprintSchema, probeSetSchema, referenceNullSchema]) {
      for (const name of fieldNames(z.toJSONSchema(schema))) expect(page).toContain(`\`${name}\``);
    }
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
