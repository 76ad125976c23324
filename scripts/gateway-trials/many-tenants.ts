import { randomBytes } from 'node:crypto';
import { appendFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { deriveEpochKey } from '../../src/keys/derivation.ts';
import { hashApiKey } from '../../src/store/api-keys.ts';
import { bundleLines } from '../../src/store/epoch-bundle.ts';
import type { TrialProject } from './project.ts';

/**
 * Gives a project very many tenants, by a bundle of epoch keys. Their commitments are to no keys, as true
 * ones take some 60 ms each.
 *
 * @returns API keys of the first thousand
 */
export function addManyTenants(
  { directory, configPath }: TrialProject,
  count: number,
): ReadonlyMap<string, string> {
  const root = randomBytes(32);
  const names = Array.from({ length: count }, (_, index) => `customer-${index}`);
  const epochs = names.map((tenant) => ({
    ...{ tenant, epoch: 'e1', commitment: `sha256:${randomBytes(32).toString('hex')}` },
    key: deriveEpochKey({ root, tenant, epoch: 'e1' }),
  }));
  const bundle = [...bundleLines(epochs, count, new Date().toISOString())].join('');
  writeFileSync(join(directory, 'bundle.jsonl'), bundle, { mode: 0o600 });
  const lines = names.map((id) => JSON.stringify({ id, apiKeySha256: hashApiKey(keyOf(id)) }));
  writeFileSync(join(directory, 'tenants.jsonl'), `${lines.join('\n')}\n`);
  appendFileSync(configPath, 'keys: { source: "bundle:bundle.jsonl" }\n');
  return new Map(names.slice(0, 1_000).map((id) => [id, keyOf(id)]));
}

function keyOf(tenant: string): string {
  return `key-of-${tenant}`;
}
