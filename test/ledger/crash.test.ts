import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { describe, expect, it, vi } from 'vitest';
import { openServingLog } from '../../src/ledger/serving-log.ts';
import { verifyServingLog } from '../../src/ledger/verify-log.ts';
import { collect, recordOf, temporaryDirectory } from './records.ts';

const program = join(import.meta.dirname, 'appending-child.ts');

/** Starts the appending program, optionally under a limit on file sizes in blocks of 512 bytes. */
function start(directory: string, fileBlocks = 'unlimited') {
  const script = `ulimit -f ${fileBlocks}; exec "$0" --import tsx "$1" "$2"`;
  const child = spawn('sh', ['-c', script, process.execPath, program, directory], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, TSX_DISABLE_CACHE: '1' },
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  return { child, lines: () => output.slice(0, output.lastIndexOf('\n') + 1).split('\n') };
}

async function untilOpen(run: ReturnType<typeof start>): Promise<void> {
  while (!run.lines().includes('open')) await once(run.child.stdout!, 'data');
}

async function kill(child: ChildProcess): Promise<void> {
  child.kill('SIGKILL');
  await once(child, 'close');
}

function acknowledgedBy(lines: readonly string[]): [number, string][] {
  const acknowledged = lines.filter((line) => /^\d/.test(line)).map((line) => line.split(' '));
  return acknowledged.map(([sequence = '', tenant = '']) => [Number(sequence), tenant]);
}

async function tenantsBySequence(directory: string): Promise<Map<number, string>> {
  const log = await openServingLog(directory);
  const found = new Map<number, string>();
  for (const tenant of ['acme', 'bolt']) {
    for (const record of await collect(log.read({ tenant }))) found.set(record.sequence, tenant);
  }
  await log.close();
  return found;
}

describe('a killed gateway', () => {
  it('has lost nothing it acknowledged, and the chain verifies', async () => {
    const directory = temporaryDirectory();
    const acknowledged = new Map<number, string>();
    for (let round = 0; round < 8; round += 1) {
      const run = start(directory);
      await untilOpen(run);
      await vi.waitUntil(() => acknowledgedBy(run.lines()).length > 0, { timeout: 20_000 });
      await setTimeout(Math.random() * 120);
      await kill(run.child);
      const lines = acknowledgedBy(run.lines());
      expect(lines.length).toBeGreaterThan(0);
      for (const [sequence, tenant] of lines) {
        expect(acknowledged.has(sequence)).toBe(false);
        acknowledged.set(sequence, tenant);
      }
    }
    const found = await tenantsBySequence(directory);
    for (const [sequence, tenant] of acknowledged) expect(found.get(sequence)).toBe(tenant);
    const report = await verifyServingLog(directory);
    expect(report).toMatchObject({ records: found.size, problems: [] });
  });

  it('keeps others out while it lives, and lets them in at once when it is dead', async () => {
    const directory = temporaryDirectory();
    const run = start(directory);
    await untilOpen(run);
    await expect(openServingLog(directory)).rejects.toMatchObject({
      code: 'STORE_LOCKED',
      message: expect.stringContaining(`process ${run.child.pid} on `),
    });
    expect((await verifyServingLog(directory)).problems).toEqual([]);
    await kill(run.child);
    const before = performance.now();
    const contenders = await Promise.allSettled([1, 2, 3].map(() => openServingLog(directory)));
    expect(performance.now() - before).toBeLessThan(2000);
    const winners = contenders.filter((each) => each.status === 'fulfilled');
    expect(winners).toHaveLength(1);
    await winners[0]?.value.append([recordOf(1)]);
    await winners[0]?.value.close();
    expect((await verifyServingLog(directory)).problems).toEqual([]);
  });

  it('stops at a full disk with nothing half written', async () => {
    const directory = temporaryDirectory();
    const run = start(directory, '96');
    await once(run.child, 'close');
    const lines = run.lines();
    expect(lines.filter((line) => line.startsWith('failed'))).toEqual(['failed STORE_FULL']);
    expect(lines.filter((line) => line.startsWith('close'))).toEqual([]);
    const found = await tenantsBySequence(directory);
    for (const [sequence, tenant] of acknowledgedBy(lines)) {
      expect(found.get(sequence)).toBe(tenant);
    }
    expect(acknowledgedBy(lines).length).toBeGreaterThan(10);
    expect(await verifyServingLog(directory)).toMatchObject({ records: found.size, problems: [] });
  });
});
