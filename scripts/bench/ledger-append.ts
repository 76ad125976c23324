import { mkdtemp, open, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openServingLog } from '../../src/ledger/serving-log.ts';
import { type BenchRow, median } from './measure.ts';

const classes = 24;
const records = 20_000;
/** Requests under way at a time, of one question each. */
const clients = 64;
const rounds = 5;

/** What a record of the serving log costs, against a bare write of the bytes that it leaves. */
export async function benchLedger(): Promise<readonly BenchRow[]> {
  const directory = await mkdtemp(join(tmpdir(), 'touchmark-bench-'));
  try {
    const rows: BenchRow[] = [];
    for (const tenants of [1, 1000]) {
      const appended: number[] = [];
      const written: number[] = [];
      for (let round = 0; round < rounds; round += 1) {
        const place = join(directory, `log-${tenants}-${round}`);
        appended.push(await timeAppends(place, tenants));
        written.push(await timeWrites(`${place}-bare`, await bytesIn(place)));
      }
      const [value, other] = [median(appended), median(written)];
      rows.push({
        name: `ledger/append-${tenants}`,
        value,
        unit: `microseconds of CPU per record, ${clients} requests at a time, tenants: ${tenants}`,
        ratio: value / other,
        against: `a bare write of the same bytes: ${other.toFixed(1)} microseconds`,
      });
    }
    return rows;
  } finally {
    await rm(directory, { recursive: true });
  }
}

/** All threads' time, user's and system's, once every tenant has a key. */
async function timeAppends(directory: string, tenants: number): Promise<number> {
  const log = await openServingLog(directory);
  const probabilities = Array.from({ length: classes }, (_, k) => (2 * (k + 1)) / classes / 25);
  const recordOf = (number: number) => ({
    tenant: `tenant-${number % tenants}`,
    epoch: 'epoch',
    servedAt: '2026-01-01T00:00:00.000Z',
    modelVersion: '1',
    input: `a question of some eighty characters, as people ask them of a classifier, ${number}`,
    clean: probabilities,
    served: probabilities,
    label: classes - 1,
    marks: { probability: true },
  });
  await log.append(Array.from({ length: tenants }, (_, tenant) => recordOf(tenant)));
  let number = 0;
  const client = async () => {
    while (number < records) {
      number += 1;
      await log.append([recordOf(number)]);
    }
  };
  const begun = process.cpuUsage();
  await Promise.all(Array.from({ length: clients }, client));
  await log.sync();
  const { user, system } = process.cpuUsage(begun);
  await log.close();
  return (user + system) / records;
}

async function timeWrites(path: string, bytes: number): Promise<number> {
  const writes = Math.ceil(records / clients);
  const chunk = Buffer.alloc(Math.ceil(bytes / writes), 1);
  const file = await open(path, 'a');
  const begun = process.cpuUsage();
  for (let number = 0; number < writes; number += 1) await file.write(chunk);
  await file.datasync();
  const { user, system } = process.cpuUsage(begun);
  await file.close();
  return (user + system) / records;
}

async function bytesIn(directory: string): Promise<number> {
  const entries = await readdir(directory, { recursive: true });
  const sizes = await Promise.all(
    entries.map(async (entry) => {
      const status = await stat(join(directory, entry));
      return status.isFile() ? status.size : 0;
    }),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}
