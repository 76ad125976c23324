import type { Quirk } from '../quirk.ts';
import { meanOrUntold, shareLikeness, untold } from '../share-likeness.ts';
import { wordsOf } from '../words.ts';

/** Each completion is paired with so many that follow, so that the work stays linear. */
const mostPairs = 3;
const shares = 4;

/**
 * How much the completions of one prompt vary at each temperature.
 *
 * Four shares for each temperature, each a mean over pairs of completions of the same prompt (of
 * more than four, those at most three apart) and then over prompts: pairs whose texts differ (Simpson
 * 1949, whose index does not depend on how many completions came); distinct-1 and distinct-2, the
 * distinct words and pairs of neighbouring words over all of them, in the two completions together
 * (Li et al. 2016, "A diversity-promoting objective function for neural conversation models"); and
 * the words that both have over those that either has (Jaccard 1901). Temperature 0 among them shows
 * whether the model repeats itself when it should. A share that no pair tells is -1.
 *
 * Undefined when no prompt has two completions at any temperature.
 */
export const temperatureVariation: Quirk<'language'> = {
  name: 'temperature-variation',
  task: 'language',
  meaning: 'how much completions of the same prompt differ at each temperature',
  extract: ({ completions }) => {
    const found = Float64Array.from(completions.flatMap((prompts) => sharesOf(prompts)));
    return found.every((each) => each === untold) ? undefined : found;
  },
  compare: shareLikeness,
};

interface Said {
  readonly text: string;
  readonly words: Units;
  readonly neighbours: Units;
}

/** How many there are, and the numbers of the different ones in order. */
interface Units {
  readonly count: number;
  readonly different: Float64Array;
}

function sharesOf(prompts: readonly (readonly (string | null)[])[]): number[] {
  const numbers = new Map<string, number>();
  const read = (text: string): Said => {
    const words = wordsOf(text).map((word) => numberOf(word, numbers));
    const neighbours = words.slice(1).map((word, index) => words[index]! * 2 ** 26 + word);
    return { text, words: unitsOf(words), neighbours: unitsOf(neighbours) };
  };
  const pairs = prompts
    .map((samples) => pairsOf(samples.filter((text) => text !== null).map(read)))
    .filter(({ length }) => length > 0);
  const byPrompt = pairs.map((said) => said.map(([one, two]) => pairShares(one, two)));
  return Array.from({ length: shares }, (_, index) =>
    meanOrUntold(byPrompt.map((found) => meanOrUntold(found.map((each) => each[index]!)))),
  );
}

/** Whether the texts differ, distinct-1, distinct-2, and the overlap. */
function pairShares(one: Said, two: Said): readonly number[] {
  const both = common(one.words, two.words);
  const either = one.words.different.length + two.words.different.length - both;
  const [left, right] = [one.neighbours, two.neighbours];
  const neighbours = left.different.length + right.different.length - common(left, right);
  return [
    Number(one.text !== two.text),
    share(either, one.words.count + two.words.count),
    share(neighbours, left.count + right.count),
    share(both, either),
  ];
}

function numberOf(word: string, numbers: Map<string, number>): number {
  const known = numbers.get(word);
  if (known !== undefined) return known;
  numbers.set(word, numbers.size);
  return numbers.size - 1;
}

function unitsOf(numbers: readonly number[]): Units {
  const sorted = Float64Array.from(numbers).sort();
  let different = 0;
  for (const number of sorted) {
    if (different === 0 || number !== sorted[different - 1]) sorted[different++] = number;
  }
  return { count: numbers.length, different: sorted.subarray(0, different) };
}

function pairsOf(said: readonly Said[]): (readonly [Said, Said])[] {
  return said.flatMap((one, index) =>
    said.slice(index + 1, index + 1 + mostPairs).map((two) => [one, two] as const),
  );
}

function common({ different: one }: Units, { different: two }: Units): number {
  let [count, first, second] = [0, 0, 0];
  while (first < one.length && second < two.length) {
    const difference = one[first]! - two[second]!;
    if (difference === 0) count++;
    if (difference <= 0) first++;
    if (difference >= 0) second++;
  }
  return count;
}

/** 1 of nothing: two texts without words repeat nothing, and have the same words. */
function share(part: number, whole: number): number {
  return whole === 0 ? 1 : part / whole;
}
