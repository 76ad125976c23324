import type { Evidence, Observation, Probe, TestRun, TokenDistribution } from '../../contracts.ts';
import type { LanguageAnswers } from '../../fingerprints/language-answers.ts';
import type { LanguageProbeSet } from '../../fingerprints/language-probe-set.ts';
import { noEvidence } from '../answer-collection.ts';
import { QuestionQueue, SkipCounter } from '../tests/question-queue.ts';

/** Counts what came of the questions of one task. */
class Outcomes {
  answered = 0;
  readonly missing = new SkipCounter();

  evidence(test: string, queue: { readonly folded: number; readonly done: boolean }): Evidence {
    return { ...noEvidence(test, queue.folded, queue.done), skipped: this.missing.counts };
  }
}

/**
 * Lets a language model complete every prompt of a probe set, `samples` times at each temperature.
 *
 * Each sample has a seed of its own, the same for all prompts, so that samples differ where the
 * temperature lets them and models are asked the very same. A probe is named by the places of its
 * temperature, prompt and sample in the probe set.
 */
export class CompletionTaking implements TestRun<'complete'> {
  readonly completions: (string | null)[][][];
  readonly outcomes = new Outcomes();
  readonly #queue: QuestionQueue<CompletionQuestion, 'complete'>;

  /** @param seed of the sampling */
  constructor(probes: LanguageProbeSet, seed: string) {
    const { temperatures, prompts, samples } = probes;
    this.completions = temperatures.map(() =>
      prompts.map(() => new Array<string | null>(samples).fill(null)),
    );
    this.#queue = new QuestionQueue(completionQuestions(probes, seed));
  }

  next(): readonly Probe<'complete'>[] {
    return this.#queue.next();
  }

  fold(observations: readonly Observation<'complete'>[]): void {
    for (const [{ at }, observation] of this.#queue.take(observations)) {
      if ('answer' in observation) {
        this.outcomes.answered++;
        this.completions[at.temperature]![at.prompt]![at.sample] = observation.answer.text;
      } else this.outcomes.missing.add(observation.missing);
    }
  }

  evidence(): Evidence {
    return this.outcomes.evidence('fingerprint-completions', this.#queue);
  }
}

interface CompletionQuestion {
  readonly probe: Probe<'complete'>;
  readonly at: { readonly temperature: number; readonly prompt: number; readonly sample: number };
}

function completionQuestions(
  { temperatures, prompts, samples, maxTokens }: LanguageProbeSet,
  seed: string,
): CompletionQuestion[] {
  return temperatures.flatMap((temperature, t) =>
    Array.from({ length: samples }, (_, sample) => {
      const sampling = { maxTokens, temperature, seed: `${seed}/${t}/${sample}` };
      return prompts.map(({ text }, prompt) => ({
        at: { temperature: t, prompt, sample },
        probe: {
          id: `complete/${t}/${prompt}/${sample}`,
          task: 'complete' as const,
          input: { prompt: text, sampling },
          repeat: sample,
        },
      }));
    }).flat(),
  );
}

interface ContextQuestion {
  readonly probe: Probe<'score'>;
  readonly context: number;
}

type TopTokens = Required<Pick<LanguageAnswers, 'topTokens' | 'topLogProbabilities'>>;

/** Asks a language model for the likeliest next tokens after every context of a probe set. */
export class ContextTaking implements TestRun<'score'> {
  readonly outcomes = new Outcomes();
  readonly #top: number;
  readonly #tokens: (number[] | null)[];
  readonly #logProbabilities: (number[] | null)[];
  readonly #queue: QuestionQueue<ContextQuestion, 'score'>;

  constructor({ contexts, top }: LanguageProbeSet) {
    this.#top = top;
    this.#tokens = contexts.map(() => null);
    this.#logProbabilities = contexts.map(() => null);
    this.#queue = new QuestionQueue(
      contexts.map((tokens, context) => {
        const input = Int32Array.from(tokens);
        return { context, probe: { id: `context/${context}`, task: 'score', input, repeat: 0 } };
      }),
    );
  }

  /** Undefined when no context was answered. */
  get topTokens(): TopTokens | undefined {
    if (this.outcomes.answered === 0) return undefined;
    return { topTokens: this.#tokens, topLogProbabilities: this.#logProbabilities };
  }

  next(): readonly Probe<'score'>[] {
    return this.#queue.next();
  }

  fold(observations: readonly Observation<'score'>[]): void {
    for (const [{ context }, observation] of this.#queue.take(observations)) {
      if ('answer' in observation) this.#keep(context, observation.answer);
      else this.outcomes.missing.add(observation.missing);
    }
  }

  evidence(): Evidence {
    return this.outcomes.evidence('fingerprint-contexts', this.#queue);
  }

  /** An answer without any token that could be one has failed. */
  #keep(context: number, distribution: TokenDistribution): void {
    const kept = likeliest(distribution, this.#top);
    if (kept.length === 0) {
      this.outcomes.missing.add('failed');
      return;
    }
    this.outcomes.answered++;
    this.#tokens[context] = kept.map(([token]) => token);
    this.#logProbabilities[context] = kept.map(([, logProbability]) => logProbability);
  }
}

/** Each token once, best first, and in the order of their ids where they are equally likely. */
function likeliest(
  { tokens, logProbabilities }: TokenDistribution,
  top: number,
): (readonly [number, number])[] {
  const told = new Map<number, number>();
  tokens.forEach((token, index) => {
    const logProbability = logProbabilities[index];
    if (!Number.isSafeInteger(token) || token < 0 || !Number.isFinite(logProbability)) return;
    told.set(token, Math.max(logProbability!, told.get(token) ?? -Infinity));
  });
  return [...told].sort(([a, p], [b, q]) => q - p || a - b).slice(0, top);
}
