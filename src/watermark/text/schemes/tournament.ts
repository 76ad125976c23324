import { leavesLaw } from '../laws.ts';
import type { LeafSource, TokenPairs } from '../prfs/prf.ts';
import { candidatesOf, possibleCandidates, writeCandidates, writePossible } from './candidates.ts';
import type { TextScheme } from './scheme.ts';

/**
 * Tournament sampling with two leaves (Dathathri et al. 2024, "Scalable watermarking for identifying
 * large language model outputs", equation 4 of the methods): layer by layer, p becomes
 * p (1 + g - sum of g p) with a keyed fair bit g per (context, token, layer). Over keys the mark does
 * not distort one answer.
 *
 * Null: the text does not depend on the key; then the ones among the leaves of distinct pairs are
 * Binomial(n x depth, 1/2). The marked logits are log p, to be sampled at temperature 1. NaN counts
 * as -Infinity; without any candidate nothing changes.
 */
export function tournamentScheme(source: LeafSource, vocabularySize: number): TextScheme {
  const { depth, words } = source;
  return {
    law: leavesLaw(depth),
    scores: (pairs: TokenPairs) => countOnes(source.leaves(pairs), pairs.count, words),
    mark: (logits, context, options) => {
      const candidates = candidatesOf(logits, vocabularySize, options);
      if (candidates.tokens.length === 0) return;
      const probabilities = softmax(candidates.logits);
      playTournament(probabilities, source.candidates(context, candidates.tokens), words, depth);
      writeCandidates(logits, candidates.tokens, probabilities.map(Math.log));
    },
    markCandidates: (candidates, context, options) => {
      const possible = possibleCandidates(candidates, vocabularySize, options);
      if (possible.tokens.length === 0) return;
      const probabilities = softmax(possible.logits);
      playTournament(probabilities, source.candidates(context, possible.tokens), words, depth);
      for (let index = 0; index < probabilities.length; index++) {
        possible.logits[index] = Math.log(probabilities[index]!);
      }
      writePossible(candidates, possible);
    },
  };
}

/**
 * Plays every layer on the probabilities, in place.
 *
 * @param leaves candidates x words, row-major; layer d is bit d mod 32 of word d div 32
 */
export function playTournament(
  probabilities: Float64Array,
  leaves: Uint32Array,
  words: number,
  depth: number,
): void {
  let ones = onesOf(probabilities, leaves, words);
  for (let layer = 0; layer < depth; layer++) {
    ones = playLayer(probabilities, leaves, words, layer, ones);
  }
}

/** The probability of the leaves that are one in the first layer; rounding never takes it above 1. */
function onesOf(probabilities: Float64Array, leaves: Uint32Array, words: number): number {
  let ones = 0;
  for (let index = 0, at = 0; index < probabilities.length; index++, at += words) {
    ones += probabilities[index]! * (leaves[at]! & 1);
  }
  return Math.min(1, ones);
}

/** Plays one layer, given the probability of its ones, and returns that of the next layer's. */
function playLayer(
  probabilities: Float64Array,
  leaves: Uint32Array,
  words: number,
  layer: number,
  ones: number,
): number {
  const word = layer >>> 5;
  const next = Math.min((layer + 1) >>> 5, words - 1);
  let nextOnes = 0;
  for (let index = 0, at = 0; index < probabilities.length; index++, at += words) {
    const played = probabilities[index]! * (1 + ((leaves[at + word]! >>> (layer & 31)) & 1) - ones);
    probabilities[index] = played;
    nextOnes += played * ((leaves[at + next]! >>> ((layer + 1) & 31)) & 1);
  }
  return Math.min(1, nextOnes);
}

/** The softmax of logits; +Infinity shares everything among its tokens. */
function softmax(logits: Float64Array): Float64Array {
  let highest = -Infinity;
  for (const logit of logits) highest = Math.max(highest, logit);
  const weights = logits.map((logit) =>
    highest === Infinity ? Number(logit === Infinity) : Math.exp(logit - highest),
  );
  let sum = 0;
  for (const weight of weights) sum += weight;
  return weights.map((weight) => weight / sum);
}

function countOnes(leaves: Uint32Array, count: number, words: number): Float64Array {
  const ones = new Float64Array(count);
  for (let row = 0; row < count; row++) {
    for (let word = 0; word < words; word++) {
      ones[row] = ones[row]! + populationCount(leaves[row * words + word]!);
    }
  }
  return ones;
}

/** The number of ones in 32 bits (Warren 2012, "Hacker's Delight", section 5-1). */
function populationCount(word: number): number {
  let count = word - ((word >>> 1) & 0x55555555);
  count = (count & 0x33333333) + ((count >>> 2) & 0x33333333);
  count = (count + (count >>> 4)) & 0x0f0f0f0f;
  return Math.imul(count, 0x01010101) >>> 24;
}
