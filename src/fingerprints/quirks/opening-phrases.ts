import { bucketOf, countIn, countLikeness } from '../hashed-counts.ts';
import type { Quirk } from '../quirk.ts';
import { firstWords } from '../words.ts';

const lengths = [1, 2, 3];
const buckets = 512;

/**
 * With which words completions of each prompt begin.
 *
 * Counts of the first word, the first two and the first three after a prompt over all completions,
 * each prompt and phrase in one of 512 buckets by their hash (Weinberger et al. 2009). The prompt is
 * part of the key as models of one language begin with much the same words on the whole. A completion
 * without words says nothing; undefined when there is no other. Compared by the mean over the three
 * lengths of the correlation of square roots of counts.
 */
export const openingPhrases: Quirk<'language'> = {
  name: 'opening-phrases',
  task: 'language',
  meaning: 'with which words completions of each prompt begin',
  extract: ({ completions }) => {
    const counts = new Float64Array(lengths.length * buckets);
    const openings = completions.flatMap((prompts) => prompts.flatMap(openingsOf));
    for (const { prompt, words } of openings) {
      lengths.forEach((length, index) => {
        const phrase = `${prompt} ${words.slice(0, length).join(' ')}`;
        countIn(counts, index * buckets + bucketOf(phrase, buckets));
      });
    }
    return openings.length === 0 ? undefined : counts;
  },
  compare: (one, two) => {
    const likenesses = lengths.map((_, index) => {
      const [from, to] = [index * buckets, (index + 1) * buckets];
      return countLikeness(one.subarray(from, to), two.subarray(from, to));
    });
    return likenesses.reduce((sum, likeness) => sum + likeness, 0) / lengths.length;
  },
};

function openingsOf(samples: readonly (string | null)[], prompt: number) {
  return samples
    .map((text) => ({ prompt, words: text === null ? [] : firstWords(text, Math.max(...lengths)) }))
    .filter(({ words }) => words.length > 0);
}
