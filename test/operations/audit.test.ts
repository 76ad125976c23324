import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { digestOf } from '../../src/audit/plan.ts';
import { TouchmarkError } from '../../src/errors.ts';
import {
  type AuditOptions,
  auditSuspect,
  type PreparedAudit,
  prepareAudit,
  runAudit,
} from '../../src/operations/audit.ts';
import { rotateKey } from '../../src/operations/keys.ts';
import { parseReport } from '../../src/report/json.ts';
import type { AuditReport } from '../../src/report/model.ts';
import { renderTerminal } from '../../src/report/terminal.ts';
import {
  createScene,
  filesIn,
  labels,
  leaks,
  lookUpThief,
  ngramModel,
  type Predict,
  recorded,
  repeats,
  type Scene,
  serve,
  type TestSuspect,
  until,
} from './audit-scene.ts';

let scene: Scene;
let prepared: PreparedAudit;
beforeAll(async () => {
  scene = await createScene();
  prepared = await prepareAudit(scene.options('', ''));
});
afterAll(() => scene.close());

async function suspectOf(predict: Predict): Promise<TestSuspect> {
  const suspect = await serve(predict);
  onTestFinished(() => suspect.close());
  return suspect;
}

const thief = () => suspectOf(lookUpThief(scene.served));
const resumed = (options: AuditOptions): AuditOptions => ({ ...options, resume: true });
const evidenceOf = ({ evidence }: AuditReport, test: string) =>
  evidence.find((each) => each.test === test)!;
const eitherReading = 'coins may be read in the whole log or in lots, half of the weight each';
const firstAudit = Math.log10(Math.PI ** 2 / 6);

