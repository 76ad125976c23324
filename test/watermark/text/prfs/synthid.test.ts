import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { log10BinomialUpperTail } from '../../../../src/stats/tails/binomial.ts';
import { detectText } from '../../../../src/watermark/text/detect.ts';
import { synthIdStart } from '../../../../src/watermark/text/prfs/synthid-deepmind.ts';
import { fold } from '../../../../src/watermark/text/prfs/synthid-fold.ts';
import { synthIdTable } from '../../../../src/watermark/text/prfs/synthid-hf.ts';
import { reportedElsewhere } from '../../../../src/watermark/text/reported-elsewhere.ts';
import { openTextWatermark } from '../../../../src/watermark/text/watermark.ts';
import { randomText } from '../random-text.ts';
import {
  defaultSynthIdKeys,
  stackProfile,
  synthIdWatermark,
  textVectors,
  windowPairs,
} from './stacks.ts';

type Name = 'synthid-hf' | 'synthid-deepmind';

const vectors = textVectors<{
  values: {
    prf: Name;
    keys: number[];
    ngramLength: number;
    tokens: number[];
    g: string[];
    unrepeated: string;
    mean: number;
    weightedMean: number;
  }[];
  generations: {
    prf: Name;
    ngramLength: number;
    prompt: number[];
    steps: { eighths: number[]; marked: boolean; probabilities: number[] }[];
    tokens: number[];
  }[];
  memory: { period: number; length: number; unrepeated: number }[];
}>('synthid');

function hashOf(start: bigint, numbers: readonly number[]): bigint {
  const hash = { high: Number(start >> 32n) | 0, low: Number(BigInt.asIntN(32, start)) };
  for (const number of numbers) fold(hash, number);
  return (BigInt(hash.high >>> 0) << 32n) | BigInt(hash.low >>> 0);
}

function softmax(logits: Float32Array): number[] {
  const weights = Array.from(logits, (logit) => Math.exp(logit));
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return weights.map((weight) => weight / sum);
}

describe("SynthID's hashes", () => {
  it('fold as whole numbers modulo 2^64 do', () => {
    const number = fc.oneof(fc.integer({ min: -1, max: 2 ** 31 }), fc.maxSafeNat());
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), fc.array(number), (start, list) => {
        const expected = list.reduce(
          (hash, each) => ((hash + BigInt(each)) * 6364136223846793005n + 1n) % 2n ** 64n,
          start,
        );
        expect(hashOf(start, list)).toBe(BigInt.asUintN(64, expected));
      }),
    );
  });

  it('have the table, start and context hashes of the parity page', () => {
    const table = synthIdTable();
    expect(table.subarray(0, 32).join('')).toBe('01101111111001000001011001111010');
    expect(table.reduce((sum, bit) => sum + bit, 0)).toBe(32743);
    const start = synthIdStart(defaultSynthIdKeys);
    expect(start).toBe(1614033703599872695n);
    expect(hashOf(1n, [1, 2, 3, 4])).toBe(8268566681299659399n);
    expect(hashOf(start, [1, 2, 3, 4])).toBe(8796668778096362653n);
  });

  it.each(
    vectors.values,
  )('give the g values of $prf with $keys.length keys and n-grams of $ngramLength', ({
    prf,
    keys,
    ngramLength,
    tokens,
    g,
  }) => {
    const source = synthIdWatermark(prf, keys, ngramLength, 2 ** 18).prf.leaf(keys.length);
    const pairs = windowPairs(tokens, ngramLength - 1);
    const leaves = source.leaves(pairs);
    const bitsOf = (all: Uint32Array, row: number): string =>
      keys
        .map((_, layer) => (all[row * source.words + (layer >>> 5)]! >>> (layer & 31)) & 1)
        .join('');
    expect(g.map((_, row) => bitsOf(leaves, row))).toEqual(g);
    const context = pairs.contexts.subarray(0, pairs.width);
    const candidates = source.candidates(context, pairs.tokens.subarray(0, 1));
    expect(bitsOf(candidates, 0)).toBe(g[0]);
  });
});

