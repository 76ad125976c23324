import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openTextKernel } from '../../../../src/watermark/text/kernel/text-kernel.ts';
import { nativePrf } from '../../../../src/watermark/text/prfs/native.ts';
import { greenListScheme } from '../../../../src/watermark/text/schemes/green-list.ts';
import { gumbelScheme } from '../../../../src/watermark/text/schemes/gumbel.ts';
import type { TextScheme } from '../../../../src/watermark/text/schemes/scheme.ts';
import { tournamentScheme } from '../../../../src/watermark/text/schemes/tournament.ts';
import { keyOf } from '../../fixtures.ts';

const prf = nativePrf(keyOf('schemes'), 2);
const options = { promptLength: 0 };
const vocabularySize = 300;
const schemes: Readonly<Record<string, TextScheme>> = {
  'green list': greenListScheme(prf.green(0.25), 2, vocabularySize),
  Gumbel: gumbelScheme(prf.uniform(), vocabularySize),
  tournament: tournamentScheme(prf.leaf(5), vocabularySize),
};

const logit = fc.oneof(
  fc.float({ min: -40, max: 40, noNaN: true }),
  fc.float(),
  fc.constantFrom(NaN, Infinity, -Infinity, -Infinity, 0, -0, 1e-45),
);
const logitsOf = (most: number) => fc.array(logit, { minLength: 0, maxLength: most });
const context = fc
  .tuple(fc.integer({ min: 0, max: 2 ** 31 - 1 }), fc.integer({ min: 0, max: 2 ** 31 - 1 }))
  .map((tokens) => Int32Array.from(tokens));

/** The winner by the definition, over every token. */
function plainWinner(logits: Float32Array, after: Int32Array, size: number, temperature: number) {
  const tokens = Int32Array.from({ length: size }, (_, token) => token);
  const uniforms = prf.uniform().candidates(after, tokens);
  let [winner, best] = [-1, -Infinity];
  for (const token of tokens) {
    if (!(logits[token]! > -Infinity)) continue;
    const perturbed = logits[token]! / temperature - Math.log(-Math.log(uniforms[token]!));
    if (perturbed > best || winner < 0) [winner, best] = [token, perturbed];
  }
  return winner;
}

describe.each(Object.entries(schemes))('%s', (name, scheme) => {
  it('marks logits of any length and value alike with the kernel and without', () => {
    const [simd, plain] = [openTextKernel(500), openTextKernel(500, { simd: false })];
    fc.assert(
      fc.property(logitsOf(450), context, (values, after) => {
        const marked = [simd.logits, plain.logits, new Float32Array(500)].map((memory) => {
          const logits = memory.subarray(0, values.length);
          logits.set(values);
          scheme.mark(logits, after, options);
          return Float32Array.from(logits);
        });
        expect(marked[0]).toEqual(marked[1]);
        expect(marked[0]).toEqual(marked[2]);
      }),
      { numRuns: 300, seed: 3 },
    );
  });

  it('leaves logits without a possible token as they are', () => {
    for (const value of [-Infinity, NaN]) {
      const logits = new Float32Array(400).fill(value);
      scheme.mark(logits, Int32Array.of(1, 2), options);
      expect(logits).toEqual(new Float32Array(400).fill(value));
      const candidates = { tokens: Int32Array.of(3, 4), logits: Float64Array.of(value, value) };
      scheme.markCandidates(candidates, Int32Array.of(1, 2), options);
      expect(candidates.logits).toEqual(Float64Array.of(value, value));
    }
    const none = { tokens: new Int32Array(0), logits: new Float32Array(0) };
    expect(() => scheme.markCandidates(none, Int32Array.of(1, 2), options)).not.toThrow();
  });

  it('marks candidates as it marks logits in which nothing else is possible', () => {
    const cut = fc.uniqueArray(fc.integer({ min: 0, max: vocabularySize - 1 }), {
      minLength: 1,
      maxLength: 60,
    });
    fc.assert(
      fc.property(cut, context, fc.infiniteStream(logit), (tokens, after, stream) => {
        const sorted = Int32Array.from(tokens).sort();
        const logits = Float32Array.from(sorted, () => stream.next().value as number);
        const all = new Float32Array(vocabularySize).fill(-Infinity);
        sorted.forEach((token, row) => {
          all[token] = logits[row]!;
        });
        scheme.mark(all, after, options);
        scheme.markCandidates({ tokens: sorted, logits }, after, options);
        const anyPossible = logits.some((value) => value > -Infinity);
        sorted.forEach((token, row) => {
          if (name === 'green list' || anyPossible) expect(logits[row]).toBe(all[token]);
        });
      }),
      { numRuns: 300, seed: 4 },
    );
  });

  it('neither draws for nor chooses token ids outside the vocabulary', () => {
    const tokens = Int32Array.of(-1, 7, vocabularySize, 2 ** 31 - 1, -(2 ** 31), 12);
    const logits = Float64Array.of(50, 1, 50, 50, 50, 1);
    scheme.markCandidates({ tokens, logits }, Int32Array.of(8, 9), options);
    const outside = [0, 2, 3, 4].map((row) => logits[row]);
    expect(outside).toEqual(new Array(4).fill(name === 'green list' ? 50 : -Infinity));
  });
});

