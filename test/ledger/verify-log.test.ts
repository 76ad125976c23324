import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openServingLog } from '../../src/ledger/serving-log.ts';
import { requireValidLog, verifyServingLog } from '../../src/ledger/verify-log.ts';
import { recordsOf, temporaryDirectory } from './records.ts';

async function logOf(count: number): Promise<string> {
  const directory = temporaryDirectory();
  const log = await openServingLog(directory, { segmentRecords: 5, checkpointEvery: 4 });
  for (const record of recordsOf(count)) await log.append([record]);
  await log.close();
  return directory;
}

function flip(path: string, byte: number, bit: number): () => void {
  const original = readFileSync(path);
  const changed = Buffer.from(original);
  changed.writeUInt8(changed.readUInt8(byte) ^ (1 << bit), byte);
  writeFileSync(path, changed);
  return () => writeFileSync(path, original);
}

describe('verification', () => {
  it('finds a flip of any one byte of chain and checkpoints, and names file and line', async () => {
    const directory = await logOf(8);
    const segments = readdirSync(join(directory, 'segments')).map((name) => join('segments', name));
    for (const name of [...segments, 'checkpoints.jsonl']) {
      const path = join(directory, name);
      const bytes = readFileSync(path);
      for (let byte = 0; byte < bytes.length; byte += name === segments[1] ? 1 : 7) {
        const restore = flip(path, byte, byte % 7);
        const [problem] = (await verifyServingLog(directory)).problems;
        expect(problem, `${name}, byte ${byte}`).toMatchObject({ code: 'LOG_INVALID' });
        const line = bytes.subarray(0, byte).toString().split('\n').length;
        if (name !== 'checkpoints.jsonl')
          expect(problem?.message).toContain(`${name}, line ${line} `);
        restore();
      }
    }
    expect((await verifyServingLog(directory)).problems).toEqual([]);
  });

  it('finds a changed, missing or foreign payload, and names the record', async () => {
    const directory = await logOf(4);
    const path = join(directory, 'payloads', '00000001.jsonl');
    const text = readFileSync(path, 'utf8');
    const lines = text.split('\n');
    const problemsOf = async (changed: string) => {
      writeFileSync(path, changed);
      return (await verifyServingLog(directory)).problems.map(({ message }) => message);
    };
    const swapped = lines[1]!.replace('"sequence":1', '"sequence":2');
    expect(await problemsOf(text.replace(lines[1]!, swapped))).toEqual([
      expect.stringMatching(/line 2 \(record 2\) does not decrypt/),
      expect.stringMatching(/line 3 has sequence 2, which the chain does not await/),
      expect.stringMatching(/segments.*line 2 \(record 1\) has no payload/),
    ]);
    expect(await problemsOf(`${lines.slice(0, 2).join('\n')}\n`)).toEqual([
      expect.stringMatching(/line 3 \(record 2\) has no payload, nor have 1 after it/),
    ]);
    expect(await problemsOf(text)).toEqual([]);
  });

  it('finds records removed from the end, a removed segment and a removed key', async () => {
    const directory = await logOf(7);
    const last = join(directory, 'segments', '00000002.jsonl');
    const text = readFileSync(last, 'utf8');
    writeFileSync(last, `${text.split('\n')[0]}\n`);
    const report = await verifyServingLog(directory);
    expect(() => requireValidLog(report)).toThrow(/is of 7 entries, but the chain has 6/);
    await expect(openServingLog(directory)).rejects.toMatchObject({ code: 'LOG_INVALID' });
    writeFileSync(last, text);
    rmSync(join(directory, 'segments', '00000001.jsonl'));
    const [gap] = (await verifyServingLog(directory)).problems;
    expect(gap?.message).toMatch(/00000002.jsonl, line 1 has sequence 5 instead of 0/);
    const other = await logOf(2);
    rmSync(join(other, 'keys'), { recursive: true });
    const [orphaned] = (await verifyServingLog(other)).problems;
    expect(orphaned?.message).toMatch(/2 records under the tag [0-9a-f]{32} have no payload key/);
  });

  it('says when there is no log', async () => {
    await expect(verifyServingLog(temporaryDirectory())).rejects.toThrow(/There is no serving log/);
  });
});
