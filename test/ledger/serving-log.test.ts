import {
  appendFileSync,
  cpSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { TouchmarkError } from '../../src/errors.ts';
import { commitToPayload } from '../../src/ledger/chain.ts';
import { layoutOf, requireHeader } from '../../src/ledger/layout.ts';
import { LogFiles } from '../../src/ledger/log-files.ts';
import { decodeRecord } from '../../src/ledger/payload.ts';
import { readChain, readServingLogWithOpenings } from '../../src/ledger/read-log.ts';
import { recover } from '../../src/ledger/recover.ts';
import { openServingLog } from '../../src/ledger/serving-log.ts';
import { verifyServingLog } from '../../src/ledger/verify-log.ts';
import { collect, quickParent, recordOf, recordsOf, temporaryDirectory } from './records.ts';

const firstSegment = (directory: string) => join(directory, 'segments', '00000001.jsonl');

function payloadFiles(directory: string): string[] {
  const payloads = join(directory, 'payloads');
  return readdirSync(payloads, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.jsonl'))
    .map((name) => join(payloads, name));
}

/** Copies what a running log has on the disk, as a crash would leave it. */
function temporaryCopy(directory: string): string {
  const copy = temporaryDirectory(quickParent);
  cpSync(directory, copy, { recursive: true });
  rmSync(join(copy, 'lock'), { recursive: true });
  return copy;
}

describe('serving log', () => {
  it('gives back what was served, by tenant and epoch, in served order', async () => {
    const log = await openServingLog(temporaryDirectory());
    const [first, second] = await Promise.all([
      log.append([recordOf(1), recordOf(2, 'bolt'), recordOf(3, 'acme', 'e2')]),
      log.append([recordOf(4)]),
    ]);
    expect([first, second]).toEqual([[0, 1, 2], [3]]);
    expect(await log.append([])).toEqual([]);
    expect(await collect(log.read({ tenant: 'acme' }))).toEqual([
      { ...recordOf(1), sequence: 0 },
      { ...recordOf(3, 'acme', 'e2'), sequence: 2 },
      { ...recordOf(4), sequence: 3 },
    ]);
    const inEpoch = await collect(log.read({ tenant: 'acme', epoch: 'e2' }));
    expect(inEpoch.map(({ sequence }) => sequence)).toEqual([2]);
    await expect(collect(log.read({ tenant: 'nobody' }))).rejects.toMatchObject({
      code: 'TENANT_UNKNOWN',
      message: expect.stringContaining('"nobody"'),
      hint: expect.stringContaining('acme, bolt'),
    });
    expect(log.count).toBe(4);
    await log.close();
    await log.close();
    await expect(log.append([recordOf(5)])).rejects.toMatchObject({ code: 'USAGE' });
  });

  it('continues over segments, checkpoints and reopening', async () => {
    const directory = temporaryDirectory();
    const options = { segmentRecords: 7, checkpointEvery: 4 };
    for (let round = 0; round < 4; round += 1) {
      const log = await openServingLog(directory, options);
      expect(log.recovery).toEqual({ trimmedBytes: 0, droppedPayloads: 0, missingPayloads: [] });
      expect(log.count).toBe(10 * round);
      for (const record of recordsOf(5)) await log.append([record]);
      for (const record of recordsOf(5, 'bolt')) await log.append([record]);
      await log.close();
    }
    expect(readdirSync(join(directory, 'segments'))).toHaveLength(6);
    const report = await verifyServingLog(directory);
    expect(report).toMatchObject({ records: 40, tenants: { acme: 20, bolt: 20 }, problems: [] });
    expect(report.checkpoints).toBeGreaterThanOrEqual(10);
  });

  it('keeps questions out of clear text and files private', async () => {
    const directory = temporaryDirectory();
    const log = await openServingLog(directory);
    await log.append(recordsOf(3));
    await log.close();
    for (const name of readdirSync(directory, { recursive: true, encoding: 'utf8' })) {
      const path = join(directory, name);
      const { mode } = await stat(path);
      if (name !== 'lock-holder.json') expect(mode & 0o077).toBe(0);
      if (path.endsWith('.jsonl')) expect(readFileSync(path, 'utf8')).not.toMatch(/question|acme/);
    }
  });

  it('recovers from a chain cut at every byte of its last two lines', async () => {
    const directory = temporaryDirectory();
    const log = await openServingLog(directory);
    await log.append(recordsOf(6));
    const bytes = readFileSync(firstSegment(directory));
    const lengths = bytes
      .toString()
      .split('\n')
      .map((line) => line.length + 1);
    const lastTwo = lengths[4]! + lengths[5]!;
    const check = async (cut: number) => {
      const copy = temporaryCopy(directory);
      const layout = layoutOf(copy);
      truncateSync(firstSegment(copy), bytes.length - cut);
      const kept = cut <= lengths[5]! ? 5 : 4;
      const trimmedBytes = (kept === 5 ? lengths[5]! : lastTwo) - cut;
      const { head, recovery } = await recover(layout, await requireHeader(layout));
      const expected = { trimmedBytes, droppedPayloads: 6 - kept, missingPayloads: [] };
      expect([head.size, recovery]).toEqual([kept, expected]);
      expect(await verifyServingLog(copy)).toMatchObject({ records: kept, problems: [] });
      if (cut % 60 !== 1) return;
      const reopened = await openServingLog(copy);
      expect(await reopened.append([recordOf(9)])).toEqual([kept]);
      await reopened.close();
      expect(await verifyServingLog(copy)).toMatchObject({ records: kept + 1, problems: [] });
    };
    for (let cut = 1; cut <= lastTwo; cut += 20) {
      const next = Array.from({ length: Math.min(20, lastTwo + 1 - cut) }, (_, more) => cut + more);
      await Promise.all(next.map(check));
    }
    await log.close();
  });

  it('reports payloads cut at every byte of the last two lines, and reads on when told to', async () => {
    const directory = temporaryDirectory();
    const log = await openServingLog(directory);
    await log.append(recordsOf(4));
    const [payloads = ''] = payloadFiles(directory);
    const bytes = readFileSync(payloads);
    const lengths = bytes
      .toString()
      .split('\n')
      .map((line) => line.length + 1);
    const cuts = Array.from({ length: lengths[2]! + lengths[3]! }, (_, index) => index + 1);
    for (const cut of cuts.filter((each) => each % 60 === 1 || each < 4)) {
      const copy = temporaryCopy(directory);
      truncateSync(payloadFiles(copy)[0]!, bytes.length - cut);
      const lost = cut <= lengths[3]! ? [3] : [2, 3];
      const reopened = await openServingLog(copy);
      expect(reopened.recovery.missingPayloads).toEqual(lost);
      await expect(collect(reopened.read({ tenant: 'acme' }))).rejects.toMatchObject({
        code: 'LOG_INVALID',
        message: expect.stringContaining(`Record ${lost[0]} `),
      });
      const missing: number[] = [];
      const onMissing = (sequence: number) => missing.push(sequence);
      const rest = await collect(reopened.read({ tenant: 'acme', onMissing }));
      expect([rest.length, missing]).toEqual([4 - lost.length, lost]);
      await reopened.close();
    }
    await log.close();
  });

  it('drops a payload that was written but never chained, and reuses its sequence', async () => {
    const directory = temporaryDirectory();
    const log = await openServingLog(directory);
    await log.append(recordsOf(2));
    const copy = temporaryCopy(directory);
    await log.append([recordOf(7)]);
    const [orphaned = ''] = readFileSync(payloadFiles(directory)[0]!, 'utf8').split('\n').slice(2);
    await log.close();
    appendFileSync(payloadFiles(copy)[0]!, `${orphaned}\n{"sequence":3,"non`);
    const reopened = await openServingLog(copy);
    expect(reopened.recovery).toMatchObject({ droppedPayloads: 1, trimmedBytes: 18 });
    expect(await reopened.append([recordOf(8)])).toEqual([2]);
    const records = await collect(reopened.read({ tenant: 'acme' }));
    expect(records.map(({ input }) => input)).toEqual(
      [0, 1, 8].map((n) => `question ${n} of acme`),
    );
    await reopened.close();
  });

  it('refuses a damaged or newer header, and a path it cannot write to', async () => {
    const directory = temporaryDirectory();
    await (await openServingLog(directory)).close();
    const header = join(directory, 'log.json');
    const text = readFileSync(header, 'utf8');
    writeFileSync(header, text.replace('serving-log@3', 'serving-log@4'));
    await expect(openServingLog(directory)).rejects.toMatchObject({
      code: 'LOG_INVALID',
      message: expect.stringContaining('up to touchmark/serving-log@3'),
    });
    writeFileSync(header, text.slice(0, 20));
    await expect(openServingLog(directory)).rejects.toThrow(/not the header of a serving log/);
    await expect(openServingLog(join(header, 'inside'))).rejects.toMatchObject({
      code: 'STORE_DAMAGED',
      message: expect.stringContaining('ENOTDIR'),
    });
  });

  it('seals a digest once in its life, before what is appended after it', async () => {
    const directory = temporaryDirectory();
    const [epoch, profile] = ['e7'.repeat(32), '0f'.repeat(32)];
    const log = await openServingLog(directory);
    await Promise.all([
      log.seal('epoch', epoch),
      log.seal('epoch', epoch),
      log.seal('profile', epoch),
    ]);
    await log.append([recordOf(1)]);
    await log.close();
    await expect(log.seal('pool', epoch)).rejects.toMatchObject({ code: 'USAGE' });
    const again = await openServingLog(directory);
    await again.seal('epoch', epoch);
    await again.seal('epoch', profile);
    await expect(again.seal('epoch', 'E7')).rejects.toMatchObject({ code: 'INPUT_INVALID' });
    await again.close();
    const report = await verifyServingLog(directory);
    expect(report).toMatchObject({ records: 1, problems: [], head: { size: 4 } });
    expect(report.seals.map(({ sequence, what, digest }) => [sequence, what, digest])).toEqual([
      [0, 'epoch', epoch],
      [1, 'profile', epoch],
      [3, 'epoch', profile],
    ]);
  });

  it('seals again what there was no room for', async () => {
    const log = await openServingLog(temporaryDirectory());
    const digest = '0f'.repeat(32);
    const full = new TouchmarkError('STORE_FULL', 'no room');
    const append = vi.spyOn(LogFiles.prototype, 'append').mockRejectedValueOnce(full);
    await expect(log.seal('epoch', digest)).rejects.toBe(full);
    append.mockRestore();
    await log.seal('epoch', digest);
    expect(log.count).toBe(1);
    await log.close();
  });

  it('opens single records to others by the chain', async () => {
    const directory = temporaryDirectory();
    const log = await openServingLog(directory, { segmentRecords: 2 });
    for (const record of recordsOf(5)) await log.append([record]);
    await log.append([recordOf(9, 'bolt')]);
    await log.close();
    const { identifier, entries } = await readChain(directory);
    expect(identifier).toMatch(/^[0-9a-f]{32}$/);
    const sequences: number[] = [];
    for await (const opened of readServingLogWithOpenings(directory, { tenant: 'acme' })) {
      const { entry, salt, payload, record } = opened;
      expect(entries[entry.sequence]).toEqual(entry);
      expect(commitToPayload(salt, payload)).toBe(entry.commitment);
      expect(decodeRecord(payload, entry.sequence)).toEqual(record);
      sequences.push(record.sequence);
    }
    expect(sequences).toEqual([0, 1, 2, 3, 4]);
    expect(entries).toHaveLength(6);
  });
});
