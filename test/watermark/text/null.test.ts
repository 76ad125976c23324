import { beforeAll, describe, expect, it } from 'vitest';
import { excessive, type Row, row } from '../../../scripts/calibrate/tally.ts';
import { keyFor, textCaseOf, textCases } from '../../../scripts/calibrate/text/cases.ts';
import { addCounts, type Counts } from '../../../scripts/calibrate/text/counts.ts';
import { drawNullText, textKinds } from '../../../scripts/calibrate/text/null-texts.ts';
import { readTextPool, type TextPool } from '../../../scripts/calibrate/text/pool.ts';
import {
  tryFixedKey,
  trySets,
  tryTexts,
  tryWithoutDeduplication,
} from '../../../scripts/calibrate/text/trials.ts';
import { seededRandom } from '../../../src/stats/sampling.ts';
import { detectText } from '../../../src/watermark/text/detect.ts';
import { type TextProfile, textProfileSchema } from '../../../src/watermark/text/profile.ts';
import { openTextWatermark } from '../../../src/watermark/text/watermark.ts';
import { nativeProfile } from './random-text.ts';

const seed = 'null test';
const usual = 'native / green-list 0.25 / width 2';

/** Cases and how many texts are tried on each: fewer where a function is slow. */
const tried: readonly (readonly [string, number])[] = [
  [usual, 4000],
  ['native / gumbel / width 1', 3000],
  ['native / tournament / width 2', 3000],
  ['native / fixed-green-list 0.5 / width 0', 2000],
  ['hugging-face lefthash / green-list 0.25 / width 1', 1000],
  ['synthid-hf / tournament / width 4', 3000],
  ['synthid-deepmind / tournament / width 4', 1000],
  ['vllm-philox / gumbel / width 4', 3000],
  ['vllm-philox dual / gumbel / width 4', 2000],
];

describe('texts without a mark', () => {
  let pool: TextPool;

  beforeAll(async () => {
    pool = await readTextPool();
  });

  it('are natural, templated, repetitive and code, of 100 to 200 tokens', () => {
    const random = seededRandom(seed);
    const shape = { longest: 200, vocabularySize: 50_257 };
    const { profile } = textCaseOf(usual);
    const watermark = openTextWatermark(profile, keyFor(profile, seed));
    const repeated: Record<string, number> = {};
    for (let turn = 0; turn < 400; turn++) {
      const text = drawNullText(pool, turn, shape, random);
      expect(text.kind).toBe(textKinds[turn % 4]);
      expect(text.tokens.length).toBeGreaterThanOrEqual(100);
      expect(text.tokens.length).toBeLessThanOrEqual(200);
      const { skipped } = detectText(watermark, text);
      const share = (skipped['repeated pair'] ?? 0) / text.tokens.length / 100;
      repeated[text.kind] = (repeated[text.kind] ?? 0) + share;
    }
    expect(repeated['natural']).toBeLessThan(0.1);
    expect(repeated['templated']).toBeGreaterThan(0.3);
    expect(repeated['repetitive']).toBeGreaterThan(0.5);
  });

  it('are not taken for marked more often than stated, singly or in sets, under random keys', () => {
    const counts: Counts = {};
    for (const [name, texts] of tried) {
      addCounts(counts, tryTexts(textCaseOf(name), { seed, from: 0, to: texts }, pool));
    }
    addCounts(counts, trySets(textCaseOf(usual), { seed, from: 0, to: 40 }, pool));
    const rows = rowsOf(counts);
    expect(rows.length).toBe(6 * tried.length + 2 * textKinds.length + 4);
    expect(excessive(rows)).toEqual([]);
    for (const { name, upper95, nominal } of rows) {
      if (/all cases .* p <= 0.01/.test(name)) expect(upper95, name).toBeGreaterThan(nominal / 3);
    }
  });

  it('are taken for marked under no fixed key twice as often as stated', () => {
    const counts: Counts = {};
    for (let key = 0; key < 5; key++) {
      addCounts(counts, tryFixedKey(textCaseOf(usual), key, { seed, from: 0, to: 800 }, pool));
    }
    const rows = rowsOf(counts).map((each) => ({ ...each, nominal: 2 * each.nominal }));
    expect(rows).toHaveLength(5);
    expect(excessive(rows)).toEqual([]);
  });

  it('would be, if repeated pairs counted as often as they occur: the check sees it', () => {
    const block = { seed, from: 0, to: 300 };
    const rows = rowsOf(tryWithoutDeduplication(textCaseOf(usual), block, pool));
    expect(rows).toHaveLength(2);
    expect(excessive(rows)).toEqual(rows);
  });

  it('are tried on every scheme over every function that carries it', () => {
    const schemes: readonly TextProfile['scheme'][] = [
      ...[0.25, 0.5].map((gamma) => ({ name: 'green-list', gamma, delta: 2 }) as const),
      ...[0.25, 0.5].map((gamma) => ({ name: 'fixed-green-list', gamma, delta: 2 }) as const),
      { name: 'gumbel' },
      { name: 'tournament', depth: 30 },
    ];
    const functions: readonly TextProfile['prf'][] = [
      ...[0, 2].map((contextWidth) => ({ name: 'native', contextWidth }) as const),
      ...(['lefthash', 'selfhash'] as const).map(
        (seeding) => ({ name: 'hugging-face', seeding, contextWidth: 2 }) as const,
      ),
      ...(['synthid-hf', 'synthid-deepmind'] as const).flatMap((name) =>
        [1, 5].map((ngramLength) => ({ name, ngramLength }) as const),
      ),
      ...(['single', 'dual'] as const).flatMap((keys) =>
        [0, 4].map((contextWidth) => ({ name: 'vllm-philox', keys, contextWidth }) as const),
      ),
    ];
    const opened = new Set<string>();
    for (const scheme of schemes) {
      for (const prf of functions) {
        const profile = { ...nativeProfile(), scheme, prf };
        if (opens(profile)) opened.add(pairing(profile));
      }
    }
    expect(opened.size).toBeGreaterThan(12);
    expect(new Set(textCases.map(({ profile }) => pairing(profile)))).toEqual(opened);
  });
});

function rowsOf(counts: Counts): Row[] {
  return Object.entries(counts).map(([name, { nominal, hits, trials }]) =>
    row(name, nominal, hits, trials),
  );
}

function opens(profile: TextProfile): boolean {
  if (!textProfileSchema.safeParse(profile).success) return false;
  try {
    openTextWatermark(profile, keyFor(profile, seed));
    return true;
  } catch {
    return false;
  }
}

function pairing({ scheme, prf }: TextProfile): string {
  const variant = 'seeding' in prf ? prf.seeding : 'keys' in prf ? prf.keys : '';
  return `${scheme.name} over ${prf.name} ${variant}`;
}
