import { mkdtemp, open, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openServingLog } from '../../src/ledger/serving-log.ts';
import { type BenchRow, median } from './measure.ts';

const classes = 24;
const batch = 128;
const batches = 40;
const rounds = 5;

/** What a record of the serving log costs, against a bare write of the bytes that it leaves. */
export async function benchLedger(): Promise<readonly BenchRow[]> {
  const directory = await mkdtemp(join(tmpdir(), 'touchmark-bench-'));
  try {
    const appended: number[] = [];
    const written: number[] = [];
    for (let round = 0; round < rounds; round += 1) {
      const place = join(directory, `log-${round}`);
      appended.push(await timeAppends(place));
      written.push(await timeWrites(join(directory, `bare-${round}`), await bytesIn(place)));
    }
    const [value, other] = [median(appended), median(written)];
    return [
      {
        name: 'ledger/append',
        value,
        unit: `microseconds per record, ${batch} at a time`,
        ratio: value / other,
        against: `a bare write of the same bytes: ${other.toFixed(1)} microseconds`,
      },
    ];
  } finally {
    await rm(directory, { recursive: true });
  }
}

async function timeAppends(directory: string): Promise<number> {
  const log = await openServingLog(directory);
  const probabilities = Array.from({ length: classes }, (_, k) => (2 * (k + 1)) / classes / 25);
  const begun = performance.now();
  for (let number = 0; number < batches; number += 1) {
    await log.append(
      Array.from({ length: batch }, (_, index) => ({
        tenant: 'tenant',
        epoch: 'epoch',
        servedAt: '2026-01-01T00:00:00.000Z',
        modelVersion: '1',
        input: `a question of some forty characters, ${number}/${index}`,
        clean: probabilities,
        served: probabilities,
        label: classes - 1,
        marks: { probability: true },
      })),
    );
  }
  const spent = performance.now() - begun;
  await log.close();
  return (1000 * spent) / (batch * batches);
}

async function timeWrites(path: string, bytes: number): Promise<number> {
  const chunk = Buffer.alloc(Math.ceil(bytes / batches), 1);
  const file = await open(path, 'a');
  const begun = performance.now();
  for (let number = 0; number < batches; number += 1) await file.write(chunk);
  const spent = performance.now() - begun;
  await file.close();
  return (1000 * spent) / (batch * batches);
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