describe('an audit', () => {
  it('finds a thief behind a plain JSON route, and keeps plan, answers and reports', async () => {
    const suspect = await thief();
    const out = scene.out('thief');
    const stages = new Set<string>();
    const report = await auditSuspect(prepared, {
      ...scene.options(suspect.http, 'thief'),
      suspectName: 'Look-up & <Sons>',
      suspectBearer: 'sentinel-of-the-suspect',
      progress: (stage) => stages.add(stage),
    });
    expect(report.verdict).toBe('match');
    expect(report.score).toBeGreaterThan(6);
    expect(report.tier).toBe('restrict');
    const coins = evidenceOf(report, 'label-coins');
    expect(coins.effect).toMatchObject({ share: 1 });
    expect(coins.log10E).toBeGreaterThan(8);
    expect(report.run).toMatchObject({ probesAsked: 660, answered: 660, failed: 0, refused: 0 });
    expect(report.run.outsideLabels).toBe(0);
    expect(report.plan.horizon).toBe(660);
    expect(report.notRuledOut[0]?.way).toContain('relay');
    expect(report.multiplicity).toEqual([
      { reason: 'audit 1 of this suspect', bans: expect.closeTo(firstAudit, 12) },
      { reason: eitherReading, bans: Math.log10(2) },
    ]);
    expect(report.score).toBeCloseTo(report.rawScore - firstAudit - Math.log10(2), 10);
    expect(stages).toContain('asking the suspect');
    expect(suspect.bearers).toEqual(new Set(['Bearer sentinel-of-the-suspect']));

    expect(parseReport(readFileSync(join(out, 'report.json'), 'utf8'))).toEqual(report);
    const html = readFileSync(join(out, 'report.html'), 'utf8');
    expect(html.match(/<svg/g)?.length).toBeGreaterThanOrEqual(3);
    expect(html).toContain('Look-up &amp; &lt;Sons&gt;');
    const { plan, hash } = JSON.parse(readFileSync(join(out, 'plan.json'), 'utf8'));
    expect(digestOf(plan)).toBe(hash);
    expect(report.plan.hash).toBe(hash);
    expect(plan).toMatchObject({ suspect: suspect.http, epochCommitment: expect.any(String) });
    expect(new Set(recorded(out)).size).toBe(660);
    expect(recorded(out)).toHaveLength(660);
    const written = filesIn(out);
    expect(written.map(({ name }) => name).sort()).toEqual(
      [
        'Look-up-Sons.dossier.json',
        'answers.jsonl',
        'attempts.jsonl',
        'lock-holder.json',
        'material.json',
        'plan.json',
        'report.html',
        'report.json',
        'vouchers.json',
      ].sort(),
    );
    const secrets = [...scene.secrets, 'sentinel-of-the-suspect'];
    expect(secrets).toHaveLength(8);
    expect(
      leaks(
        secrets,
        written.map(({ text }) => text),
      ),
    ).toEqual([]);
  });

  it('says of an independent behind the Open Inference protocol that nothing was shown', async () => {
    const suspect = await suspectOf(ngramModel(0.4));
    const report = await auditSuspect(prepared, scene.options(suspect.kserve, 'independent'));
    expect(report).toMatchObject({ verdict: 'inconclusive', tier: 'none' });
    expect(report.score).toBeLessThan(4);
    expect(report.evidence.map(({ test, status }) => [test, status])).toEqual([
      ['probability-per-query', 'done'],
      ['label-coins', 'done'],
      ['probability-signs', 'done'],
      ['probability-signs-replay', 'done'],
      ['region-traps', 'not-applicable'],
      ['fingerprint-quirks', 'not-applicable'],
    ]);
    expect(report.suspect).toMatchObject({
      name: 'm',
      labels: 6,
      gives: ['labels', 'probabilities'],
    });
    expect(new Set(suspect.asked).size).toBe(660);
    expect(suspect.asked).toHaveLength(660 + repeats);
    const { counts } = report.confusion;
    expect(counts.flat().reduce((sum, count) => sum + count, 0)).toBe(660);
    expect(counts).toHaveLength(labels.length);
  });

  it.each([
    'http',
    'kserve',
  ] as const)('asks a label-only %s suspect for coins and as much cover', async (way) => {
    const suspect = await thief();
    suspect.labelsOnly = true;
    const report = await auditSuspect(prepared, scene.options(suspect[way], `labels-${way}`));
    expect(report.verdict).toBe('match');
    const coins = evidenceOf(report, 'label-coins');
    expect(report.rawScore).toBe(coins.log10E);
    expect(report.evidence.filter(({ counted }) => counted)).toEqual([coins]);
    for (const each of report.evidence.filter((other) => other !== coins)) {
      expect(each).toMatchObject({ status: 'not-applicable', log10E: 0 });
    }
    expect(report.run.probesAsked).toBe(2 * coins.probes);
    expect(report.suspect.gives).toEqual(['labels']);
  });

  it('charges later audits of a suspect, also for those that were abandoned', async () => {
    const suspect = await suspectOf(ngramModel(0.4));
    suspect.labelsOnly = true;
    const interrupted = { ...scene.options(suspect.http, 'repeat-1'), signal: AbortSignal.abort() };
    await expect(auditSuspect(prepared, interrupted)).rejects.toThrow();
    const charge = async (name: string) =>
      (await auditSuspect(prepared, scene.options(suspect.http, name))).multiplicity.map(
        ({ reason, bans }) => [reason, bans],
      );
    expect(await charge('repeat-2')).toEqual([
      ['audit 1 of this suspect', expect.closeTo(firstAudit, 12)],
      [eitherReading, Math.log10(2)],
    ]);
    const stop = new AbortController();
    const dropped = { ...scene.options(suspect.http, 'repeat-3'), signal: stop.signal };
    await expect(
      auditSuspect(prepared, { ...dropped, progress: () => stop.abort() }),
    ).rejects.toMatchObject({ code: 'INTERRUPTED' });
    expect(await charge('repeat-4')).toEqual([
      ['audit 3 of this suspect', expect.closeTo(firstAudit + Math.log10(9), 12)],
      [eitherReading, Math.log10(2)],
    ]);
  });

  it('counts the replay test where the owner vouches for the questions, and says so', async () => {
    const suspect = await thief();
    const { project } = prepared;
    const audit = { ...project.config.audit, questionsNotChosenFromAnswers: true };
    const vouching = { ...prepared, project: { ...project, config: { ...project.config, audit } } };
    const report = await auditSuspect(vouching, scene.options(suspect.http, 'vouched'));
    const [replay, fresh, perQuery, coins] = [
      'probability-signs-replay',
      'probability-signs',
      'probability-per-query',
      'label-coins',
    ].map((test) => evidenceOf(report, test));
    expect(replay).toMatchObject({ null: 'keyed', counted: true });
    expect(replay?.log10E).toBeGreaterThan(10);
    expect(replay?.keyMaterial).toEqual(fresh?.keyMaterial);
    const averaged = Math.log10((10 ** replay!.log10E + 10 ** fresh!.log10E) / 2);
    expect(report.rawScore).toBeCloseTo(averaged + perQuery!.log10E + coins!.log10E, 8);
    const assumption = expect.stringContaining('not chosen from served answers');
    expect(report.plan.assumptions).toContainEqual(assumption);
    const html = readFileSync(join(scene.out('vouched'), 'report.html'), 'utf8');
    for (const output of [html, renderTerminal(report, { color: false })]) {
      expect(output.replace(/\s+/g, ' ')).toContain('not chosen from served answers');
    }
  });

  it('does not count the replay test otherwise', async () => {
    const suspect = await thief();
    const report = await auditSuspect(prepared, scene.options(suspect.http, 'unvouched'));
    const replay = evidenceOf(report, 'probability-signs-replay');
    expect(replay).toMatchObject({ null: 'descriptive', counted: false, log10E: 0 });
    expect(replay.effect['bans']).toBeGreaterThan(10);
    const counted = report.evidence.filter((each) => each.counted);
    expect(report.rawScore).toBeCloseTo(
      counted.reduce((sum, { log10E }) => sum + log10E, 0),
      8,
    );
    expect(report.plan.assumptions).toEqual([]);
  });
});

