/** How many tokens of marked text each scheme needs, and what the mark does to the text. */
import type { Progress } from '../../src/contracts.ts';
import { detectText } from '../../src/watermark/text/detect.ts';
import type { TokenText } from '../../src/watermark/text/token-pairs.ts';
import type { TextWatermark } from '../../src/watermark/text/watermark.ts';
import { MeasuringMarker } from './measuring-marker.ts';
import { promptLength, type Scene, type SchemeCase } from './scenes.ts';

/** One row; lengths are null when too few texts got there. */
export interface TextRow {
  readonly name: string;
  readonly texts: number;
  /** Tokens by which half and 80% of texts of that length have p < 1e-6. */
  readonly fixed50: number | null;
  readonly fixed80: number | null;
  /** Tokens by which half and 80% of texts have once had E >= 1e6. */
  readonly anytime50: number | null;
  readonly anytime80: number | null;
  readonly bar: number | null;
  /** Nats per token of the distribution that was drawn from, before the mark. */
  readonly entropy: number;
  /** Mean of -ln p(token) under the unmarked model at temperature 1. */
  readonly surprise: number;
  /** Mean total variation of a step's distribution under its key from the one without the mark. */
  readonly variation: number;
}

const wantedLog10 = 6;

export async function measureTexts(
  scene: Scene,
  schemeCase: SchemeCase | undefined,
  count: number,
  progress: Progress,
): Promise<TextRow> {
  const name = schemeCase?.name ?? 'no mark';
  const length = schemeCase?.length ?? 240;
  const measures = { entropy: 0, variation: 0, steps: 0, surprise: 0 };
  const reachedFixed = new Int32Array(length + 1);
  const firstAnytime: number[] = [];
  for (const [index, prompt] of scene.prompts(count, 'texts').entries()) {
    const watermark = schemeCase && scene.watermark(schemeCase.scheme, `${name}/${index}`);
    const marker = new MeasuringMarker(watermark?.marker({ promptLength }), measures);
    const [text] = await scene.texts(scene.model, [prompt], length, 'texts', () => marker);
    measures.surprise += surpriseOf(scene, text!);
    if (watermark !== undefined) {
      firstAnytime.push(readAlong(watermark, text!, reachedFixed));
    }
    progress(`${name}: texts`, index + 1, count);
  }
  const fixed = (share: number) => firstAtLeast(reachedFixed, share * count);
  const sorted = firstAnytime.sort((a, b) => a - b);
  const anytime = (share: number) => finite(sorted[Math.ceil(share * count) - 1]);
  return {
    name,
    texts: count,
    fixed50: fixed(0.5),
    fixed80: fixed(0.8),
    anytime50: anytime(0.5),
    anytime80: anytime(0.8),
    bar: schemeCase?.bar ?? null,
    entropy: measures.entropy / measures.steps,
    surprise: measures.surprise / measures.steps,
    variation: measures.variation / measures.steps,
  };
}

/** Counts the lengths at which p < 1e-6, and returns the first at which E >= 1e6. */
function readAlong(watermark: TextWatermark, text: TokenText, reachedFixed: Int32Array): number {
  let first = Infinity;
  for (let tokens = 1; tokens < reachedFixed.length; tokens++) {
    const { log10P, log10E } = detectText(watermark, {
      tokens: text.tokens.subarray(0, promptLength + tokens),
      promptLength,
    });
    if (log10P < -wantedLog10) reachedFixed[tokens] = reachedFixed[tokens]! + 1;
    if (log10E >= wantedLog10) first = Math.min(first, tokens);
  }
  return first;
}

function surpriseOf(scene: Scene, { tokens }: TokenText): number {
  const probabilities = new Float32Array(scene.model.vocabularySize);
  let sum = 0;
  for (let position = promptLength; position < tokens.length; position++) {
    scene.model.nextDistribution(tokens.subarray(0, position), probabilities);
    sum -= Math.log(probabilities[tokens[position]!]!);
  }
  return sum;
}

function firstAtLeast(counts: Int32Array, wanted: number): number | null {
  const first = counts.findIndex((count, tokens) => tokens > 0 && count >= wanted);
  return first < 0 ? null : first;
}

function finite(value: number | undefined): number | null {
  return value !== undefined && Number.isFinite(value) ? value : null;
}
