import { afterAll, beforeAll, expect, it } from 'vitest';
import { auditSuspect, type PreparedAudit, prepareAudit } from '../../src/operations/audit.ts';
import { buildTraps } from '../../src/operations/traps/build.ts';
import { createScene, ngramModel, type Scene, serve, type TestSuspect } from './audit-scene.ts';

/** Fewer than the 100 that the README speaks of, which take four minutes. */
const audits = Number(process.env['TRAP_AUDITS'] ?? 40);
const stock = 20 * audits;
let scene: Scene;
let prepared: PreparedAudit;
let suspect: TestSuspect;

beforeAll(async () => {
  scene = await createScene(13_000, {
    watermark: { coinShare: 0.25 },
    audit: { freshProbes: 40, loggedProbes: 60, coverPerTrap: 0, batchSize: 64 },
    traps: { coinLots: audits, coinStock: stock },
  });
  const { built } = await buildTraps({
    configPath: scene.configPath,
    kind: 'coin',
    now: new Date(),
    signal: new AbortController().signal,
    progress: () => undefined,
  });
  expect(built).toBe(stock);
  prepared = await prepareAudit(scene.options('http:http://127.0.0.1:1/classify', 'none'));
  suspect = await serve(ngramModel(0.4));
  suspect.labelsOnly = true;
}, 300_000);

afterAll(() => {
  scene.close();
  suspect.close();
});

it(`serves ${audits} audits of different suspects from ${stock} traps, and shows none twice`, async () => {
  const shown = new Set<string>();
  let traps = 0;
  for (let turn = 0; turn < audits; turn += 1) {
    suspect.asked.length = 0;
    const report = await auditSuspect(prepared, {
      ...scene.options(suspect.http.replace('/classify', `/classify?suspect=${turn}`), `${turn}`),
      suspectName: `suspect ${turn}`,
    });
    const questions = suspect.asked.filter((each) => each !== 'The quick brown fox.');
    const { lots, remaining } = report.traps!;
    expect(questions).toHaveLength(lots[0]!.commitments.length);
    for (const question of questions) {
      expect(shown.has(question)).toBe(false);
      shown.add(question);
    }
    traps += questions.length;
    expect(remaining).toContainEqual({ kind: 'coin', audits: audits - 1 - turn });
    expect(report.verdict).not.toBe('match');
  }
  expect(traps).toBe(stock);
  const late = await auditSuspect(prepared, scene.options(suspect.http, 'too late'));
  expect(late.traps!.lots).toEqual([]);
  expect(late.evidence.find(({ test }) => test === 'label-coins')!.status).toBe('not-applicable');
}, 300_000);
