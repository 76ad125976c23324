import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { parse, stringify } from 'yaml';
import { parseSealedPlan } from '../../../src/audit/plan.ts';
import { auditSuspect, type PreparedAudit, prepareAudit } from '../../../src/operations/audit.ts';
import { compareStored } from '../../../src/operations/fingerprints/compare.ts';
import { takeFingerprint } from '../../../src/operations/fingerprints/take.ts';
import {
  type TakenProtected,
  takeProtected,
} from '../../../src/operations/fingerprints/take-protected.ts';
import { renderHtml } from '../../../src/report/html.ts';
import type { AuditReport } from '../../../src/report/model.ts';
import {
  createScene,
  labels,
  ngramModel,
  type Predict,
  type Scene,
  sentences,
  serve,
} from '../audit-scene.ts';
import { topOf } from './scene.ts';

const truth = ngramModel(0.28, 'truth');
const questions = 150;
const perKind = 12;
let scene: Scene;
let taken: TakenProtected;
let prepared: PreparedAudit;

const examples = (count: number, seed: string) =>
  sentences(count, seed)
    .map((input) => JSON.stringify({ input, label: labels[topOf(truth(input))] }))
    .join('\n');

const take = (signal = AbortSignal.timeout(60_000), referencesPerKind = perKind) =>
  takeProtected({
    configPath: scene.configPath,
    environment: {},
    ...{ referencesPerKind, signal, now: () => new Date() },
  });

beforeAll(async () => {
  scene = await createScene(60, { audit: { freshProbes: 0, loggedProbes: 60 } });
  const { directory, configPath } = scene;
  const config = parse(readFileSync(configPath, 'utf8'));
  Object.assign(config.inputs, { sameData: 'inputs/same.jsonl', otherData: 'inputs/other.jsonl' });
  config.fingerprints = { questions, pairs: 20 };
  config.audit.referencesExchangeable = true;
  writeFileSync(configPath, stringify(config));
  writeFileSync(join(directory, 'inputs/same.jsonl'), examples(1500, 'same'));
  writeFileSync(join(directory, 'inputs/other.jsonl'), examples(1500, 'other'));
  const pool = [...sentences(400, 'fingerprint'), ...scene.questions];
  writeFileSync(join(directory, 'inputs/fingerprint.txt'), pool.join('\n'));
  taken = await take();
  prepared = await prepareAudit(scene.options('', ''));
}, 90_000);
afterAll(() => scene.close());

async function audit(predict: Predict, name: string): Promise<AuditReport> {
  const suspect = await serve(predict);
  onTestFinished(() => suspect.close());
  return auditSuspect(prepared, scene.options(suspect.http, name));
}

const evidenceOf = ({ evidence }: AuditReport) =>
  evidence.find(({ test }) => test === 'fingerprint-quirks')!;

