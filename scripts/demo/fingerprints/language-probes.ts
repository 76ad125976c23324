import { type ClassifierProbeSet, sliceNames } from '../../../src/fingerprints/probe-set.ts';
import { type SeededRandom, seededRandom } from '../../../src/stats/sampling.ts';
import { labels, languages } from '../classifier/languages.ts';
import { cutAtWords, paragraphsOf, type Snippet } from '../classifier/snippets.ts';

const perLanguage = 20;
const pairs = 60;
/** Shorter snippets are those on which identifiers agree least. */
const hardBelow = 35;
const rareShare = 0.1;

/**
 * Builds the probe set of language identification that ships: snippets of 25 to 60 characters from the
 * Universal Declaration of Human Rights in thirty languages, no two from one paragraph and offset.
 */
export function buildLanguageProbes(): ClassifierProbeSet {
  const random = seededRandom('fingerprints/language-identification');
  const snippets = random.shuffle(
    languages.flatMap(({ declaration }, language) =>
      random.choose(distinctSnippets(declaration), perLanguage).map((text) => ({ text, language })),
    ),
  );
  const rare = new Set(leastUsual(snippets.map(({ text }) => text)));
  return {
    schema: 'touchmark/probe-set@1',
    task: 'classify',
    name: 'language-identification',
    labels: [...labels],
    questions: snippets.map(({ text, language }) => {
      const slices = sliceNames.filter((name) =>
        name === 'rare' ? rare.has(text) : text.length < hardBelow,
      );
      return { input: text, expected: language, ...(slices.length > 0 && { slices }) };
    }),
    pairs: choosePairs(snippets, random),
    depth: 6,
    repeated: 32,
    timed: 16,
  };
}

function distinctSnippets(declaration: string): string[] {
  const cut = paragraphsOf(declaration).flatMap((paragraph) => cutAtWords(paragraph, 0));
  return [...new Set(cut.map((text) => text.normalize('NFC')))];
}

/** Pairs of snippets in different languages, none of them twice. */
function choosePairs(snippets: readonly Snippet[], random: SeededRandom): [number, number][] {
  const order = random.shuffle(snippets.map((_, index) => index));
  const chosen: [number, number][] = [];
  for (let at = 0; at + 1 < order.length && chosen.length < pairs; at += 2) {
    const [one, two] = [order[at]!, order[at + 1]!];
    if (snippets[one]!.language !== snippets[two]!.language) chosen.push([one, two]);
  }
  return chosen;
}

/** The texts whose sequences of three letters are, on average, the least frequent among all. */
function leastUsual(texts: readonly string[]): string[] {
  const counts = new Map<string, number>();
  for (const gram of texts.flatMap(trigrams)) counts.set(gram, (counts.get(gram) ?? 0) + 1);
  const usualness = (text: string) => {
    const grams = trigrams(text);
    return grams.reduce((sum, gram) => sum + Math.log(counts.get(gram)!), 0) / grams.length;
  };
  return texts
    .map((text) => ({ text, usual: usualness(text) }))
    .sort((one, two) => one.usual - two.usual || (one.text < two.text ? -1 : 1))
    .slice(0, Math.round(rareShare * texts.length))
    .map(({ text }) => text);
}

function trigrams(text: string): string[] {
  return Array.from({ length: text.length - 2 }, (_, at) => text.slice(at, at + 3).toLowerCase());
}
