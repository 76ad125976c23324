import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { TouchmarkError } from '../../src/errors.ts';
import { AppendFile } from '../../src/ledger/files.ts';
import { openServingLog } from '../../src/ledger/serving-log.ts';
import { verifyServingLog } from '../../src/ledger/verify-log.ts';
import { recordOf, recordsOf, temporaryDirectory } from './records.ts';

afterEach(() => vi.restoreAllMocks());

describe('a log that is asked too much', () => {
  it('refuses at once what would wait behind too many, and takes it later', async () => {
    const directory = temporaryDirectory();
    const log = await openServingLog(directory, { maxWaiting: 10 });
    const first = log.append(recordsOf(9));
    await expect(log.append(recordsOf(2))).rejects.toMatchObject({
      code: 'STORE_BUSY',
      exitCode: 6,
    });
    const second = log.append([recordOf(9)]);
    expect(log.waiting).toBe(10);
    expect([await first, await second].flat()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    await vi.waitUntil(() => log.waiting === 0);
    expect(await log.append(recordsOf(12))).toHaveLength(12);
    await log.close();
    expect(await verifyServingLog(directory)).toMatchObject({ records: 22, problems: [] });
  });

  it('writes what waits in parts, in order', async () => {
    const directory = temporaryDirectory();
    const log = await openServingLog(directory);
    const writes = vi.spyOn(AppendFile.prototype, 'append');
    const sequences = await Promise.all(recordsOf(300).map((record) => log.append([record])));
    expect(sequences.flat()).toEqual(Array.from({ length: 300 }, (_, index) => index));
    expect(writes).toHaveBeenCalledTimes(6);
    await log.close();
    expect(await verifyServingLog(directory)).toMatchObject({ records: 300, problems: [] });
  });
});

/** Makes a file system of 1 MiB, or returns undefined where this user may not. */
function smallDisk(): string | undefined {
  const directory = temporaryDirectory();
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', directory], {
      stdio: 'ignore',
    });
  } catch {
    return undefined;
  }
  onTestFinished(() => void execFileSync('umount', [directory]));
  return directory;
}

describe('a log whose disk is full', () => {
  it('goes on by itself when there is room again', async ({ skip }) => {
    const disk = smallDisk();
    if (disk === undefined) return skip('this user may not mount a small disk');
    const [directory, filler] = [join(disk, 'log'), join(disk, 'filler')];
    const log = await openServingLog(directory, { checkpointEvery: 16, segmentRecords: 40 });
    await log.append(recordsOf(5));
    writeFileSync(filler, randomBytes(600_000));
    let kept = 5;
    const fill = async () => {
      for (;;) kept += (await log.append(recordsOf(20))).length;
    };
    await expect(fill()).rejects.toMatchObject({ code: 'STORE_FULL' });
    await expect(log.append(recordsOf(200, 'bolt'))).rejects.toMatchObject({ code: 'STORE_FULL' });
    expect(log.count).toBe(kept);
    rmSync(filler);
    expect(await log.append([recordOf(7, 'bolt')])).toEqual([kept]);
    for (const record of recordsOf(60)) await log.append([record]);
    await log.close();
    const report = await verifyServingLog(directory);
    expect(report).toMatchObject({ records: kept + 61, problems: [] });
    expect(report.checkpoints).toBeGreaterThan(3);
    await (await openServingLog(directory)).close();
  });

  it('has written nothing when only the chain found no room', async () => {
    const directory = temporaryDirectory();
    const log = await openServingLog(directory);
    await log.append([recordOf(1)]);
    const { append } = AppendFile.prototype;
    const full = new TouchmarkError('STORE_FULL', 'no space');
    vi.spyOn(AppendFile.prototype, 'append').mockImplementation(async function (
      this: AppendFile,
      bytes,
    ) {
      if (this.path.includes('segments')) throw full;
      return append.call(this, bytes);
    });
    const payloads = join(directory, 'payloads', '00000001.jsonl');
    const before = readFileSync(payloads, 'utf8');
    await expect(log.append([recordOf(2)])).rejects.toBe(full);
    expect(readFileSync(payloads, 'utf8')).toBe(before);
    vi.restoreAllMocks();
    expect(await log.append([recordOf(3)])).toEqual([1]);
    await log.close();
    expect(await verifyServingLog(directory)).toMatchObject({ records: 2, problems: [] });
  });

  it('stops when a sync fails, for the system may have dropped what was written', async () => {
    const directory = temporaryDirectory();
    const log = await openServingLog(directory);
    await log.append([recordOf(1)]);
    const handle = await open(join(directory, 'log.json'));
    onTestFinished(() => handle.close());
    const full = Object.assign(new Error('no space'), { code: 'ENOSPC' });
    vi.spyOn(Object.getPrototypeOf(handle), 'datasync').mockRejectedValueOnce(full);
    await expect(log.sync()).rejects.toMatchObject({ code: 'STORE_DAMAGED', cause: full });
    await expect(log.append([recordOf(2)])).rejects.toMatchObject({ code: 'STORE_DAMAGED' });
    await log.close();
    expect(await verifyServingLog(directory)).toMatchObject({ records: 1, problems: [] });
  });
});

describe('a sync', () => {
  it('waits for one under way that covers it', async () => {
    const log = await openServingLog(temporaryDirectory());
    await log.append([recordOf(1)]);
    const handle = await open(join(log.directory, 'log.json'));
    onTestFinished(() => handle.close());
    let finish: () => void = () => undefined;
    const finished = new Promise<void>((resolve) => {
      finish = resolve;
    });
    vi.spyOn(Object.getPrototypeOf(handle), 'datasync').mockReturnValueOnce(finished);
    const first = log.sync();
    let second = false;
    const again = log.sync().then(() => {
      second = true;
    });
    await setTimeout(20);
    expect(second).toBe(false);
    finish();
    await Promise.all([first, again]);
    await log.close();
  });
});