describe('an audit that is cut short', () => {
  it('goes on after an interruption without asking an answered probe again', async () => {
    const suspect = await thief();
    suspect.milliseconds = 5;
    const out = scene.out('interrupted');
    const stop = new AbortController();
    const options = { ...scene.options(suspect.kserve, 'interrupted'), signal: stop.signal };
    const audit = auditSuspect(prepared, options);
    void until(() => suspect.asked.length > 200).then(() => stop.abort());
    await expect(audit).rejects.toMatchObject({
      code: 'INTERRUPTED',
      exitCode: 130,
      hint: expect.stringContaining('--resume'),
    });
    const kept = recorded(out);
    expect(kept.length).toBeGreaterThan(50);
    expect(kept.length).toBeLessThan(660);
    const answers = readFileSync(join(out, 'answers.jsonl'), 'utf8');
    suspect.asked.length = 0;
    const report = await auditSuspect(
      prepared,
      resumed(scene.options(suspect.kserve, 'interrupted')),
    );
    expect(report).toMatchObject({ verdict: 'match', run: { probesAsked: 660 } });
    expect(suspect.asked).toHaveLength(660 + repeats - kept.length);
    expect(readFileSync(join(out, 'answers.jsonl'), 'utf8').startsWith(answers)).toBe(true);
    expect(new Set(recorded(out)).size).toBe(660);

    suspect.asked.length = 0;
    const again = await auditSuspect(
      prepared,
      resumed(scene.options(suspect.kserve, 'interrupted')),
    );
    expect(suspect.asked).toEqual([]);
    expect(again.evidence).toEqual(report.evidence);
    expect(again.score).toBe(report.score);
  });

  it('keeps the answers of a suspect that turns invalid, and goes on once it is well', async () => {
    const suspect = await suspectOf(ngramModel(0.4));
    const well = suspect.predict;
    suspect.predict = (text) =>
      suspect.asked.length > 300 ? labels.map(() => Number.NaN) : well(text);
    const options = scene.options(suspect.http, 'ill');
    await expect(auditSuspect(prepared, options)).rejects.toMatchObject({
      code: 'SUSPECT_ANSWER_INVALID',
      exitCode: 3,
      message: expect.stringMatching(/gives null as the probability of "?ash"? in row 0/),
    });
    const kept = recorded(scene.out('ill'));
    expect(kept.length).toBeGreaterThan(100);
    expect(existsSync(join(scene.out('ill'), 'report.json'))).toBe(false);
    suspect.predict = well;
    const report = await auditSuspect(prepared, resumed(options));
    expect(report.run).toMatchObject({ probesAsked: 660, answered: 660 });
    expect(recorded(scene.out('ill')).slice(0, kept.length)).toEqual(kept);
  });
});

