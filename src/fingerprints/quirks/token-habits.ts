import { bucketOf, countIn, countLikeness } from '../hashed-counts.ts';
import type { Quirk } from '../quirk.ts';
import { sizeLikeness } from '../share-likeness.ts';
import { plainApostrophes, wordsOf } from '../words.ts';

/** English words that carry grammar rather than a topic. */
const functionWords = `a about after all also an and any are as at be because been before being but
  by can could did do does down each even every first for from had has have he her here him his how
  i if in into is it its just like made make may me might more most much must my new no not now of
  on one only or other our out over own said same shall she should since so some such than that the
  their them then there these they this those through to too two under up upon us very was we well
  were what when where which while who will with would you your`.split(/\s+/);
const marks = Array.from('.,;:!?"\'()[]{}-–—…*#`/\n');
const places = new Map([...functionWords, ...marks].map((unit, index) => [unit, index]));
/** Signs and line breaks, save apostrophes within words. */
const mark = /(?!(?<=[\p{L}\p{M}])'(?=[\p{L}\p{M}]))[^\p{L}\p{M}\p{N}\s]|\n/gu;
const sizes = 5;
const buckets = 256;

/**
 * Which words, punctuation and letter-case completions are made of.
 *
 * Three parts: counts of function words, which do not depend on what is spoken of, and of punctuation
 * (Mosteller and Wallace 1964); five sizes, which are capitals per character of words, words that
 * begin with a capital, characters (UTF-16 units) per word, punctuation per word, and words per
 * sentence; and counts of all other words in 256 buckets by their hash (Weinberger et al. 2009).
 * Function words are English; in other languages all words fall to the buckets.
 *
 * Texts of temperature 0 are left out where there are others: they say the same over and over.
 * Undefined when no completion has a word. Compared by the mean of the three parts: correlations of
 * square roots of counts, and relative differences of sizes. Models of one language have most of its
 * habits in common, and those of one genre nearly all: strangers are far above 0.
 */
export const tokenHabits: Quirk<'language'> = {
  name: 'token-habits',
  task: 'language',
  meaning: 'how often which words and punctuation come, in which case, in how long sentences',
  extract: ({ completions }, { temperatures }) => {
    const drawn = completions.filter((_, index) => temperatures[index]! > 0);
    const texts = (drawn.length > 0 ? drawn : completions).flat(2).filter((text) => text !== null);
    const known = new Float64Array(places.size);
    const others = new Float64Array(buckets);
    const sums = { words: 0, characters: 0, marks: 0 };
    const count = (unit: string) => {
      const place = places.get(unit);
      if (place !== undefined) countIn(known, place);
      else countIn(others, bucketOf(unit, buckets));
    };
    for (const text of texts) {
      for (const word of wordsOf(text)) {
        sums.words++;
        sums.characters += word.length;
        count(word);
      }
      for (const sign of plainApostrophes(text).match(mark) ?? []) {
        sums.marks++;
        count(sign);
      }
    }
    if (sums.words === 0) return undefined;
    return Float64Array.of(...known, ...sizesOf(texts, sums), ...others);
  },
  compare: (one, two) => {
    const [first, second] = [places.size, places.size + sizes];
    const known = countLikeness(one.subarray(0, first), two.subarray(0, first));
    const shape = sizeLikeness(one.subarray(first, second), two.subarray(first, second));
    const others = countLikeness(one.subarray(second), two.subarray(second));
    return (known + shape + others) / 3;
  },
};

function sizesOf(
  texts: readonly string[],
  { words, characters, marks }: Readonly<Record<'words' | 'characters' | 'marks', number>>,
): readonly number[] {
  const count = (pattern: RegExp) =>
    texts.reduce((sum, text) => sum + (text.match(pattern)?.length ?? 0), 0);
  const sentences = texts.reduce(
    (sum, text) => sum + text.split(/[.!?…]+(?=\s|$)/u).filter(hasWord).length,
    0,
  );
  return [
    count(/\p{Lu}/gu) / characters,
    count(/(?<![\p{L}\p{M}\p{N}'’])\p{Lu}/gu) / words,
    characters / words,
    marks / words,
    words / Math.max(1, sentences),
  ];
}

function hasWord(text: string): boolean {
  return /[\p{L}\p{M}\p{N}]/u.test(text);
}
