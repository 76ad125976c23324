import type { SeededRandom } from '../../../src/stats/sampling.ts';
import type { TokenText } from '../../../src/watermark/text/token-pairs.ts';
import { longestText, shortestText } from './cases.ts';
import type { TextPool } from './pool.ts';

/** What texts without a mark look like in the field. */
export const textKinds = ['natural', 'templated', 'repetitive', 'code'] as const;
export type TextKind = (typeof textKinds)[number];

export interface NullText extends TokenText {
  readonly kind: TextKind;
}

export interface TextShape {
  readonly longest: number;
  /** Token ids are taken modulo this. */
  readonly vocabularySize: number;
}

/** A text is made from the tokens of one place this long, and of no other. */
const placeLength = longestText + 24;
const longestPrompt = 20;
const slots = 3;
const likeliest = 0.85;
const slips = 0.03;

/** Draws a text from anywhere in the pool; the kinds take turns. */
export function drawNullText(
  pool: TextPool,
  turn: number,
  shape: TextShape,
  random: SeededRandom,
): NullText {
  const kind = kindOf(turn);
  const source = sourceOf(pool, kind);
  return textAt(source, random.integer(source.length - placeLength), kind, shape, random);
}

/**
 * Draws the text of a place of its own: no two turns share tokens, for one key tried on many texts
 * would count what texts share again and again.
 *
 * @param turn below `distinctPlaces(pool)`
 */
export function drawDistinctText(
  pool: TextPool,
  turn: number,
  shape: TextShape,
  random: SeededRandom,
): NullText {
  const kind = kindOf(turn);
  const place = kind === 'code' ? Math.floor(turn / textKinds.length) : turn;
  return textAt(sourceOf(pool, kind), place * placeLength, kind, shape, random);
}

/** How many turns `drawDistinctText` has texts for. */
export function distinctPlaces({ english, source }: TextPool): number {
  const code = textKinds.length * Math.floor(source.length / placeLength);
  return Math.min(Math.floor(english.length / placeLength), code);
}

function textAt(
  source: Int32Array,
  from: number,
  kind: TextKind,
  { longest, vocabularySize }: TextShape,
  random: SeededRandom,
): NullText {
  const length = shortestText + random.integer(longest - shortestText + 1);
  const place = source.subarray(from, from + placeLength);
  const tokens = writers[kind](place, length, random).map((token) => token % vocabularySize);
  return { kind, tokens, promptLength: random.integer(longestPrompt + 1) };
}

type Writer = (place: Int32Array, length: number, random: SeededRandom) => Int32Array;

const writers: Readonly<Record<TextKind, Writer>> = {
  natural: (place, length) => place.subarray(0, length),
  code: (place, length) => place.subarray(0, length),
  templated: fillTemplate,
  repetitive: (place, length, random) =>
    (random.uniform() < 0.5 ? repeatPhrase : walkInCircles)(place, length, random),
};

/** A form with slots, filled in again and again with words that follow it in its place. */
function fillTemplate(place: Int32Array, length: number, random: SeededRandom): Int32Array {
  const form = place.subarray(0, 24 + random.integer(24));
  const gaps = random
    .choose(
      Array.from(form, (_, at) => at),
      slots,
    )
    .sort((left, right) => left - right);
  let unused = form.length;
  const tokens: number[] = [];
  while (tokens.length < length) {
    form.forEach((token, at) => {
      tokens.push(token);
      if (!gaps.includes(at)) return;
      for (let words = 1 + random.integer(3); words > 0; words--) {
        tokens.push(place[unused]!);
        unused = unused + 1 < place.length ? unused + 1 : form.length;
      }
    });
  }
  return Int32Array.from(tokens.slice(0, length));
}

/** A phrase over and over, with a slip now and then. */
function repeatPhrase(place: Int32Array, length: number, random: SeededRandom): Int32Array {
  const phrase = place.subarray(0, 3 + random.integer(28));
  return Int32Array.from({ length }, (_, at) =>
    random.uniform() < slips ? place[random.integer(place.length)]! : phrase[at % phrase.length]!,
  );
}

/** A bigram model of the place at a low temperature: mostly the first successor that it saw. */
function walkInCircles(place: Int32Array, length: number, random: SeededRandom): Int32Array {
  const successors = new Map<number, number[]>();
  place.forEach((token, at) => {
    const next = place[(at + 1) % place.length]!;
    const known = successors.get(token);
    if (known) known.push(next);
    else successors.set(token, [next]);
  });
  let last = place[0]!;
  return Int32Array.from({ length }, () => {
    const choices = successors.get(last)!;
    last = random.uniform() < likeliest ? choices[0]! : choices[random.integer(choices.length)]!;
    return last;
  });
}

function kindOf(turn: number): TextKind {
  return textKinds[turn % textKinds.length]!;
}

function sourceOf({ english, source }: TextPool, kind: TextKind): Int32Array {
  return kind === 'code' ? source : english;
}
