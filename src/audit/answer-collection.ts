import type {
  Answer,
  Classifier,
  Evidence,
  Input,
  Observation,
  Probe,
  Progress,
  TestRun,
} from '../contracts.ts';
import { TouchmarkError } from '../errors.ts';
import { inputDigest } from '../keys/canonical-input.ts';
import { upstreamError } from '../models/clean-answers.ts';
import { askTests, type RunLog } from './ask.ts';

/** The protected model as builders of traps ask it. */
export interface ProtectedModel {
  readonly classifier: Classifier;
  readonly labels: readonly string[];
  /** Where its answers are kept; a build that was interrupted goes on from there. */
  readonly runLog: RunLog;
  readonly signal: AbortSignal;
  readonly progress?: Progress;
}

/** How much of an answer is kept. */
export type AnswerDetail = 'labels' | 'probabilities';

const batchSize = 64;
const concurrency = 4;

/**
 * Asks the protected model and returns its answers in order; undefined where it gave none, or a label
 * outside its set. A question that the run log knows is not asked again, whoever asked it.
 *
 * @throws TouchmarkError UPSTREAM_FAILED, UPSTREAM_ANSWER_INVALID; INTERRUPTED
 */
export async function askProtected(
  model: ProtectedModel,
  inputs: readonly Input[],
  detail: AnswerDetail,
): Promise<(Answer | undefined)[]> {
  const run = new Collection(inputs, detail);
  await drive(model, run, detail, run.size);
  return run.answers(model.labels);
}

/** Runs anything that asks the protected model; as `askProtected`. */
export async function drive(
  { classifier, runLog, signal, progress }: ProtectedModel,
  run: TestRun,
  detail: AnswerDetail,
  expected: number,
): Promise<void> {
  try {
    await askTests({
      ask: async (probes, asked) => {
        const inputs = probes.map(({ input }) => input);
        const outcomes = await classifier.classify(inputs, asked);
        if (detail === 'probabilities') return outcomes;
        return outcomes.map((outcome) =>
          'answer' in outcome ? { answer: { label: outcome.answer.label } } : outcome,
        );
      },
      runs: [run],
      runLog,
      batchSize,
      concurrency,
      expected,
      signal,
      ...(progress && {
        progress: (_, done, total) => progress('asking the protected model', done, total),
      }),
    });
  } catch (cause) {
    if (TouchmarkError.isInstance(cause) && cause.code === 'INTERRUPTED') throw interrupted();
    throw upstreamError(cause);
  }
}

/** Names a question by what it is, so that every builder finds its answer. */
export function searchProbe(input: Input, detail: AnswerDetail): Probe {
  const id = `${detail}/${inputDigest(input).toString('hex')}`;
  return { id, task: 'classify', input, repeat: 0 };
}

/** Returns the error for a build that was stopped. */
export function interrupted(): TouchmarkError {
  return new TouchmarkError('INTERRUPTED', 'The building of traps was interrupted.', {
    hint: 'Run the same command again: trained models and answers are kept.',
  });
}

/** What a run that weighs nothing says at any time. */
export function noEvidence(test: string, probes: number, done: boolean): Evidence {
  return {
    test,
    null: 'descriptive',
    status: done ? 'done' : 'partial',
    log10E: 0,
    probes,
    skipped: {},
    effect: {},
    keyMaterial: [],
    assumptions: [],
  };
}

class Collection implements TestRun {
  readonly #probes: readonly Probe[];
  readonly #answers = new Map<string, Answer>();
  #folded = false;

  constructor(inputs: readonly Input[], detail: AnswerDetail) {
    this.#probes = inputs.map((input) => searchProbe(input, detail));
  }

  get size(): number {
    return this.#probes.length;
  }

  next(): readonly Probe[] {
    return this.#folded ? [] : this.#probes;
  }

  fold(observations: readonly Observation[]): void {
    for (const observation of observations) {
      if ('answer' in observation) this.#answers.set(observation.probe.id, observation.answer);
    }
    this.#folded = true;
  }

  evidence(): Evidence {
    return noEvidence('answer-collection', this.#answers.size, this.#folded);
  }

  answers(labels: readonly string[]): (Answer | undefined)[] {
    return this.#probes.map(({ id }) => {
      const answer = this.#answers.get(id);
      return answer !== undefined && labels.includes(answer.label) ? answer : undefined;
    });
  }
}