describe('takeProtected', () => {
  it('asks what was never served, trains references, and says how many rank a suspect', () => {
    expect(taken).toMatchObject({ questions, answered: questions, steadiness: 1 });
    expect(taken.references).toMatchObject({ same: 4, other: 4, smallestP: 1 / 5 });
    const { ability } = JSON.parse(readFileSync(taken.references!.path, 'utf8'));
    expect(ability).toMatchObject({ questions: 150 });
    expect(ability.protectedModel).toBeGreaterThan(0.4);
    expect(ability.least).toBeLessThan(ability.most);
    expect(taken.references!.trials.every(({ models }) => models === 8)).toBe(true);
    const folder = join(scene.directory, 'fingerprints');
    const kept = readdirSync(folder).filter((name) => name.endsWith('.json'));
    expect(kept.map((name) => name.split('-')[0]).sort()).toEqual([
      'fingerprint',
      'probes',
      'references',
    ]);
    const probes = JSON.parse(readFileSync(join(folder, `${taken.probeSet}.json`), 'utf8'));
    const asked = new Set(probes.questions.map(({ input }: { input: string }) => input));
    expect(asked.size).toBe(questions);
    expect(scene.questions.some((question) => asked.has(question))).toBe(false);
    const references = JSON.parse(readFileSync(taken.references!.path, 'utf8'));
    const parts = (part: string) =>
      references.references.filter((each: { part: string }) => each.part === part);
    for (const part of ['select', 'calibrate', 'test']) expect(parts(part)).toHaveLength(8);
    const names = references.references.map(({ name }: { name: string }) => name);
    expect(new Set(names).size).toBe(24);
  });

  it('can be interrupted, and says so', async () => {
    await expect(take(AbortSignal.abort())).rejects.toMatchObject({ code: 'INTERRUPTED' });
  });

  it('ranks another model among the references when it is compared', async () => {
    const suspect = await serve(ngramModel());
    onTestFinished(() => suspect.close());
    const options = { configPath: scene.configPath, environment: {} };
    const copy = await takeFingerprint({
      ...options,
      ...{ suspect: suspect.http, name: 'copy', now: () => new Date() },
      signal: AbortSignal.timeout(30_000),
    });
    const { standings, looks } = await compareStored({
      now: () => new Date(),
      ...options,
      one: copy.fingerprint,
      two: taken.fingerprint,
    });
    expect(standings[0]).toMatchObject({ same: 4, other: 4, smallestP: 1 / 5 });
    expect(looks).toEqual([{ suspect: suspect.http, looks: 1 }]);
    const again = await compareStored({
      now: () => new Date(),
      ...options,
      one: copy.fingerprint,
      two: taken.fingerprint,
    });
    expect(again.looks).toEqual(looks);
    const report = await auditSuspect(prepared, scene.options(suspect.http, 'looked at'));
    expect(report.multiplicity.map(({ reason }) => reason)).toContain('audit 2 of this suspect');
    expect(standings[0]!.quirks.find(({ name }) => name === 'label-choices')!.p).toBe(1 / 5);
  });
});

describe('an audit of a project with a fingerprint', () => {
  it('seals it, ranks a copy first in what counts, and shows every quirk in the report', async () => {
    const report = await audit(ngramModel(), 'copy');
    const found = evidenceOf(report);
    expect(found).toMatchObject({ null: 'reference', status: 'done', counted: true });
    expect(found.log10E).toBeGreaterThan(0.4);
    const plan = readFileSync(join(scene.out('copy'), 'plan.json'), 'utf8');
    expect(parseSealedPlan(plan, 'plan').plan).toMatchObject({
      assumptions: expect.arrayContaining([expect.stringContaining('as one kind of reference is')]),
      fingerprint: {
        ...{ fingerprint: taken.fingerprint, probeSet: taken.probeSet },
        ...{
          references: taken.references!.id,
          weights: { 'probability-levels': 0.8, 'label-choices': 0 },
        },
      },
    });
    const part = report.fingerprint!;
    expect(part).toMatchObject({
      protectedModel: taken.fingerprint,
      questions,
      answered: questions,
    });
    expect(part.references).toEqual({ same: 4, other: 4, smallestP: 1 / 5 });
    const levels = part.quirks.find(({ name }) => name === 'probability-levels')!;
    expect(levels.suspect).toBeCloseTo(levels.protectedModel, 4);
    expect(levels).toMatchObject({ pSame: 1 / 5, pOther: 1 / 5, weight: 0.8 });
    expect(renderHtml(report)).toContain('probability-levels');
    expect(report.score).toBeGreaterThan(report.keyedScore!);
  });

  it('finds nothing in a stranger, and costs at most .31 bans', async () => {
    const report = await audit(ngramModel(4, 'stranger'), 'stranger');
    expect(evidenceOf(report).log10E).toBeLessThan(0);
    expect(report.score).toBeGreaterThan(report.keyedScore! - 0.302);
  });

  it('leaves quirks out when a tenant has asked their questions', async () => {
    const probes = readFileSync(
      join(scene.directory, 'fingerprints', `${taken.probeSet}.json`),
      'utf8',
    );
    await scene.ask([JSON.parse(probes).questions[0].input]);
    const notices: string[] = [];
    const { material } = await prepareAudit({
      ...scene.options('', ''),
      onNotice: (text) => notices.push(text),
    });
    expect(material?.fingerprint).toBeUndefined();
    expect(notices.join()).toContain('have asked 1 of their questions');
  });
});
