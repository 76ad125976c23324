import { beforeAll, describe, expect, it } from 'vitest';
import { buildProbeSet } from '../../../src/audit/fingerprinting/build-probe-set.ts';
import { answersOfModel, type Predict } from '../../../src/audit/fingerprinting/model-answers.ts';
import {
  type AnsweredReference,
  answersOfReferences,
  quirkNulls,
  tryQuirks,
  votesOf,
} from '../../../src/audit/fingerprinting/reference-answers.ts';
import type { FingerprintMaterial } from '../../../src/audit/material.ts';
import { type ReferencePool, trainReferencePool } from '../../../src/audit/reference-pool.ts';
import {
  FingerprintQuirksRun,
  fingerprintQuirks,
} from '../../../src/audit/tests/fingerprint-quirks.ts';
import type { Evidence, Observation, Outcome, Probe } from '../../../src/contracts.ts';
import { inputDigest } from '../../../src/keys/canonical-input.ts';
import { labelsOf, probabilitiesOf } from '../../../src/models/training/layers.ts';
import { oneHot, trainFamily } from '../../../src/models/training/model-families.ts';
import { featureDimensions, readRows } from '../../../src/models/training/search-features.ts';
import { seededRandom } from '../../../src/stats/sampling.ts';
import { examples, labels, quirky } from '../trap-search/scene.ts';
import { simulate } from './region-scene.ts';

const signal = new AbortController().signal;
const names: readonly string[] = labels;
const weights = new Map([
  ['label-choices', 0.5],
  ['boundary-geometry', 0.25],
]);
let pool: ReferencePool;
let answered: AnsweredReference[];
let fingerprint: FingerprintMaterial;
let thief: Predict;

const own: Predict = (inputs) => ({ labels: inputs.map((input) => names.indexOf(quirky(input))) });

/** A network that learnt from the protected model's labels. */
async function trainThief(): Promise<Predict> {
  const { features } = pool;
  const questions = examples(1500, 'stolen').map(({ input }) => input);
  const targets = oneHot(
    Array.from(own(questions).labels, (label) => label!),
    labels.length,
  );
  const data = {
    rows: readRows(features, questions),
    ...{ targets, dimensions: featureDimensions(features), classes: labels.length, signed: true },
  };
  const sample = Uint32Array.from(questions.keys());
  const layers = await trainFamily('network-64', data, { seed: 'thief', sample, signal });
  return (inputs) => {
    const rows = readRows(features, inputs);
    return {
      labels: labelsOf([layers], rows)[0]!,
      probabilities: probabilitiesOf([layers], rows)[0]!,
    };
  };
}

beforeAll(async () => {
  const [sameData, otherData] = [examples(400, 'same'), examples(400, 'other')];
  const options = { labels, sameData, otherData, referencesPerKind: 60, signal };
  pool = await trainReferencePool(options);
  const choosing = pool.references.filter(({ part }) => part === 'select');
  const probes = buildProbeSet({
    name: 'scene',
    labels,
    candidates: examples(600, 'pool').map(({ input }) => ({ input })),
    ...{ count: 500, pairs: 40, seed: 'test' },
    votes: votesOf(
      choosing.map(({ layers }) => layers),
      pool.features,
      labels.length,
    ),
  });
  const protectedModel = await answersOfModel(own, probes);
  answered = await answersOfReferences(pool.references, pool.features, probes, { signal });
  const nulls = quirkNulls(answered, protectedModel, probes, (name) => weights.get(name) ?? 0);
  fingerprint = {
    fingerprint: 'of the model',
    probeSet: 'of the test',
    probes,
    protectedModel,
    nulls,
  };
  thief = await trainThief();
}, 60_000);

/** Runs the test against a suspect that answers one question at a time. */
function audit(answer: (probe: Probe) => Outcome, referencesExchangeable = true) {
  const run = fingerprintQuirks.start({ ...simulate(), fingerprint, referencesExchangeable });
  const partial = run.evidence();
  for (let due = run.next(); due.length > 0; due = run.next()) {
    run.fold(due.map((probe): Observation => ({ probe, ...answer(probe) })));
  }
  const findings = run instanceof FingerprintQuirksRun ? run.findings()! : undefined;
  return { partial, final: run.evidence(), findings: findings! };
}

const saying =
  (predict: Predict, soft: boolean) =>
  (probe: Probe): Outcome => {
    const { labels: found, probabilities } = predict([probe.input]);
    const label = labels[found[0] ?? -1] ?? 'none of these';
    return {
      answer: { label, ...(soft && probabilities && { probabilities: [...probabilities] }) },
    };
  };

