import { generateKeyPairSync } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openLogCheckpoint } from '../../src/ledger/checkpoint-note.ts';
import {
  proveEntries,
  proveExtension,
  verifyLogExtension,
  verifyLogExtract,
} from '../../src/ledger/log-proofs.ts';
import { newestSignedCheckpoint, readChain } from '../../src/ledger/read-log.ts';
import { openServingLog } from '../../src/ledger/serving-log.ts';
import { verifyServingLog } from '../../src/ledger/verify-log.ts';
import { recordsOf, temporaryDirectory } from './records.ts';

const { privateKey: signingKey, publicKey } = generateKeyPairSync('ed25519');
const stranger = generateKeyPairSync('ed25519').publicKey;

async function logOf(count: number, directory = temporaryDirectory()): Promise<string> {
  const log = await openServingLog(directory, { checkpointEvery: 4, signingKey });
  for (const record of recordsOf(count)) await log.append([record]);
  await log.close();
  return directory;
}

describe('signed checkpoints', () => {
  it('are notes that others can check, and that the chain is checked against', async () => {
    const directory = await logOf(10);
    const report = await verifyServingLog(directory, { publicKey });
    expect(report).toMatchObject({ checkpoints: 3, signedCheckpoints: 3, problems: [] });
    const newest = await newestSignedCheckpoint(directory);
    const { identifier, entries } = await readChain(directory);
    expect(openLogCheckpoint(newest!.note, publicKey)).toEqual({
      identifier,
      size: 10,
      root: newest!.root,
      head: entries[9]!.hash,
      at: newest!.at,
    });
    const { proven } = proveEntries(entries, [0, 9]);
    const extract = { checkpoint: newest!.note, proven };
    expect(verifyLogExtract(extract, publicKey).entries).toEqual([entries[0], entries[9]]);
  });

  it('are refused when another key or log signed them, or any byte changed', async () => {
    const directory = await logOf(3);
    const reasons = async (key = publicKey) =>
      (await verifyServingLog(directory, { publicKey: key })).problems.map((each) => each.message);
    expect(await reasons(stranger)).toEqual([expect.stringMatching(/line 1 is not a checkpoint/)]);
    const path = join(directory, 'checkpoints.jsonl');
    const bytes = readFileSync(path);
    for (let byte = 0; byte < bytes.length; byte += 1) {
      const changed = Buffer.from(bytes);
      changed.writeUInt8(changed.readUInt8(byte) ^ (1 << (byte % 7)), byte);
      writeFileSync(path, changed);
      expect(await reasons(), `byte ${byte}`).toHaveLength(1);
    }
    writeFileSync(path, readFileSync(join(await logOf(3), 'checkpoints.jsonl')));
    expect(await reasons()).toEqual([expect.stringMatching(/a checkpoint of another log/)]);
  });

  it('begin where a log without signatures, or a crash, left off', async () => {
    const directory = temporaryDirectory();
    const unsigned = await openServingLog(directory);
    await unsigned.append(recordsOf(2));
    await unsigned.close();
    expect(await newestSignedCheckpoint(directory)).toBeUndefined();
    const log = await openServingLog(directory, { signingKey });
    expect(await newestSignedCheckpoint(directory)).toMatchObject({ size: 2 });
    await log.close();
    await (await openServingLog(directory, { signingKey })).close();
    const report = await verifyServingLog(directory, { publicKey });
    expect(report).toMatchObject({ checkpoints: 2, signedCheckpoints: 1, problems: [] });
  });

  it('extend each other, provably', async () => {
    const directory = await logOf(5);
    const older = (await newestSignedCheckpoint(directory))!.note;
    await logOf(6, directory);
    const newer = (await newestSignedCheckpoint(directory))!.note;
    const proof = proveExtension((await readChain(directory)).entries, 5);
    verifyLogExtension({ older, newer }, JSON.parse(JSON.stringify(proof)), publicKey);
    const foreign = (await newestSignedCheckpoint(await logOf(5)))!.note;
    const refused = (from: string, to: string, path: unknown) =>
      expect(() => verifyLogExtension({ older: from, newer: to }, path, publicKey)).toThrow(
        /no proof that the newer checkpoint extends the older/,
      );
    refused(foreign, newer, proof);
    refused(newer, older, proof);
    refused(older, newer, proof.slice(1));
    refused(older, newer, null);
    refused(older, newer, proof.with(0, 'ab'.repeat(32)));
  });
});
