import { beforeAll, describe, expect, it, vi } from 'vitest';
import { answering, type Suspect } from '../../scripts/calibrate/innocents.ts';
import { drawModel, probabilities, type Task, textTask } from '../../scripts/calibrate/task.ts';
import { keyOf, logged, runTest } from '../../scripts/calibrate/trial.ts';
import { type AuditMaterial, freshProbe } from '../../src/audit/material.ts';
import { provenanceScore } from '../../src/audit/score.ts';
import { provenanceTests } from '../../src/audit/tests/registry.ts';
import type { Evidence, Input, ServedRecord } from '../../src/contracts.ts';
import { classifierKeys } from '../../src/keys/classifier-keys.ts';
import { trainNetwork } from '../../src/models/training/network.ts';
import { seededRandom } from '../../src/stats/sampling.ts';
import { ClassifierMarker } from '../../src/watermark/classifier-marker.ts';
import { readFeatures } from '../../src/watermark/classifier-profile.ts';
import { readingLogs } from '../../src/watermark/probability/alignment.ts';
import { servingFloor, toDistribution } from '../../src/watermark/probability/distribution.ts';
import { hashNgrams, type NgramOptions } from '../../src/watermark/probability/features.ts';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const ngrams: NgramOptions = { dimensions: 512, shortest: 1, longest: 3, seed: 0 };
const thiefNgrams: NgramOptions = { ...ngrams, dimensions: 4096, seed: 77 };
const task: Task = {
  ...textTask,
  profile: {
    ...textTask.profile,
    features: { kind: 'text', ngrams },
    smoothStrength: 0.8,
    perQueryStrength: 0.2,
    marginThreshold: 0.2,
  },
};
const random = seededRandom('power');
const cleanLogits = drawModel(task, random);
const clean = (input: Input) => toDistribution(probabilities(cleanLogits)(input), servingFloor);
const draw = (count: number) => [
  ...new Set(Array.from({ length: count }, () => String(task.draw(random)))),
];
const questions = draw(1200);
const training = { hidden: 0, epochs: 40, batchSize: 128, learningRate: 0.1 } as const;

/** Serves all questions under a key and trains the thief on what came back. */
async function steal(key: Uint8Array) {
  const marker = new ClassifierMarker(key, task.profile);
  const records = questions.map((input, sequence): ServedRecord => {
    const answer = marker.mark(input, clean(input));
    return {
      sequence,
      tenant: 'tenant',
      epoch: 'epoch',
      servedAt: '2026-01-01T00:00:00.000Z',
      modelVersion: '1',
      input,
      clean: Array.from(clean(input)),
      served: Array.from(answer.served),
      label: answer.label,
      marks: answer.marks,
    };
  });
  const network = await trainNetwork(
    questions.map((text) => hashNgrams(text, thiefNgrams)),
    records.map(({ served }) => served),
    { ...training, dimensions: thiefNgrams.dimensions, seed: 'thief' },
  );
  const suspect = answering(task, (input) => network(hashNgrams(String(input), thiefNgrams)));
  return { records, suspect };
}

async function twinOf(inputs: readonly Input[]) {
  const features = (input: Input) => readFeatures(task.profile.features, input);
  const twin = await trainNetwork(inputs.map(features), inputs.map(clean), {
    ...training,
    dimensions: ngrams.dimensions,
    seed: 'twin',
  });
  return (input: Input) => [readingLogs(twin(features(input))), readingLogs(clean(input))];
}

describe('a trained student', () => {
  let material: AuditMaterial;
  let thief: Suspect;
  let foreign: Suspect;

  beforeAll(async () => {
    const epochKey = keyOf('power');
    const { records, suspect } = await steal(epochKey);
    thief = suspect;
    foreign = (await steal(keyOf('another owner'))).suspect;
    const baselines = await twinOf(draw(1000));
    const replay = await twinOf(questions);
    const own = logged(records, baselines, 0).map((question) => ({
      ...question,
      replayBaselines: replay(question.record.input),
    }));
    material = {
      profile: task.profile,
      keys: classifierKeys(epochKey),
      epochCommitment: 'sha256:power',
      questionsNotChosenFromAnswers: true,
      referencesExchangeable: true,
      fresh: draw(800).map((input, index) => ({
        probe: freshProbe(index, input),
        baselines: baselines(input),
      })),
      logged: own,
      coins: own,
      regionLots: [],
    };
  });

  const audit = (suspect: Suspect): readonly Evidence[] =>
    provenanceTests
      .filter((test) => test.null !== 'reference')
      .map((test) => runTest(test, { material, suspect }, 'batch').final);

  it('is found by every test, each from its own key', () => {
    for (const { test, log10E, log10P } of audit(thief)) {
      expect(log10E, test).toBeGreaterThan(3);
      if (test !== 'probability-per-query') expect(log10P, test).toBeLessThan(-3);
    }
  });

  it('is not found under a key whose answers it never saw', () => {
    const evidence = audit(foreign);
    for (const { test, log10E } of evidence) expect(log10E, test).toBeLessThan(2);
    expect(provenanceScore(evidence)).toBeLessThan(2);
  });

  it('gives no counted evidence on replayed questions without the sealed assumption', () => {
    material = { ...material, questionsNotChosenFromAnswers: false };
    const replay = audit(thief).find(({ test }) => test === 'probability-signs-replay')!;
    expect(replay).toMatchObject({ null: 'descriptive', log10E: 0 });
    expect(replay.log10P).toBeUndefined();
    expect(replay.effect['bans']).toBeGreaterThan(3);
  });
});