describe('SynthID', () => {
  it.each(vectors.values)('would print its mean scores: $prf, $keys.length keys', ({
    prf,
    keys,
    ngramLength,
    tokens,
    unrepeated,
    mean,
    weightedMean,
  }) => {
    const watermark = synthIdWatermark(prf, keys, ngramLength, 2 ** 18);
    const text = { tokens: Int32Array.from([9, 9, 9, ...tokens]), promptLength: 3 };
    const report = reportedElsewhere(watermark, text)!;
    expect(report.stack).toBe(prf === 'synthid-hf' ? 'transformers' : 'synthid-text');
    expect(report.values['scored']).toBe([...unrepeated].filter((bit) => bit === '1').length);
    expect(report.values['mean']).toBeCloseTo(mean, 12);
    expect(report.values['weightedMean']).toBeCloseTo(weightedMean, 12);
    expect(report.warning).toContain('not p-values');
  });

  it.each(vectors.generations)('marks the same steps with the same probabilities: $prf', ({
    prf,
    ngramLength,
    prompt,
    steps,
    tokens,
  }) => {
    const watermark = synthIdWatermark(prf, defaultSynthIdKeys, ngramLength, 8);
    const marker = watermark.marker({ promptLength: prompt.length });
    const contexts = new Set<number>();
    for (const [step, { eighths, marked, probabilities }] of steps.entries()) {
      const logits = Float32Array.from(eighths, (eighth) => eighth / 8);
      const plain = logits.slice();
      const before = tokens.slice(0, prompt.length + step);
      marker.mark(logits, Int32Array.from(before));
      expect(logits.some((logit, token) => logit !== plain[token])).toBe(marked);
      softmax(logits).forEach((probability, token) => {
        expect(Math.abs(probability - probabilities[token]!)).toBeLessThan(2e-6);
      });
      if (marked) contexts.add(step);
    }
    expect(contexts.size).toBeLessThan(steps.length);
    const text = { tokens: Int32Array.from(tokens), promptLength: prompt.length };
    expect(detectText(watermark, text).skipped['repeated context']).toBe(
      steps.length - contexts.size,
    );
  });

  it.each(vectors.memory)('remembers contexts for 1,024 steps: a period of $period', ({
    period,
    length,
    unrepeated,
  }) => {
    const watermark = synthIdWatermark('synthid-hf', [1], 3, 2000);
    const tokens = Int32Array.from({ length }, (_, at) => (37 * (at % period)) % 2000);
    const text = { tokens, promptLength: 0 };
    expect(reportedElsewhere(watermark, text)!.values['scored']).toBe(unrepeated);
    const { skipped } = detectText(watermark, text);
    const paddedAndDistinct = 1;
    expect(length - (skipped['repeated context'] ?? 0)).toBe(unrepeated + paddedAndDistinct);
  });

  it.each([
    'synthid-hf',
    'synthid-deepmind',
  ] as const)('is found over %s by an exact tail, and only under its keys', (name) => {
    const keys = [77, 5001, 40000, 123456789, 9];
    const watermark = synthIdWatermark(name, keys, 4, 300);
    const text = randomText('synthid', 200, 300, watermark, [1, 2, 3]);
    const found = detectText(watermark, text);
    expect(found.log10P).toBeLessThan(-8);
    expect(found.log10P).toBe(log10BinomialUpperTail(found.total, found.scored * 5, 0.5));
    const other = synthIdWatermark(name, [78, 5002, 40001, 123456780, 8], 4, 300);
    expect(detectText(other, text).log10P).toBeGreaterThan(-4);
    const prf = { name, ngramLength: 4 } as const;
    const green = openTextWatermark(
      stackProfile(prf, { name: 'green-list', gamma: 0.5, delta: 3 }, 'turn', 300),
      { stack: 'synthid', keys },
    );
    const greenText = randomText('green', 150, 300, green);
    expect(detectText(green, greenText).log10P).toBeLessThan(-8);
    expect(reportedElsewhere(green, greenText)).toBeUndefined();
  });

  it('does not read the prompt, and pads with zeros', () => {
    const watermark = synthIdWatermark('synthid-hf', defaultSynthIdKeys, 5, 300);
    const output = randomText('padding', 40, 300, watermark).tokens;
    const scores = [[], [1], [7, 8, 9, 10, 11, 12]].map((prompt) => {
      const tokens = Int32Array.from([...prompt, ...output]);
      return detectText(watermark, { tokens, promptLength: prompt.length }).total;
    });
    expect(new Set(scores).size).toBe(1);
  });

  it('counts pairs once that the table cannot tell apart', () => {
    const watermark = synthIdWatermark('synthid-hf', defaultSynthIdKeys, 2, 200000);
    const tokens = Int32Array.of(5, 6, 5 + 65536, 6, 5, 6 + 65536);
    const { scored, skipped } = detectText(watermark, { tokens, promptLength: 0 });
    expect(scored).toBe(3);
    expect(skipped).toMatchObject({ 'repeated context': 2, 'repeated pair': 1 });
    const deepMind = synthIdWatermark('synthid-deepmind', defaultSynthIdKeys, 2, 200000);
    expect(detectText(deepMind, { tokens, promptLength: 0 }).scored).toBe(4);
  });

  it('refuses what it cannot carry, and says what it can', () => {
    const prf = { name: 'synthid-deepmind', ngramLength: 5 } as const;
    for (const scheme of [
      { name: 'gumbel' },
      { name: 'green-list', gamma: 0.25, delta: 2 },
    ] as const) {
      expect(() => stackProfile(prf, scheme, 'turn', 300)).toThrow(/tournament/);
    }
    const profile = stackProfile(prf, { name: 'tournament', depth: 30 }, 'turn', 300);
    expect(() => openTextWatermark(profile, { stack: 'synthid', keys: [1, 2] })).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID' }),
    );
    const source = openTextWatermark(profile, { stack: 'synthid', keys: defaultSynthIdKeys }).prf;
    expect(() => source.uniform()).toThrow(/cannot carry gumbel/);
    expect(() => source.green(0.25)).toThrow(/cannot carry green lists of share 0\.25/);
  });

  it('takes any tokens', () => {
    const watermark = synthIdWatermark('synthid-deepmind', [1, 2 ** 53 - 1], 3, 50);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -3, max: 60 })), fc.nat(8), (ids, promptLength) => {
        const text = { tokens: Int32Array.from(ids), promptLength };
        const { log10P, scored } = detectText(watermark, text);
        expect(log10P).toBeLessThanOrEqual(0);
        expect(scored).toBeLessThanOrEqual(Math.max(0, ids.length - promptLength));
      }),
    );
  });
});
