import type { Quirk } from '../quirk.ts';

/** How much less each further rank weighs. */
const persistence = 0.9;
/** In place of a token that was not told; ids are never negative. */
const noToken = -1;
/** Contexts are compared with so many others on either side. */
const mostShifts = 4;

/**
 * In which order a model holds the likeliest next tokens on fixed contexts.
 *
 * The numbers are the length of the lists, and then the token ids of each context's list, likeliest
 * first, filled up with -1. Undefined when the model tells no probabilities, the probe set has no
 * contexts, or none was answered.
 *
 * Compared by rank-biased overlap with p = .9, extrapolated from the depth that both lists have
 * (Webber, Moffat and Zobel 2010, equation 23), averaged over the contexts that both tell. What lists
 * of different contexts have in common, such as the tokens that are frequent everywhere, is chance:
 * the likeness is (overlap - chance) / (1 - chance), as Cohen (1960) corrects agreement. 1 for equal
 * lists, and about 0 for models that share no more than the frequencies of their tokens.
 */
export const topOrder: Quirk<'language'> = {
  name: 'top-order',
  task: 'language',
  meaning: 'in which order it holds the likeliest next tokens on fixed contexts',
  extract: ({ topTokens }, { contexts, top }) => {
    if (!topTokens?.some((tokens) => tokens !== null && tokens.length > 0)) return undefined;
    const numbers = new Float64Array(1 + contexts.length * top).fill(noToken);
    numbers[0] = top;
    topTokens.slice(0, contexts.length).forEach((tokens, context) => {
      if (tokens !== null) numbers.set(tokens.slice(0, top), 1 + context * top);
    });
    return numbers;
  },
  compare: (one, two) => {
    const [lists, others] = [listsOf(one), listsOf(two)];
    const told = lists.flatMap((list, context) =>
      list.length > 0 && others[context]!.length > 0 ? [[list, others[context]!] as const] : [],
    );
    if (told.length === 0) return one.every((value, index) => value === two[index]) ? 1 : 0;
    const overlap = mean(told.map(([list, other]) => rankBiasedOverlap(list, other)));
    const shifts = Array.from(
      { length: Math.min(mostShifts, Math.floor(told.length / 2)) },
      (_, index) => index + 1,
    );
    const chances = shifts.flatMap((shift) =>
      told.flatMap(([list, other], context) => {
        const [next, nextOther] = told[(context + shift) % told.length]!;
        return [rankBiasedOverlap(list, nextOther), rankBiasedOverlap(next, other)];
      }),
    );
    const chance = mean(chances);
    return overlap === 1 || chance >= 1 ? overlap : Math.max(-1, (overlap - chance) / (1 - chance));
  },
};

function listsOf(numbers: Float64Array): readonly Float64Array[] {
  const top = numbers[0]!;
  return Array.from({ length: (numbers.length - 1) / top }, (_, context) => {
    const list = numbers.subarray(1 + context * top, 1 + (context + 1) * top);
    const length = list.indexOf(noToken);
    return length < 0 ? list : list.subarray(0, length);
  });
}

/**
 * Returns the extrapolated rank-biased overlap of two lists, 0 to 1: the mean agreement over depths
 * d, |first d of both| / d, weighted by (1 - p) p^(d - 1), the last depth standing for all further.
 */
export function rankBiasedOverlap(one: Float64Array, two: Float64Array): number {
  const depth = Math.min(one.length, two.length);
  if (depth === 0) return 0;
  const joining = new Uint16Array(depth);
  for (let rank = 0; rank < depth; rank++) {
    const other = two.indexOf(one[rank]!);
    const deeper = Math.max(rank, other);
    if (other >= 0 && deeper < depth) joining[deeper] = joining[deeper]! + 1;
  }
  let [common, weighted, weights] = [0, 0, 0];
  let rest = 1;
  for (let rank = 0; rank < depth; rank++) {
    common += joining[rank]!;
    const weight = rank === depth - 1 ? rest : (1 - persistence) * rest;
    weighted += weight * (common / (rank + 1));
    weights += weight;
    rest *= persistence;
  }
  return weighted / weights;
}

function mean(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;
}