describe('Gumbel', () => {
  it('chooses the token of the definition among thousands of cases', () => {
    const size = 1500;
    const scheme = gumbelScheme(prf.uniform(), size);
    const kernel = openTextKernel(size);
    const temperatures = [1, 0.7, 0.1, 2.5];
    for (let round = 0; round < 1500; round++) {
      const after = Int32Array.of(round, 5);
      const spread = [0, 0.01, 1, 4, 20][round % 5]!;
      const shift = [0, -1e4, 3e7][round % 3]!;
      for (let token = 0; token < size; token++) {
        kernel.logits[token] = shift + spread * Math.sin(round + token * token * 0.37);
      }
      const temperature = temperatures[round % 4]!;
      const winner = plainWinner(kernel.logits, after, size, temperature);
      scheme.mark(kernel.logits, after, { ...options, temperature });
      expect(kernel.logits.indexOf(0)).toBe(winner);
      expect(kernel.logits.filter((value) => value > -Infinity)).toHaveLength(1);
    }
  });

  it('keeps to the likeliest tokens when asked', () => {
    const scheme = schemes['Gumbel']!;
    for (let round = 0; round < 50; round++) {
      const logits = Float32Array.from({ length: vocabularySize }, (_, token) => token / 100);
      scheme.mark(logits, Int32Array.of(1, round), { ...options, topK: 3 });
      expect(logits.indexOf(0)).toBeGreaterThanOrEqual(vocabularySize - 3);
    }
  });
});

/** Pearson's statistic of counts against shares. */
function chiSquare(counts: readonly number[], shares: readonly number[]): number {
  const total = counts.reduce((sum, count) => sum + count, 0);
  return shares.reduce((sum, share, token) => {
    const expected = share * total;
    return sum + (counts[token]! - expected) ** 2 / expected;
  }, 0);
}

describe('over keys', () => {
  const logits = [1.5, 0.3, -0.4, 0.9, -1, 0];
  const weights = logits.map(Math.exp);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const shares = weights.map((weight) => weight / total);
  const keys = Array.from({ length: 4000 }, (_, index) => nativePrf(keyOf(`key ${index}`), 1));
  /** The 0.999 quantile of chi-square with 5 degrees of freedom (printed tables). */
  const limit = 20.515;

  it('Gumbel-max draws from the softmax', () => {
    const counts = logits.map(() => 0);
    for (const each of keys) {
      const marked = Float32Array.from(logits);
      gumbelScheme(each.uniform(), logits.length).mark(marked, Int32Array.of(4), options);
      counts[marked.indexOf(0)]!++;
    }
    expect(chiSquare(counts, shares)).toBeLessThan(limit);
  });

  it('the tournament keeps every probability in the mean', () => {
    const sums = logits.map(() => ({ sum: 0, squares: 0 }));
    for (const each of keys) {
      const marked = Float32Array.from(logits);
      tournamentScheme(each.leaf(10), logits.length).mark(marked, Int32Array.of(4), options);
      marked.forEach((value, token) => {
        sums[token]!.sum += Math.exp(value);
        sums[token]!.squares += Math.exp(2 * value);
      });
    }
    sums.forEach(({ sum, squares }, token) => {
      const mean = sum / keys.length;
      const deviation = Math.sqrt((squares / keys.length - mean ** 2) / keys.length);
      expect(Math.abs(mean - shares[token]!)).toBeLessThan(4 * deviation);
    });
  });

  it('the green list lifts green tokens to the share that delta says', () => {
    const flat = new Float32Array(200);
    const [gamma, delta] = [0.25, 2];
    let green = 0;
    for (const each of keys.slice(0, 1000)) {
      const source = each.green(gamma);
      const marked = flat.slice();
      greenListScheme(source, delta, flat.length).mark(marked, Int32Array.of(3), options);
      const list = source.list(Int32Array.of(3), flat.length);
      const exponentials = marked.map(Math.exp);
      const all = exponentials.reduce((sum, value) => sum + value, 0);
      green += exponentials.reduce((sum, value, token) => sum + value * list[token]!, 0) / all;
    }
    const lifted = (gamma * Math.exp(delta)) / (gamma * Math.exp(delta) + 1 - gamma);
    expect(green / 1000).toBeCloseTo(lifted, 1);
    expect(green / 1000).toBeGreaterThan(0.65);
  });
});
