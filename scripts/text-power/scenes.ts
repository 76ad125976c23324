/** What every row of the power table shares: the protected model, its prompts and its keys. */
import type { LanguageModel, Sampling, TokenMarker } from '../../src/contracts.ts';
import { InProcessLanguageModel } from '../../src/models/language/in-process-language-model.ts';
import { type KneserNeyModel, trainKneserNey } from '../../src/models/language/kneser-ney.ts';
import type { NextTokenModel } from '../../src/models/language/next-token-model.ts';
import { seededRandom } from '../../src/stats/sampling.ts';
import { parseTextProfile, type TextProfile } from '../../src/watermark/text/profile.ts';
import type { TokenText } from '../../src/watermark/text/token-pairs.ts';
import { openTextWatermark, type TextWatermark } from '../../src/watermark/text/watermark.ts';
import type { TextCorpus } from '../text-corpus.ts';

export interface SchemeCase {
  readonly name: string;
  readonly scheme: TextProfile['scheme'];
  /** Tokens by which 80% of texts should reach p < 1e-6; absent where nothing is asked. */
  readonly bar?: number;
  /** Tokens of each text. */
  readonly length: number;
}

export const schemeCases: readonly SchemeCase[] = [
  {
    name: 'green list .25/2',
    scheme: { name: 'green-list', gamma: 0.25, delta: 2 },
    bar: 130,
    length: 240,
  },
  { name: 'green list .5/2', scheme: { name: 'green-list', gamma: 0.5, delta: 2 }, length: 240 },
  { name: 'tournament 30', scheme: { name: 'tournament', depth: 30 }, bar: 60, length: 120 },
  { name: 'gumbel', scheme: { name: 'gumbel' }, bar: 50, length: 120 },
];

export const temperature = 0.7;
export const topK = 200;
export const promptLength = 10;

/** Width 2; a context that has occurred in the turn is left unmarked, which keeps texts varied. */
const contextWidth = 2;

/** The protected model and what is put to it. */
export class Scene {
  readonly corpus: TextCorpus;
  readonly model: KneserNeyModel;
  readonly seed: string;

  constructor(corpus: TextCorpus, seed: string) {
    const { vocabularySize } = corpus.tokenizer;
    this.corpus = corpus;
    this.model = trainKneserNey(corpus.protectedTexts, { vocabularySize });
    this.seed = seed;
  }

  /** A watermark under a key that the name chooses. */
  watermark(scheme: TextProfile['scheme'], name: string, width = contextWidth): TextWatermark {
    const random = seededRandom(`${this.seed}/key/${name}`);
    const epochKey = Uint8Array.from({ length: 32 }, () => random.integer(256));
    const { name: tokenizer, vocabularySize } = this.corpus.tokenizer;
    const profile = parseTextProfile(
      {
        schema: 'touchmark/text-profile@1',
        scheme,
        prf: { name: 'native', contextWidth: width },
        repeats: width === 0 ? 'mark' : 'turn',
        tokenizer: { name: tokenizer, vocabularySize },
      },
      'the power script',
    );
    return openTextWatermark(profile, { stack: 'touchmark', epochKey });
  }

  /** Beginnings of held-out text, from the places that the name chooses. */
  prompts(count: number, name: string): Int32Array[] {
    const random = seededRandom(`${this.seed}/prompts/${name}`);
    const texts = this.corpus.heldOutTexts.filter(({ length }) => length > promptLength);
    return Array.from({ length: count }, () => {
      const text = texts[random.integer(texts.length)]!;
      const from = random.integer(text.length - promptLength);
      return text.slice(from, from + promptLength);
    });
  }

  /** The prompts with what a model says after them. */
  async texts(
    model: NextTokenModel,
    prompts: readonly Int32Array[],
    maxTokens: number,
    name: string,
    marker?: (promptLength: number) => TokenMarker,
  ): Promise<TokenText[]> {
    const speaker: LanguageModel = new InProcessLanguageModel(model, {
      name: 'power',
      tokenizer: this.corpus.tokenizer,
      ...(marker && { marker }),
    });
    const sampling: Sampling = { maxTokens, temperature, topK, seed: `${this.seed}/${name}` };
    const { signal } = new AbortController();
    const outcomes = await speaker.complete(prompts, { sampling, signal });
    return outcomes.map((outcome, index) => {
      const output = 'answer' in outcome ? outcome.answer.tokens : undefined;
      return joined(prompts[index]!, output ?? new Int32Array(0));
    });
  }
}

/** What was generated, without the prompt. */
export function outputOf(text: TokenText): Int32Array {
  return text.tokens.slice(text.promptLength);
}

function joined(prompt: Int32Array, output: Int32Array): TokenText {
  const tokens = new Int32Array(prompt.length + output.length);
  tokens.set(prompt);
  tokens.set(output, prompt.length);
  return { tokens, promptLength: prompt.length };
}
