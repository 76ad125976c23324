import { log10GammaUpperTail } from '../../stats/tails/gamma.ts';
import { log10NormalUpperTail } from '../../stats/tails/normal.ts';
import { ContextHistory } from './context-history.ts';
import type { TokenPairs } from './prfs/prf.ts';
import type { TextProfile } from './profile.ts';
import { mixingOf } from './schemes/registry.ts';
import { stackCompatibility } from './stack-compatibility.ts';
import { selectPairs, type TokenText } from './token-pairs.ts';
import type { TextWatermark } from './watermark.ts';

/** What another stack's detector prints for a text. */
export interface ReportedElsewhere {
  readonly stack: 'transformers' | 'synthid-text' | 'vllm';
  /** The stack's numbers by name; empty where it refuses the text. */
  readonly values: Readonly<Record<string, number>>;
  /** What is wrong with the numbers, or how far they can be trusted. */
  readonly warning: string;
}

/**
 * Returns the numbers that the stack of a profile prints for a text, by its own conventions, right or
 * wrong: no repeated pair is left out unless the stack leaves it out. They are for comparison; the
 * evidence is what `detectText` returns. As the stacks advise, they get the output without the
 * prompt.
 *
 * - transformers: `z` of the green list; `p` by the formula of its versions up to 5.22, which lacks a
 *   square root, and `pSince5_24`, the normal tail of z that it prints now.
 * - synthid: `mean` and `weightedMean` of the g values over contexts that do not repeat (weights fall
 *   linearly from 10 to 1 over the layers): DeepMind's scores, without a p-value.
 * - vllm: `score` over first occurrences of a context, and `p`; for the dual key of a Gamma variable
 *   with the same mean and variance, which is not the score's law.
 *
 * @returns undefined for the native function, and for schemes that the stack does not know
 */
export function reportedElsewhere(
  watermark: TextWatermark,
  text: TokenText,
): ReportedElsewhere | undefined {
  const compatibility = stackCompatibility(watermark.profile);
  const known = watermark.profile.prf;
  if (!compatibility || known.name === 'native') return undefined;
  if (known.name === 'hugging-face') return transformersReport(watermark, text);
  if (known.name === 'vllm-philox') {
    return watermark.profile.scheme.name === 'gumbel' ? vllmReport(watermark, text) : undefined;
  }
  if (watermark.profile.scheme.name !== 'tournament') return undefined;
  return synthIdReport(watermark, text, compatibility.stack);
}

function transformersReport(watermark: TextWatermark, text: TokenText): ReportedElsewhere {
  const { prf, scheme } = watermark.profile;
  const pairs = windows(text, watermark.rules.context.width);
  const refused = 'contextWidth' in prf && outputLength(text) <= prf.contextWidth;
  const ratio = 'gamma' in scheme ? scheme.gamma : Number.NaN;
  const warning =
    'p is wrong in transformers up to 5.22: at z = 6 it is 17.7 times too small, from about z = 8 on 0. z and the p since 5.24 count repeated n-grams each time and take the normal for the binomial tail. Lists drawn on a GPU differ from those of a CPU, which are read here.';
  if (refused) return { stack: 'transformers', values: {}, warning };
  const green = sum(watermark.scheme.scores(pairs));
  const z = (green - ratio * pairs.count) / Math.sqrt(pairs.count * ratio * (1 - ratio));
  return {
    stack: 'transformers',
    values: {
      scored: pairs.count,
      green,
      z,
      p: 1 - 0.5 * (1 + Math.sign(z) * (1 - Math.exp((-2 * z ** 2) / Math.PI))),
      pSince5_24: 10 ** log10NormalUpperTail(z),
    },
    warning,
  };
}

function synthIdReport(
  watermark: TextWatermark,
  text: TokenText,
  stack: ReportedElsewhere['stack'],
): ReportedElsewhere {
  const { context } = watermark.rules;
  const all = windows(text, context.width);
  const pairs = firstOccurrences(all, new ContextHistory(context.remembers));
  const depth = layersOf(watermark.profile);
  const leaves = watermark.prf.leaf(depth).leaves(pairs);
  const words = Math.ceil(depth / 32);
  const slope = depth === 1 ? 0 : 9 / (depth - 1);
  let mean = 0;
  let weighted = 0;
  let weights = 0;
  for (let layer = 0; layer < depth; layer++) {
    let ones = 0;
    for (let row = 0; row < pairs.count; row++) {
      ones += (leaves[row * words + (layer >>> 5)]! >>> (layer & 31)) & 1;
    }
    const weight = 10 - slope * layer;
    mean += ones;
    weighted += weight * ones;
    weights += weight;
  }
  const scored = pairs.count;
  return {
    stack,
    values:
      scored === 0
        ? {}
        : { scored, mean: mean / (depth * scored), weightedMean: weighted / (weights * scored) },
    warning:
      'These are mean scores, not p-values: SynthID compares them with a threshold, or a classifier trained on samples, and gives no error rate. It leaves out what follows an end-of-text token, which is not known here.',
  };
}

function vllmReport(watermark: TextWatermark, text: TokenText): ReportedElsewhere {
  const { prf } = watermark.profile;
  const all = windows(text, watermark.rules.context.width, -1);
  const pairs = firstOccurrences(all, new ContextHistory());
  const score = sum(watermark.scheme.scores(pairs));
  const isDual = prf.name === 'vllm-philox' && prf.keys === 'dual';
  const mixing = mixingOf(watermark.profile);
  const variance = isDual ? (1 - mixing) ** 2 + mixing ** 2 : 1;
  const scored = pairs.count;
  const log10P = scored === 0 ? 0 : log10GammaUpperTail(scored / variance, score / variance);
  return {
    stack: 'vllm',
    values: { scored, score, p: 10 ** log10P, log10P },
    warning: isDual
      ? 'p is that of a Gamma variable with the mean and variance of the score, not of the score: too small in the far tail, 2 times near 1e-15 and 300 times near 1e-61.'
      : 'p is right for one text; contexts that occur in several texts count in each of them.',
  };
}

/** All pairs of a text's output: padded from the first token on, or full windows only. */
function windows({ tokens, promptLength }: TokenText, width: number, padding?: number): TokenPairs {
  const output = tokens.subarray(Math.min(promptLength, tokens.length));
  const first = padding === undefined ? width : 0;
  const count = Math.max(0, output.length - first);
  const contexts = new Int32Array(count * width);
  for (let row = 0; row < count; row++) {
    for (let at = 0; at < width; at++) {
      contexts[row * width + at] = output[row + first - width + at] ?? padding ?? 0;
    }
  }
  return { count, width, contexts, tokens: output.slice(first) };
}

function firstOccurrences(pairs: TokenPairs, history: ContextHistory): TokenPairs {
  const kept: number[] = [];
  for (let row = 0; row < pairs.count; row++) {
    if (history.add(pairs.contexts, row * pairs.width, pairs.width)) kept.push(row);
  }
  return selectPairs(pairs, Int32Array.from(kept));
}

function outputLength({ tokens, promptLength }: TokenText): number {
  return Math.max(0, tokens.length - promptLength);
}

function layersOf({ scheme }: TextProfile): number {
  return scheme.name === 'tournament' ? scheme.depth : 1;
}

function sum(scores: Float64Array): number {
  return scores.reduce((total, score) => total + score, 0);
}
