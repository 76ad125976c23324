import { TouchmarkError } from '../../../errors.ts';
import type { BiasedToken } from '../profile.ts';

/** One unmarked answer of the owner's model. */
export interface UnmarkedAnswer {
  readonly tokens: ArrayLike<number>;
  /** The model's probability of each of these tokens, where the API gives it. */
  readonly probabilities?: ArrayLike<number>;
}

/** A list for one limit, and how free the model is within it. */
export interface BiasedChoice {
  /** Most telling first. */
  readonly tokens: readonly BiasedToken[];
  /** The mean over steps of the sum of p (1 - p) over the list: 0 to 1. */
  readonly freedom: number;
}

/** With less than this a token's share is a guess. */
const fewestOccurrences = 2;
/** Weight of a token's overall share against what was seen after one previous token. */
const priorWeight = 1;

/**
 * Chooses the tokens through which an API's `logit_bias` carries the strongest mark: those of which
 * most of the output is a real choice. A small bias shifts a token's share by bias x the mean of
 * p (1 - p); squared and over the share itself, the noise, that is share x (1 - mean p)^2, and the
 * tokens with the most of it are taken. p is the model's probability where it is given; otherwise it
 * is estimated from what else followed the same token in the sample, itself left out.
 *
 * No key is asked for, so the choice and the shares cost no validity. The closer the sample is to
 * what will be served, in subject, instructions and temperature, the stronger is the test.
 *
 * @param limit the most tokens: 300 or 1,024 for the APIs that take a logit_bias
 * @returns the tokens with their shares of the sample
 * @throws TouchmarkError INPUT_INVALID when no token comes twice, or probabilities do not fit
 */
export function chooseBiasedTokens(
  answers: readonly UnmarkedAnswer[],
  limit: number,
): BiasedChoice {
  const shares = countTokens(answers);
  const pairs = countPairs(answers);
  const choice = new Map<number, number>();
  for (const { tokens, probabilities } of answers) {
    if (probabilities && probabilities.length !== tokens.length) throw unfit();
    for (let at = 0; at < tokens.length; at++) {
      const token = tokens[at]!;
      const probability = probabilities?.[at] ?? estimate(pairs, shares, tokens[at - 1], token);
      if (!(probability >= 0 && probability <= 1)) throw unfit();
      choice.set(token, (choice.get(token) ?? 0) + 1 - probability);
    }
  }
  const chosen = [...shares.counts]
    .filter(([, count]) => count >= fewestOccurrences && count < shares.all)
    .map(([id, count]) => ({ id, count, free: choice.get(id)! }))
    .sort((a, b) => b.free ** 2 / b.count - a.free ** 2 / a.count || a.id - b.id)
    .slice(0, limit);
  if (chosen.length > 0) {
    return {
      tokens: chosen.map(({ id, count }) => ({ id, expected: count / shares.all })),
      freedom: chosen.reduce((sum, { free }) => sum + free, 0) / shares.all,
    };
  }
  throw new TouchmarkError('INPUT_INVALID', 'The sample is too small to choose tokens from.', {
    hint: 'Give unmarked answers of the model, some 10,000 tokens or more.',
  });
}

/**
 * Returns the bias at which the next-token distributions differ from the unmarked ones by a mean total
 * variation of at most `variation`, to first order. Over keys, a step's mean total variation is at most
 * bias / 2 x the root of its sum of p (1 - p), and the mean of roots at most the root of the mean.
 * Whatever the model, no step's exceeds tanh(bias / 2). A server that adds biases before it divides by
 * a temperature T needs T times as much.
 *
 * @param variation above 0 and below 1
 * @throws TouchmarkError INPUT_INVALID for a variation outside, or without any freedom
 */
export function biasForVariation(variation: number, { freedom }: BiasedChoice): number {
  if (variation > 0 && variation < 1 && freedom > 0) return (2 * variation) / Math.sqrt(freedom);
  throw new TouchmarkError('INPUT_INVALID', `No bias gives a total variation of ${variation}.`, {
    hint: 'Give a mean total variation between 0 and 1, such as 0.05, and a sample with some choice.',
  });
}

interface TokenTally {
  readonly counts: ReadonlyMap<number, number>;
  all: number;
}

function countTokens(answers: readonly UnmarkedAnswer[]): TokenTally {
  const counts = new Map<number, number>();
  let all = 0;
  for (const { tokens } of answers) {
    for (let at = 0; at < tokens.length; at++) {
      counts.set(tokens[at]!, (counts.get(tokens[at]!) ?? 0) + 1);
    }
    all += tokens.length;
  }
  return { counts, all };
}

/** What followed each token. */
function countPairs(answers: readonly UnmarkedAnswer[]): Map<number, Map<number, number>> {
  const pairs = new Map<number, Map<number, number>>();
  for (const { tokens } of answers) {
    for (let at = 1; at < tokens.length; at++) {
      const followers = pairs.get(tokens[at - 1]!) ?? new Map<number, number>();
      followers.set(tokens[at]!, (followers.get(tokens[at]!) ?? 0) + 1);
      pairs.set(tokens[at - 1]!, followers);
    }
  }
  return pairs;
}

/** The probability of a token after another, from all other occurrences. */
function estimate(
  pairs: ReadonlyMap<number, ReadonlyMap<number, number>>,
  { counts, all }: TokenTally,
  previous: number | undefined,
  token: number,
): number {
  const overall = counts.get(token)! / all;
  const followers = previous === undefined ? undefined : pairs.get(previous);
  if (!followers || previous === undefined) return overall;
  const others = [...followers.values()].reduce((sum, count) => sum + count, 0) - 1;
  return (followers.get(token)! - 1 + priorWeight * overall) / (others + priorWeight);
}

function unfit(): TouchmarkError {
  return new TouchmarkError('INPUT_INVALID', 'The probabilities of an answer do not fit it.', {
    hint: 'Give one probability from 0 to 1 for each token, or none at all.',
  });
}
