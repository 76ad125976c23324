import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { auditSuspect, type PreparedAudit, prepareAudit } from '../../src/operations/audit.ts';
import { buildTraps } from '../../src/operations/traps/build.ts';
import { readTrapStock } from '../../src/operations/traps/claims.ts';
import { activeTraps } from '../../src/traps/stock.ts';
import {
  createScene,
  filesIn,
  leaks,
  lookUpThief,
  ngramModel,
  type Scene,
  serve,
  type TestSuspect,
  until,
} from './audit-scene.ts';

const signal = new AbortController().signal;
const coins = { kind: 'coin', tenant: 'example', epoch: 'e1' } as const;
const open: TestSuspect[] = [];
/** What an adapter asks to learn what a model gives. */
const isNoGreeting = (question: string) => question !== 'The quick brown fox.';

describe('audits with coin traps', () => {
  let scene: Scene;
  let prepared: PreparedAudit;

  beforeAll(async () => {
    scene = await createScene(2000);
    setTraps({ coinLots: 40, coinStock: 200 });
    const built = await buildTraps({
      configPath: scene.configPath,
      kind: 'coin',
      now: new Date(),
      signal,
      progress: () => undefined,
    });
    expect(built.built).toBeGreaterThan(150);
    prepared = await prepareAudit(scene.options('http:http://127.0.0.1:1/classify', 'none'));
  }, 120_000);

  afterAll(() => {
    scene.close();
    for (const suspect of open) suspect.close();
  });

  function setTraps(traps: object): void {
    const config = parse(readFileSync(scene.configPath, 'utf8'));
    Object.assign(config.traps, traps);
    writeFileSync(scene.configPath, stringify(config));
  }

  async function suspectOf(predict = ngramModel(0.4)): Promise<TestSuspect> {
    const suspect = await serve(predict);
    suspect.labelsOnly = true;
    open.push(suspect);
    return suspect;
  }

  /** The logged questions on which a coin fell. */
  function coinQuestions(): Set<string> {
    return new Set(
      prepared.records
        .filter(({ marks }) => marks.coin !== undefined)
        .map(({ input }) => String(input)),
    );
  }

  it('shows every suspect other traps, and says how many audits remain', async () => {
    const fallen = coinQuestions();
    const shown: string[] = [];
    const remaining: number[] = [];
    for (let turn = 0; turn < 12; turn += 1) {
      const suspect = await suspectOf();
      const report = await auditSuspect(prepared, scene.options(suspect.http, `lot-${turn}`));
      const own = suspect.asked.filter((question) => fallen.has(question));
      const { lots, remaining: left } = report.traps!;
      expect(lots.map(({ kind, lot }) => [kind, lot])).toEqual([['coin', turn]]);
      expect(lots[0]!.commitments).toHaveLength(own.length);
      expect(new Set(suspect.asked.filter(isNoGreeting)).size).toBe(2 * own.length);
      shown.push(...own);
      remaining.push(left.find(({ kind }) => kind === 'coin')!.audits);
    }
    expect(new Set(shown).size).toBe(shown.length);
    expect(shown.length).toBeGreaterThan(20);
    const [stocked] = (await readTrapStock(prepared.project)).sets;
    const isUseful = (lot: number) => stocked!.sealed.lots[lot]! > 0;
    const places = [...stocked!.lots.keys()];
    expect(remaining).toEqual(
      Array.from({ length: 12 }, (_, turn) => places.slice(turn + 1).filter(isUseful).length),
    );
  });

  it('finds a thief by the coins of more lots at once', async () => {
    const suspect = await suspectOf(lookUpThief(scene.served));
    const many = await prepareAudit({
      ...scene.options(suspect.http, 'none'),
      flags: [{ path: ['traps', 'lotsPerAudit'], value: 10, from: '--trap-lots' }],
    });
    const report = await auditSuspect(many, scene.options(suspect.http, 'thief'));
    const evidence = report.evidence.find(({ test }) => test === 'label-coins')!;
    expect(evidence.effect['coins']).toBe(evidence.effect['hits']);
    expect(report.traps!.lots).toHaveLength(10);
    expect(report.keyedScore).toBeGreaterThan(6);
    expect(report.verdict).toBe('match');
  });

  it('asks a suspect that gives probabilities for nothing on which an unclaimed coin fell', async () => {
    const suspect = await suspectOf();
    suspect.labelsOnly = false;
    const report = await auditSuspect(prepared, scene.options(suspect.http, 'probabilities'));
    const fallen = coinQuestions();
    const own = suspect.asked.filter((question) => fallen.has(question));
    expect(own).toHaveLength(report.traps!.lots[0]!.commitments.length);
    expect(suspect.asked.length).toBeGreaterThan(1500);
    expect(report.evidence.find(({ test }) => test === 'probability-per-query')!.status).toBe(
      'done',
    );
  });

  it('gives two audits at once different lots', async () => {
    const [one, other] = [await suspectOf(), await suspectOf()];
    const reports = await Promise.all([
      auditSuspect(prepared, scene.options(one.http, 'at-once-1')),
      auditSuspect(prepared, scene.options(other.http, 'at-once-2')),
    ]);
    const lots = reports.map((report) => report.traps!.lots[0]!.lot);
    expect(new Set(lots).size).toBe(2);
    const fallen = coinQuestions();
    const seen = new Set(one.asked.filter((question) => fallen.has(question)));
    expect(other.asked.some((question) => seen.has(question))).toBe(false);
  });

  it('resumes with its own lots, and not once the claim is gone', async () => {
    const suspect = await suspectOf();
    const stop = new AbortController();
    const options = { ...scene.options(suspect.http, 'resumed'), signal: stop.signal };
    suspect.milliseconds = 300;
    const audit = auditSuspect(prepared, options);
    audit.catch(() => undefined);
    await until(() => suspect.asked.filter(isNoGreeting).length > 0);
    stop.abort();
    await expect(audit).rejects.toMatchObject({ code: 'INTERRUPTED' });
    const before = activeTraps(await readTrapStock(prepared.project), coins);
    const report = await auditSuspect(prepared, {
      ...scene.options(suspect.http, 'resumed'),
      resume: true,
    });
    expect(activeTraps(await readTrapStock(prepared.project), coins)).toBe(before);
    expect(report.evidence.find(({ test }) => test === 'label-coins')!.status).toBe('done');
    const { set, lot } = report.traps!.lots[0]!;
    const exposures = join(scene.directory, '.touchmark/traps/exposures');
    const claim = readdirSync(exposures).find((name) => name.startsWith(`${set}-${lot}.`))!;
    rmSync(join(exposures, claim));
    await expect(
      auditSuspect(prepared, { ...scene.options(suspect.http, 'resumed'), resume: true }),
    ).rejects.toMatchObject({ code: 'TRAPS_EXPOSED' });
  });

  it('shows no coin at all when an audit is to use no lots', async () => {
    const suspect = await suspectOf();
    const none = await prepareAudit({
      ...scene.options(suspect.http, 'none'),
      flags: [{ path: ['traps', 'lotsPerAudit'], value: 0, from: '--trap-lots' }],
    });
    const report = await auditSuspect(none, scene.options(suspect.http, 'no-lots'));
    expect(report.evidence.find(({ test }) => test === 'label-coins')!.status).toBe(
      'not-applicable',
    );
    expect(report.traps!.lots).toEqual([]);
    expect(suspect.asked.filter(isNoGreeting)).toEqual([]);
  });

  it('puts no question of a trap into a report, and no secret anywhere', async () => {
    const written = filesIn(join(scene.directory, '..', 'audits'));
    const reports = written.filter(({ name }) => name.startsWith('report.'));
    expect(reports.length).toBeGreaterThan(10);
    const questions = [...coinQuestions()];
    expect(
      leaks(
        questions,
        reports.map(({ text }) => text),
      ),
    ).toEqual([]);
    const sets = filesIn(join(scene.directory, 'traps'));
    expect(
      leaks(
        [...scene.secrets, ...questions],
        sets.map(({ text }) => text),
      ),
    ).toEqual([]);
  });
});

describe('an audit without sealed coin traps', () => {
  it('notes that it shows the log, so that none of it becomes a trap later', async () => {
    const scene = await createScene(300);
    try {
      const suspect = await serve(ngramModel(0.4));
      open.push(suspect);
      suspect.labelsOnly = true;
      const prepared = await prepareAudit(scene.options(suspect.http, 'log'));
      const report = await auditSuspect(prepared, scene.options(suspect.http, 'log'));
      expect(report.traps).toMatchObject({ lots: [] });
      const { recordsExposed } = await readTrapStock(prepared.project);
      expect(recordsExposed).toMatchObject([{ tenant: 'example', epoch: 'e1' }]);
      const last = prepared.records.findLast(({ marks }) => marks.coin !== undefined)!;
      expect(recordsExposed[0]!.through).toBe(last.sequence);
      const built = await buildTraps({
        configPath: scene.configPath,
        kind: 'coin',
        now: new Date(),
        signal,
        progress: () => undefined,
      });
      expect(built).toMatchObject({
        built: 0,
        why: expect.stringMatching(/have shown every coin/),
      });
    } finally {
      scene.close();
    }
  });
});
