import type { Evidence, Observation, Probe, ProvenanceTest, TestRun } from '../../contracts.ts';
import type { TextMaterial } from '../text-material.ts';
import { QuestionQueue } from './question-queue.ts';
import { TextScores } from './text-scores.ts';

interface ReadingQuestion {
  readonly probe: Probe<'complete'>;
  readonly before: Int32Array;
}

/**
 * Asks the suspect for its likeliest token after contexts of the serving log (Sander et al. 2024,
 * section 4.2, "reading mode").
 *
 * Null: the suspect is independent of the key. A context is read where it first occurred, so that
 * the tokens before it hold nothing of the key's choice after it; what was served there is not
 * looked at. Then every answer is one fresh draw over keys, in served order. A biased list has no
 * contexts to read.
 */
export const textReading: ProvenanceTest<TextMaterial, 'complete', 'completions'> = {
  name: 'text-reading',
  null: 'keyed',
  needs: ['completions'],
  start: (material) => new TextReadingRun(material),
};

class TextReadingRun implements TestRun<'complete'> {
  readonly #material: TextMaterial;
  readonly #queue: QuestionQueue<ReadingQuestion, 'complete'>;
  readonly #scores: TextScores;

  constructor(material: TextMaterial) {
    this.#material = material;
    this.#scores = new TextScores(material, material.horizon, 'answers');
    const readings = material.watermark.scheme.signed ? [] : material.readings;
    this.#queue = new QuestionQueue(
      readings.map((before, index) => ({
        before,
        probe: {
          id: `reading/${index}`,
          task: 'complete',
          input: { prompt: before, sampling: { maxTokens: 1, temperature: 0 } },
          repeat: 0,
        },
      })),
    );
  }

  next(): readonly Probe<'complete'>[] {
    return this.#queue.next();
  }

  fold(observations: readonly Observation<'complete'>[]): void {
    for (const [{ before }, observation] of this.#queue.take(observations)) {
      if ('answer' in observation) {
        const { text, tokens = this.#material.encode(text) } = observation.answer;
        if (tokens.length === 0) this.#scores.skip('empty answer');
        else this.#scores.fold(before, tokens.slice(0, 1));
      } else this.#scores.skip(observation.missing);
    }
  }

  evidence(): Evidence {
    return this.#scores.evidence(textReading.name, this.#queue);
  }
}
