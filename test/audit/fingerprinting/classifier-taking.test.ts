import { describe, expect, it } from 'vitest';
import {
  ClassifierTaking,
  expectedQuestions,
  timedProbes,
} from '../../../src/audit/fingerprinting/classifier-taking.ts';
import { answersOfModel } from '../../../src/audit/fingerprinting/model-answers.ts';
import type { Observation, Probe, TensorInput } from '../../../src/contracts.ts';
import {
  noAnswer,
  noCrossing,
  outsideLabel,
  unknownCrossing,
} from '../../../src/fingerprints/classifier-answers.ts';
import { type ClassifierProbeSet, encodeQuestion } from '../../../src/fingerprints/probe-set.ts';

const point = (value: number): TensorInput => ({ shape: [1], data: Float32Array.of(value) });

/** Points of a line; a model says `low` below its threshold and `high` above. */
const probes: ClassifierProbeSet = {
  schema: 'touchmark/probe-set@1',
  task: 'classify',
  name: 'line',
  labels: ['low', 'high'],
  questions: [0, 1, 0.25, 0.1].map((value) => ({ input: encodeQuestion(point(value)) })),
  pairs: [
    [0, 1],
    [2, 1],
    [0, 3],
  ],
  depth: 10,
  repeated: 2,
  timed: 2,
};

const lineModel = (threshold: number) => (inputs: readonly unknown[]) => {
  const values = (inputs as TensorInput[]).map(({ data }) => data[0]!);
  return {
    labels: values.map((value) => (value < threshold ? 0 : 1)),
    probabilities: Float32Array.from(
      values.flatMap((value) => (value < threshold ? [0.9, 0.1] : [0.1, 0.9])),
    ),
  };
};

/** Answers everything that is due, and says how many questions that were. */
function drive(taking: ClassifierTaking, answer: (probe: Probe) => Observation): number {
  let asked = 0;
  for (let due = taking.next(); due.length > 0; due = taking.next()) {
    asked += due.length;
    taking.fold(due.map(answer));
  }
  return asked;
}

describe('answersOfModel', () => {
  it('finds boundaries by bisection to a step of 2^-depth, and pairs without one', async () => {
    const answers = await answersOfModel(lineModel(0.6), probes);
    expect([...answers.labels]).toEqual([0, 1, 0, 0]);
    expect([...answers.again]).toEqual([0, 1]);
    const [first, second, none] = answers.crossings;
    expect(Math.abs(first! - 0.6)).toBeLessThan(2 ** -10);
    expect(Math.abs(0.25 + second! * 0.75 - 0.6)).toBeLessThan(2 ** -10);
    expect(none).toBe(noCrossing);
    expect(answers.probabilities?.slice(0, 2)).toEqual(Float32Array.of(0.9, 0.1));
  });

  it('keeps labels only for a model that gives no more, and labels outside the set apart', async () => {
    const answers = await answersOfModel(
      (inputs) => ({ labels: inputs.map((_, index) => (index === 0 ? undefined : 1)) }),
      probes,
    );
    expect([...answers.labels]).toEqual([outsideLabel, 1, 1, 1]);
    expect(answers.probabilities).toBeUndefined();
  });
});

describe('ClassifierTaking', () => {
  const observe =
    (model: ReturnType<typeof lineModel>) =>
    (probe: Probe): Observation => {
      const label = model([probe.input]).labels[0]!;
      return { probe, answer: { label: probes.labels[label]! } };
    };

  it('asks about log2 of the steps for each pair, and nothing twice', () => {
    const taking = new ClassifierTaking(probes, 'labels', 'here/');
    const ids: string[] = [];
    const asked = drive(taking, (probe) => {
      ids.push(probe.id);
      return observe(lineModel(0.6))(probe);
    });
    expect(asked).toBe(4 + 2 + 2 * 10);
    expect(asked).toBeLessThanOrEqual(expectedQuestions(probes));
    expect(new Set(ids).size).toBe(asked);
    expect(ids.every((id) => id.startsWith('here/'))).toBe(true);
    expect(taking.evidence()).toMatchObject({ null: 'descriptive', log10E: 0, status: 'done' });
  });

  it('gives up a pair that is not answered on the way, and says what came back', () => {
    const taking = new ClassifierTaking(probes, 'labels');
    drive(taking, (probe) =>
      probe.id === 'between/0/512' || probe.id === 'question/3'
        ? { probe, missing: 'refused' }
        : observe(lineModel(0.6))(probe),
    );
    const { labels, crossings } = taking.answers();
    expect(labels[3]).toBe(noAnswer);
    expect(crossings[0]).toBe(unknownCrossing);
    expect(crossings[2]).toBe(unknownCrossing);
    expect(crossings[1]).toBeLessThan(1);
    expect(taking.outcomes).toEqual({
      ...{ answered: 4 + 1 + 10, refused: 2, failed: 0, unsupported: 0, outside: 0 },
    });
  });
});

describe('timedProbes', () => {
  it('asks the first questions three times each, in rounds', () => {
    expect(timedProbes(probes).map(({ id }) => id)).toEqual([
      ...['timed/0/0', 'timed/1/0', 'timed/0/1', 'timed/1/1', 'timed/0/2', 'timed/1/2'],
    ]);
  });
});
