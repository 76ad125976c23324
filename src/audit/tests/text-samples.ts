import type { Evidence, Observation, Probe, ProvenanceTest, TestRun } from '../../contracts.ts';
import type { TextMaterial } from '../text-material.ts';
import { QuestionQueue } from './question-queue.ts';
import { TextScores } from './text-scores.ts';
import { TextSigns } from './text-signs.ts';

interface PromptQuestion {
  readonly probe: Probe<'complete'>;
  readonly prompt: Int32Array;
}

/**
 * Lets the suspect continue prompts, and tests what it writes for the mark (Sander et al. 2024,
 * "Watermarking makes language models radioactive", section 4).
 *
 * Null: the suspect is independent of the key, and the prompts were fixed without it. Contexts that
 * a prompt contains and pairs seen before do not count, so every score is a fresh draw over keys:
 * the p-value and the e-process are those of the scheme, exact for an ideal pseudorandom function.
 * Under a biased list the occurrences of each token count together; see `TextSigns`.
 */
export const textSamples: ProvenanceTest<TextMaterial, 'complete', 'completions'> = {
  name: 'text-samples',
  null: 'keyed',
  needs: ['completions'],
  start: (material) => new TextSamplesRun(material),
};

class TextSamplesRun implements TestRun<'complete'> {
  readonly #material: TextMaterial;
  readonly #queue: QuestionQueue<PromptQuestion, 'complete'>;
  readonly #scores: TextScores | TextSigns;

  constructor(material: TextMaterial) {
    this.#material = material;
    const { signed } = material.watermark.scheme;
    this.#scores = signed
      ? new TextSigns(material, signed, material.prompts.length)
      : new TextScores(material, material.prompts.length, 'continuations');
    this.#queue = new QuestionQueue(
      material.prompts.map((prompt, index) => ({
        prompt,
        probe: {
          id: `sample/${index}`,
          task: 'complete',
          input: { prompt, sampling: material.sampling },
          repeat: 0,
        },
      })),
    );
  }

  next(): readonly Probe<'complete'>[] {
    return this.#queue.next();
  }

  fold(observations: readonly Observation<'complete'>[]): void {
    for (const [{ prompt }, observation] of this.#queue.take(observations)) {
      if ('answer' in observation) {
        const { text, tokens = this.#material.encode(text) } = observation.answer;
        this.#scores.fold(prompt, tokens);
      } else this.#scores.skip(observation.missing);
    }
  }

  evidence(): Evidence {
    return this.#scores.evidence(textSamples.name, this.#queue);
  }
}
