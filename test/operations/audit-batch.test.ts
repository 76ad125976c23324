import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { auditBatch, batchExitCode } from '../../src/operations/audit-batch.ts';
import { dryRun } from '../../src/operations/audit-dry-run.ts';
import { verify } from '../../src/operations/verify.ts';
import {
  createScene,
  lookUpThief,
  ngramModel,
  repeats,
  type Scene,
  serve,
  type TestSuspect,
} from './audit-scene.ts';

let scene: Scene;
let suspects: readonly TestSuspect[];
beforeAll(async () => {
  scene = await createScene();
  suspects = await Promise.all([serve(lookUpThief(scene.served)), serve(ngramModel(0.4))]);
});
afterAll(() => {
  for (const suspect of suspects) suspect.close();
  scene.close();
});

describe('a batch of audits', () => {
  it('finds the thief, clears nobody, stops for none, pays for all, and leaves dossiers that hold', async () => {
    const [thief, innocent] = suspects;
    const file = join(scene.directory, 'suspects.yaml');
    const gone = 'http:http://127.0.0.1:1/classify';
    writeFileSync(
      file,
      `thief: ${thief!.http}\ninnocent: { kind: kserve, url: "${innocent!.kserve.slice('kserve:'.length)}" }\ngone: ${gone}\n`,
    );
    const { suspect: _, resume: __, ...options } = scene.options('', 'batch');
    const rows = await auditBatch({ ...options, file });
    expect(
      rows.map((row) => [row.name, 'report' in row ? row.report.verdict : row.failure.code]),
    ).toEqual([
      ['thief', 'match'],
      ['innocent', 'inconclusive'],
      ['gone', 'SUSPECT_UNREACHABLE'],
    ]);
    expect(batchExitCode(rows)).toBe(3);
    for (const row of rows.slice(0, 2)) {
      const { multiplicity } = JSON.parse(readFileSync(join(row.directory, 'report.json'), 'utf8'));
      expect(multiplicity).toContainEqual({
        reason: 'one of 3 suspects is audited',
        bans: Math.log10(3),
      });
      const found = await verify({
        path: join(row.directory, `${row.name}.dossier.json`),
        authorities: [],
      });
      expect(found).toMatchObject({ weakest: 'asserted', tenant: 'example', epoch: 'e1' });
    }
  });

  it('is refused without suspects', async () => {
    const file = join(scene.directory, 'none.yaml');
    writeFileSync(file, 'a: 7\n');
    const { suspect: _, resume: __, ...options } = scene.options('', 'none');
    await expect(auditBatch({ ...options, file })).rejects.toMatchObject({ code: 'INPUT_INVALID' });
  });
});

describe('a dry run', () => {
  it('says what would be asked, and asks nobody', async () => {
    const [thief] = suspects;
    thief!.asked.length = 0;
    const planned = await dryRun(scene.options(thief!.http, 'dry'));
    expect(thief!.asked).toEqual([]);
    expect(planned).toMatchObject({ tenant: 'example', epoch: 'e1', stopping: 'horizon' });
    expect(planned).toMatchObject({
      timestampAuthority: null,
      seed: expect.stringContaining('random'),
    });
    const [probabilities, labels] = planned.expected;
    const { logged, fresh } = planned.probes;
    expect(probabilities!.questions).toBe(logged + fresh + repeats);
    expect(labels!.questions).toBeLessThan(probabilities!.questions);
    expect(probabilities!.power).toMatch(/no rehearsal applies/);
  });
});