const pOf = ({ effect }: Evidence, quirk: string) => effect[`p of ${quirk}`];

describe('fingerprint-quirks', () => {
  it('give a thief the first rank, and tell R and the smallest possible p', () => {
    const { partial, final, findings } = audit(saying(thief, false));
    expect(partial).toMatchObject({ status: 'partial', null: 'reference', log10E: 0 });
    expect(final).toMatchObject({ status: 'done', null: 'reference', keyMaterial: [] });
    expect(final.log10E).toBeGreaterThan(0.5);
    expect(pOf(final, 'label-choices')).toBe(1 / 21);
    expect(final.effect).toMatchObject({
      'same-data references': 20,
      'other-data references': 20,
      'smallest possible p': 1 / 21,
    });
    expect(findings).toMatchObject({ questions: 500, answered: 500, steadiness: 1 });
    expect(final.probes).toBeLessThanOrEqual(500 + 32 + 40 * 6);
  });

  it('rank references that had no part in it as often as p says', () => {
    const { nulls, protectedModel, probes } = fingerprint;
    for (const { models, accused } of tryQuirks(nulls, answered, protectedModel, probes)) {
      expect(models).toBe(40);
      // 20 calibrate: p <= .05 is the first rank, 1 in 21 on average; 8 of 40 has a chance below .003.
      expect(accused).toBeLessThan(8);
    }
  });

  it('gain nothing for references that err more often, at random', () => {
    const { nulls, protectedModel, probes } = fingerprint;
    const random = seededRandom('errors');
    for (const rate of [0.1, 0.3, 0.6]) {
      const erring = answered.map((each) => {
        const found = each.answers.labels.map((label) =>
          random.uniform() < rate ? random.integer(labels.length) : label,
        );
        return { ...each, answers: { ...each.answers, labels: found } };
      });
      const trials = tryQuirks(nulls, erring, protectedModel, probes);
      expect(trials.find(({ name }) => name === 'label-choices')!.accused).toBeLessThan(8);
    }
  });

  it('never count without the sealed assumption, but are shown', () => {
    const { final } = audit(saying(thief, false), false);
    expect(final).toMatchObject({ null: 'descriptive', log10E: 0, status: 'done' });
    expect(final.effect['bans']).toBeGreaterThan(0.5);
  });

  it('read probabilities where a suspect gives them', () => {
    const named = ({ findings }: ReturnType<typeof audit>) =>
      findings.ranks.flatMap(({ name, suspect }) => (suspect ? [name] : []));
    expect(named(audit(saying(thief, true)))).toEqual(named(audit(saying(thief, false))));
    // The protected model of this scene gives labels only, so nothing can be compared but labels.
    expect(named(audit(saying(thief, true)))).not.toContain('probability-levels');
  });

  it.each([
    [
      'answers at random',
      (probe: Probe, random: number) =>
        saying(() => ({ labels: [Math.floor(random * labels.length)] }), false)(probe),
    ],
    ['refuses everything', (): Outcome => ({ missing: 'refused' })],
    ['answers outside the labels', (): Outcome => ({ answer: { label: 'none of these' } })],
  ] as const)('say nothing against a suspect that %s', (_, answer) => {
    const random = seededRandom('answers');
    const { final } = audit((probe) => answer(probe, random.uniform()));
    expect(final.status).toBe('done');
    expect(final.log10E).toBeLessThan(0);
  });

  it('hold unanswered halves against likeness', () => {
    const refuses = ({ input }: Probe) => inputDigest(input)[0]! % 2 === 0;
    const { final, findings } = audit((probe) =>
      refuses(probe) ? { missing: 'refused' } : saying(thief, false)(probe),
    );
    expect(final.status).toBe('done');
    expect(final.skipped['refused']).toBeGreaterThan(200);
    expect(findings.answered).toBeLessThan(300);
    const whole = audit(saying(thief, false)).findings;
    findings.ranks.forEach(({ name, suspect }, index) => {
      const before = whole.ranks[index]!.suspect;
      if (name === 'label-choices') expect(suspect!.statistic).toBeLessThan(before!.statistic);
    });
  });

  it('do not apply without a fingerprint that has references', () => {
    const run = fingerprintQuirks.start(simulate());
    expect(run.next()).toEqual([]);
    expect(run.evidence()).toMatchObject({
      status: 'not-applicable',
      null: 'reference',
      log10E: 0,
    });
  });
});
