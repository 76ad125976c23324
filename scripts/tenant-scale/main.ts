/**
 * Measures what configured tenants cost a gateway: `npx tsx scripts/tenant-scale/main.ts [TENANTS]`.
 * The commitments in the ring are to no keys, as true ones take some 60 ms each.
 */
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deriveEpochKey } from '../../src/keys/derivation.ts';
import { hashApiKey } from '../../src/store/api-keys.ts';
import { bundleLines } from '../../src/store/epoch-bundle.ts';
import { encodeRing } from '../../src/store/key-ring-file.ts';

const count = Number(process.argv[2] ?? 100_000);
const directory = mkdtempSync(join(tmpdir(), 'tenant-scale-'));
try {
  writeProject();
  for (const source of ['file:ring.json', 'bundle:bundle.jsonl']) {
    const text = `schema: touchmark/config@1
model: { name: m, upstream: "http:http://127.0.0.1:9/c", labels: [a, b] }
tenantsFile: tenants.jsonl
serve: { quotas: { requestsPerSecond: 10, answersPerDay: 100000 } }
keys: { source: "${source}" }
`;
    writeFileSync(join(directory, 'touchmark.yaml'), text);
    const measured = execFileSync(
      process.execPath,
      [
        ...process.execArgv,
        join(import.meta.dirname, 'gateway.ts'),
        join(directory, 'touchmark.yaml'),
      ],
      { encoding: 'utf8' },
    );
    process.stdout.write(`${count} tenants, ${source}\n${measured}`);
  }
} finally {
  rmSync(directory, { recursive: true });
}

function writeProject(): void {
  const root = randomBytes(32);
  const createdAt = new Date().toISOString();
  const epochs = Array.from({ length: count }, (_, index) => ({
    ...{ tenant: nameOf(index), epoch: 'e1', createdAt },
    commitment: `sha256:${randomBytes(32).toString('hex')}`,
  }));
  const section = { kind: 'plain', secret: root.toString('base64') } as const;
  const write = (name: string, text: string) =>
    writeFileSync(join(directory, name), text, { mode: 0o600 });
  write('ring.json', encodeRing(root, { root: section, epochs }));
  const bundled = epochs.map(({ tenant, epoch, commitment }) => ({
    ...{ tenant, epoch, commitment },
    key: deriveEpochKey({ root, tenant, epoch }),
  }));
  write('bundle.jsonl', [...bundleLines(bundled, count, createdAt)].join(''));
  const lines = epochs.map(({ tenant }) =>
    JSON.stringify({ id: tenant, apiKeySha256: hashApiKey(`key of ${tenant}`) }),
  );
  write('tenants.jsonl', `${lines.join('\n')}\n`);
}

function nameOf(index: number): string {
  return `customer-${index.toString().padStart(6, '0')}`;
}
