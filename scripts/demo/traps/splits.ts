import { seededRandom } from '../../../src/stats/sampling.ts';
import { languages } from '../classifier/languages.ts';
import { cutAtWords, paragraphsOf, type Snippet } from '../classifier/snippets.ts';

/**
 * What each party to the demonstration of region traps has: whole paragraphs of the Universal
 * Declaration of Human Rights fall to one part each, so no two parties share a sentence.
 */
export interface TextSplits {
  /** Teaches the protected model, and references that learnt from the same data. */
  readonly training: readonly Snippet[];
  /** Teaches references that learnt from other data. */
  readonly other: readonly Snippet[];
  /** What thieves ask; nothing that builds traps ever sees it. */
  readonly attacker: readonly Snippet[];
  /** The owner's own questions: simulated surrogates learn from the answers to them. */
  readonly owner: readonly Snippet[];
  /** Where the search for traps begins. */
  readonly pool: readonly Snippet[];
  /** Ordinary traffic that nobody learns from. */
  readonly traffic: readonly Snippet[];
}

/** Each part's share of a language's text, and the characters into a paragraph where cutting begins. */
const parts: readonly {
  readonly name: keyof TextSplits;
  readonly share: number;
  readonly offsets: readonly number[];
}[] = [
  { name: 'training', share: 0.18, offsets: [0, 15, 30, 45] },
  { name: 'other', share: 0.19, offsets: [0, 15, 30, 45] },
  { name: 'attacker', share: 0.2, offsets: [0, 15, 30, 45] },
  { name: 'owner', share: 0.22, offsets: [0, 8, 15, 23, 30, 38, 45, 52] },
  { name: 'pool', share: 0.14, offsets: [0, 8, 15, 23, 30, 38, 45, 52] },
  { name: 'traffic', share: 0.07, offsets: [0, 15, 30, 45] },
];

/** Splits the declaration in all thirty languages; the same seed gives the same parts. */
export function drawTextSplits(seed: string): TextSplits {
  const random = seededRandom(`${seed}/splits`);
  const drawn = parts.map(() => new Map<string, Snippet>());
  languages.forEach(({ declaration }, language) => {
    const paragraphs = random.shuffle(paragraphsOf(declaration));
    const total = paragraphs.reduce((sum, { length }) => sum + length, 0);
    let before = 0;
    for (const paragraph of paragraphs) {
      const part = partAt((before + paragraph.length / 2) / total);
      before += paragraph.length;
      for (const offset of parts[part]!.offsets) {
        for (const text of cutAtWords(paragraph, offset))
          drawn[part]!.set(text, { text, language });
      }
    }
  });
  const taken = new Set<string>();
  const disjoint = drawn.map((snippets) => {
    const own = [...snippets.values()].filter(({ text }) => !taken.has(text));
    for (const { text } of own) taken.add(text);
    return random.shuffle(own);
  });
  return Object.fromEntries(
    parts.map(({ name }, part) => [name, disjoint[part]!]),
  ) as unknown as TextSplits;
}

function partAt(place: number): number {
  let until = 0;
  const found = parts.findIndex(({ share }) => {
    until += share;
    return place < until;
  });
  return found < 0 ? parts.length - 1 : found;
}
