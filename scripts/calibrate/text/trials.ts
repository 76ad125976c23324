import { seededRandom } from '../../../src/stats/sampling.ts';
import { TiltBetting } from '../../../src/stats/tilt-betting.ts';
import { detectText, TextDetector } from '../../../src/watermark/text/detect.ts';
import { PairCollector, type TokenText } from '../../../src/watermark/text/token-pairs.ts';
import { openTextWatermark, type TextWatermark } from '../../../src/watermark/text/watermark.ts';
import { keyFor, type TextCase } from './cases.ts';
import { type Counts, count } from './counts.ts';
import { drawDistinctText, drawNullText } from './null-texts.ts';
import type { TextPool } from './pool.ts';

/** A run of trials of one case; what they are depends on the seed and their numbers only. */
export interface Block {
  readonly seed: string;
  readonly from: number;
  readonly to: number;
}

const rareP = [0.01, 0.001] as const;
const largeE = [20, 100] as const;
/** One text in so many is also followed token by token. */
const followedShare = 4;
const textsPerSet = 200;
const fixedKeyLevel = 0.01;

/** Tests null texts, each under a random key, and counts how often they seem marked. */
export function tryTexts(
  { name, profile, longest, textsPerKey }: TextCase,
  { seed, from, to }: Block,
  pool: TextPool,
): Counts {
  const counts: Counts = {};
  const random = seededRandom(`${seed}/${name}/texts from ${from}`);
  const shape = { longest, vocabularySize: profile.tokenizer.vocabularySize };
  const open = opener((key) =>
    openTextWatermark(profile, keyFor(profile, `${seed}/${name}/key ${key}`)),
  );
  for (let turn = from; turn < to; turn++) {
    const watermark = open(Math.floor(turn / textsPerKey));
    const text = drawNullText(pool, turn, shape, random);
    const { log10P, log10E } = detectText(watermark, text);
    countP(counts, name, log10P);
    countP(counts, `all cases / ${text.kind}`, log10P);
    countE(counts, name, 'at the end', log10E);
    // The kinds take turns of four, so that every fourth round holds one of each.
    if (Math.floor(turn / 4) % followedShare === 0) {
      countE(counts, name, 'at any time', highestLog10E(watermark, text));
    }
  }
  return counts;
}

/** Tests sets of null texts together, under one random key for each set. */
export function trySets(
  { name, profile, longest }: TextCase,
  { seed, from, to }: Block,
  pool: TextPool,
): Counts {
  const counts: Counts = {};
  const label = `${name} / sets of ${textsPerSet}`;
  const random = seededRandom(`${seed}/${name}/sets from ${from}`);
  const shape = { longest, vocabularySize: profile.tokenizer.vocabularySize };
  for (let set = from; set < to; set++) {
    const key = keyFor(profile, `${seed}/${name}/key of set ${set}`);
    const detector = new TextDetector(openTextWatermark(profile, key));
    let highest = 0;
    for (let turn = 0; turn < textsPerSet; turn++) {
      detector.fold(drawNullText(pool, turn, shape, random));
      highest = Math.max(highest, detector.detection().log10E);
    }
    countP(counts, label, detector.detection().log10P);
    countE(counts, label, 'at any time', highest);
  }
  return counts;
}

/** Tests texts of distinct places under one key that stays the same. */
export function tryFixedKey(
  { name, profile, longest }: TextCase,
  key: number,
  { seed, from, to }: Block,
  pool: TextPool,
): Counts {
  const counts: Counts = {};
  const random = seededRandom(`${seed}/${name}/distinct texts from ${from}`);
  const shape = { longest, vocabularySize: profile.tokenizer.vocabularySize };
  const watermark = openTextWatermark(profile, keyFor(profile, `${seed}/${name}/fixed key ${key}`));
  for (let turn = from; turn < to; turn++) {
    const { log10P } = detectText(watermark, drawDistinctText(pool, turn, shape, random));
    count(counts, fixedKeyName(name, key), fixedKeyLevel, isRare(log10P, fixedKeyLevel));
  }
  return counts;
}

export function controlName(name: string): string {
  return `${name} / without de-duplication`;
}

export function fixedKeyName(name: string, key: number): string {
  return `${name} / fixed key ${key + 1}`;
}

/**
 * What detection would say if every pair counted as often as it occurs: the control that the
 * calibration must catch.
 */
export function tryWithoutDeduplication(
  { name, profile, longest }: TextCase,
  { seed, from, to }: Block,
  pool: TextPool,
): Counts {
  const counts: Counts = {};
  const random = seededRandom(`${seed}/${name}/control from ${from}`);
  const shape = { longest, vocabularySize: profile.tokenizer.vocabularySize };
  const repetitive = 2;
  for (let turn = from; turn < to; turn++) {
    const text = drawNullText(pool, repetitive, shape, random);
    const key = keyFor(profile, `${seed}/${name}/key of control ${turn}`);
    const { rules, scheme } = openTextWatermark(profile, key);
    let [total, pairs] = [0, 0];
    for (let at = text.promptLength; at < text.tokens.length; at++) {
      // A collector of its own for each position remembers no pair from another one.
      const tokens = text.tokens.subarray(Math.max(0, at - rules.context.width), at + 1);
      const one = { tokens, promptLength: tokens.length - 1 };
      const { pairs: found } = new PairCollector(rules).collect(one);
      total += scheme.scores(found).reduce((sum, score) => sum + score, 0);
      pairs += found.count;
    }
    countP(counts, controlName(name), scheme.law.log10UpperTail(total, pairs));
  }
  return counts;
}

/** The largest log10 e-value after any token of a text. */
export function highestLog10E({ rules, scheme }: TextWatermark, text: TokenText): number {
  const betting = new TiltBetting(scheme.law.tilts);
  let highest = 0;
  for (const score of scheme.scores(new PairCollector(rules).collect(text).pairs)) {
    betting.fold([score]);
    highest = Math.max(highest, betting.log10E);
  }
  return highest;
}

function countP(counts: Counts, name: string, log10P: number): void {
  for (const level of rareP) count(counts, `${name} / p <= ${level}`, level, isRare(log10P, level));
}

function countE(counts: Counts, name: string, moment: string, log10E: number): void {
  for (const level of largeE) {
    count(counts, `${name} / E >= ${level} ${moment}`, 1 / level, log10E >= Math.log10(level));
  }
}

function isRare(log10P: number, level: number): boolean {
  return log10P <= Math.log10(level);
}

/** Opens each key once as long as it stays the same. */
function opener(open: (key: number) => TextWatermark): (key: number) => TextWatermark {
  let present: number | undefined;
  let watermark: TextWatermark | undefined;
  return (key) => {
    if (watermark === undefined || key !== present) {
      watermark = open(key);
      present = key;
    }
    return watermark;
  };
}