describe('a run that is resumed', () => {
  let options: AuditOptions;
  let out: string;
  let suspect: TestSuspect;
  const edit = (file: string, change: (text: string) => string) => {
    const path = join(out, file);
    const before = readFileSync(path, 'utf8');
    writeFileSync(path, change(before));
    onTestFinished(() => writeFileSync(path, before));
  };
  const refusal = async (from: AuditOptions) => {
    suspect.asked.length = 0;
    const error: unknown = await auditSuspect(prepared, resumed(from)).catch((cause) => cause);
    expect(suspect.asked).toEqual([]);
    if (!TouchmarkError.isInstance(error)) throw error;
    return { code: error.code, exitCode: error.exitCode, message: error.message };
  };
  beforeAll(async () => {
    suspect = await serve(ngramModel(0.4));
    suspect.labelsOnly = true;
    out = scene.out('resumed');
    options = scene.options(suspect.http, 'resumed');
    await auditSuspect(prepared, options);
  });
  afterAll(() => suspect.close());

  it('must be there, and of an epoch that the tenant has', async () => {
    const nowhere = resumed({ ...options, out: scene.out('nowhere') });
    await expect(runAudit(nowhere)).rejects.toMatchObject({ code: 'RUN_CONFLICT', exitCode: 2 });
    await expect(runAudit({ ...resumed(options), epoch: 'e9' })).rejects.toMatchObject({
      code: 'EPOCH_UNKNOWN',
      exitCode: 2,
      hint: 'It has: e1.',
    });
  });

  it('must be meant: a directory takes one audit', async () => {
    await expect(runAudit(options)).rejects.toMatchObject({ code: 'RUN_CONFLICT', exitCode: 2 });
    await expect(auditSuspect(prepared, options)).rejects.toMatchObject({ code: 'RUN_CONFLICT' });
  });

  it('must be of the same suspect and tenant', async () => {
    const other = { ...options, suspect: 'http:http://127.0.0.1:1/classify' };
    expect(await refusal(other)).toMatchObject({
      code: 'RUN_CONFLICT',
      exitCode: 2,
      message: expect.stringContaining(`sealed for the suspect ${options.suspect}, and this is`),
    });
    const error = auditSuspect({ ...prepared, tenant: 'other' }, resumed(options));
    await expect(error).rejects.toThrow('sealed for the tenant example, and this is other');
  });

  it('must have the plan that was sealed', async () => {
    edit('plan.json', (text) => text.replace('"threshold": 6', '"threshold": 5'));
    expect(await refusal(options)).toMatchObject({
      code: 'PLAN_INVALID',
      exitCode: 2,
      message: `${join(out, 'plan.json')} was changed after it was sealed`,
    });
  });

  it('must have the material that was sealed', async () => {
    edit('material.json', (text) => text.replace('"fresh":[{"input":"', '"fresh":[{"input":"x'));
    expect(await refusal(options)).toMatchObject({
      code: 'RUN_CONFLICT',
      message: expect.stringContaining('sealed for the material sha256:'),
    });
    edit('material.json', () => '');
    expect(await refusal(options)).toMatchObject({ code: 'RUN_CONFLICT' });
    rmSync(join(out, 'material.json'));
    expect(await refusal(options)).toMatchObject({ message: `${out} has no material.json` });
  });

  it('must have the answers that were recorded', async () => {
    edit('answers.jsonl', (text) => text.replace('"label"', '"lable"'));
    expect(await refusal(options)).toMatchObject({
      code: 'STORE_DAMAGED',
      exitCode: 6,
      message: expect.stringMatching(/answers\.jsonl:1: this line is no recorded answer/),
    });
  });

  it('is listed as an audit even if a crash came before it was', async () => {
    const register = join(scene.directory, '.touchmark/audits.jsonl');
    const entries = readFileSync(register, 'utf8');
    const { hash } = JSON.parse(readFileSync(join(out, 'plan.json'), 'utf8'));
    const without = entries.split('\n').filter((line) => !line.includes(hash));
    writeFileSync(register, without.join('\n'));
    await auditSuspect(prepared, resumed(options));
    await auditSuspect(prepared, resumed(options));
    expect(readFileSync(register, 'utf8').split(hash)).toHaveLength(2);
  });

  it('needs no training, and rules a relay out once the log shows that its epoch went out of use', async () => {
    await rotateKey({ configPath: scene.configPath, tenant: 'example', environment: {} });
    await expect(runAudit(resumed(options))).rejects.toThrow(
      'sealed for the epoch e1, and this is e2',
    );
    const early = await runAudit({ ...resumed(options), epoch: 'e1' });
    expect(early.ruledOut).toEqual([]);
    expect(early.relay).toMatchObject({ finding: 'not-testable', closedSince: null });
    await scene.ask(['one more question']);
    const { ruledOut, notRuledOut, relay } = await runAudit({ ...resumed(options), epoch: 'e1' });
    expect(relay).toMatchObject({
      finding: 'no-sign',
      closedSince: expect.stringMatching(/^20/),
      coins: { keys: 1 },
      log: { found: 0 },
    });
    expect(ruledOut).toEqual([
      { way: expect.stringContaining('relay'), how: expect.stringContaining('Since 20') },
    ]);
    expect(notRuledOut.map(({ way }) => way).join()).not.toContain('relay');
    const html = readFileSync(join(out, 'report.html'), 'utf8');
    expect(html).toContain('Since 20');
  });
});
