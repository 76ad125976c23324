import type { Input, Outcome } from '../../src/contracts.ts';
import type { SeededRandom } from '../../src/stats/sampling.ts';
import { topTwo } from '../../src/watermark/probability/distribution.ts';
import { blend, drawModel, type Logits, probabilities, type Task } from './task.ts';

/** A suspect in this process. */
export type Suspect = (input: Input) => Outcome;

interface Surroundings {
  readonly task: Task;
  readonly random: SeededRandom;
  readonly clean: Logits;
}

/** Kinds of models that never saw an answer under the key; all resemble the protected model. */
const kinds: Readonly<Record<string, (surroundings: Surroundings) => Suspect>> = {
  similar: (at) => answering(at.task, independent(at, 1)),
  sharp: (at) => answering(at.task, independent(at, 0.35)),
  flat: (at) => answering(at.task, independent(at, 3)),
  'one-hot': (at) => {
    const model = independent(at, 1);
    return answering(at.task, (input) => {
      const row = model(input);
      return row.map((_, k) => Number(k === topTwo(row)[0]));
    });
  },
  'clean copy': (at) => answering(at.task, probabilities(at.clean)),
  noisy: (at) => {
    const model = independent(at, 1);
    return answering(at.task, (input) => {
      const jittered = model(input).map((p) => p * Math.exp(0.7 * at.random.normal()));
      const total = jittered.reduce((sum, p) => sum + p, 0);
      return jittered.map((p) => p / total);
    });
  },
  refusing: (at) => {
    const answer = answering(at.task, independent(at, 1));
    return (input) => (at.random.uniform() < 0.3 ? { missing: 'refused' } : answer(input));
  },
  'label only': (at) => {
    const model = independent(at, 1);
    return (input) => ({
      answer: { label: at.task.profile.labels[topTwo(model(input))[0]]! },
    });
  },
};

/** Draws an innocent; the kinds take turns. */
export function drawInnocent(turn: number, surroundings: Surroundings): Suspect {
  const all = Object.values(kinds);
  return all[turn % all.length]!(surroundings);
}

/** A suspect that answers with a distribution and its best label. */
export function answering(task: Task, model: (input: Input) => Float64Array): Suspect {
  return (input) => {
    const row = model(input);
    return {
      answer: { label: task.profile.labels[topTwo(row)[0]]!, probabilities: Array.from(row) },
    };
  };
}

function independent({ task, random, clean }: Surroundings, temperature: number) {
  const likeness = 0.6 + 0.39 * random.uniform();
  return probabilities(blend(clean, drawModel(task, random), likeness), temperature);
}
