import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openNote, parseVerifierKey } from '../../src/keys/signed-note.ts';
import { publicKeyOf } from '../../src/keys/signing.ts';
import { verifyLogExtension, verifyLogExtract } from '../../src/ledger/log-proofs.ts';
import { openServingLog } from '../../src/ledger/serving-log.ts';
import { verifyLog } from '../../src/operations/log.ts';
import { proveLog, publishedCheckpoint } from '../../src/operations/log-checkpoints.ts';
import { openProject, openProjectRing } from '../../src/operations/project.ts';
import { recordsOf } from '../ledger/records-data.ts';
import { tinyProject } from './tiny-project.ts';

/** A project whose log has so many records, signed as its gateway signs. */
async function projectOf(records: number) {
  const { configPath, directory } = await tinyProject();
  const project = await openProject({ configPath });
  const signingKey = (await openProjectRing(project)).signingKey();
  const serve = async (count: number, key = signingKey) => {
    const log = await openServingLog(project.config.log.directory, { signingKey: key });
    await log.append(recordsOf(count, 'example'));
    await log.close();
  };
  await serve(records);
  return { configPath, directory, log: project.config.log.directory, signingKey, serve };
}

describe('published checkpoints', () => {
  it('are checked by whoever has the verifier key, and extended by the log', async () => {
    const { configPath, directory, serve, signingKey } = await projectOf(3);
    const older = await publishedCheckpoint({ configPath });
    expect(older).toMatchObject({
      size: 3,
      keyIdentifier: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    const { signers } = openNote(older.note, [parseVerifierKey(older.verifierKey)]);
    expect(signers).toEqual([`touchmark/${older.identifier}`]);
    const against = join(directory, 'published.txt');
    writeFileSync(against, older.note);
    await serve(2);
    expect(await verifyLog({ configPath, against })).toMatchObject({
      valid: true,
      checkpoints: 2,
      signedCheckpoints: 2,
    });
    const proof = await proveLog({ configPath, sequence: 4, against });
    const publicKey = publicKeyOf(signingKey);
    expect(verifyLogExtract(proof, publicKey).entries[0]).toMatchObject({ sequence: 4 });
    const checkpoints = { older: proof.extends!.older, newer: proof.checkpoint };
    verifyLogExtension(checkpoints, proof.extends!.proof, publicKey);
    await expect(proveLog({ configPath, sequence: 5 })).rejects.toMatchObject({
      code: 'USAGE',
      hint: 'It covers the entries 0 to 4.',
    });
  });

  it('give away a log that was cut, replaced or signed by another key', async () => {
    const { configPath, directory, log, serve } = await projectOf(3);
    const against = join(directory, 'published.txt');
    writeFileSync(against, (await publishedCheckpoint({ configPath })).note);
    const header = readFileSync(join(log, 'log.json'));
    const problems = async () => (await verifyLog({ configPath, against })).problems;

    rmSync(log, { recursive: true });
    await serve(3);
    expect(await problems()).toEqual([expect.stringMatching(/checkpoint of another log/)]);
    for (const name of ['segments', 'payloads']) rmSync(join(log, name), { recursive: true });
    rmSync(join(log, 'checkpoints.jsonl'));
    writeFileSync(join(log, 'log.json'), header);
    await serve(2);
    expect(await problems()).toEqual([expect.stringMatching(/is not the one that .* was signed/)]);
    await serve(2);
    expect(await problems()).toEqual([expect.stringMatching(/is not the one that .* was signed/)]);

    writeFileSync(against, readFileSync(against, 'utf8').replace('\n3\n', '\n2\n'));
    await expect(problems()).rejects.toMatchObject({ code: 'EVIDENCE_INVALID', exitCode: 5 });
    rmSync(against);
    await expect(problems()).rejects.toThrow(/There is no file/);
  });

  it('are reported when another key signed them, and missed when none is', async () => {
    const { configPath, serve } = await projectOf(1);
    const stranger = await projectOf(1);
    await serve(1, stranger.signingKey);
    expect(await verifyLog({ configPath })).toMatchObject({
      valid: false,
      problems: [expect.stringMatching(/line 2 is not a checkpoint that the key signed/)],
    });
    await expect(publishedCheckpoint({ configPath })).rejects.toMatchObject({
      code: 'EVIDENCE_INVALID',
    });
  });

  it('signs what a gateway with a bundle left unsigned, once that has let go of the log', async () => {
    const { configPath, log } = await projectOf(1);
    rmSync(log, { recursive: true });
    const unsigned = await openServingLog(log);
    await unsigned.append(recordsOf(1, 'example'));
    await expect(publishedCheckpoint({ configPath })).rejects.toThrow(/no signed checkpoint yet/);
    await unsigned.close();
    expect(await verifyLog({ configPath })).toMatchObject({ valid: true, signedCheckpoints: 0 });
    expect(await publishedCheckpoint({ configPath })).toMatchObject({ size: 1 });
    expect(await verifyLog({ configPath })).toMatchObject({ valid: true, signedCheckpoints: 1 });
  });
});
