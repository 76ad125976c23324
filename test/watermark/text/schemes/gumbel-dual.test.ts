import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../../../src/stats/sampling.ts';
import { mixedExponentialLaw } from '../../../../src/watermark/text/schemes/gumbel-dual.ts';
import { openTextWatermark } from '../../../../src/watermark/text/watermark.ts';
import { stackProfile, vllmKey } from '../prfs/stacks.ts';

const profile = stackProfile(
  { name: 'vllm-philox', contextWidth: 2, keys: 'dual', alpha: 0.3 },
  { name: 'gumbel' },
  'mark',
  200,
);
const { scheme } = openTextWatermark(profile, vllmKey('99'));
const context = Int32Array.of(4, 5);

describe('Gumbel-max under two keys', () => {
  it('leaves the two keys their tokens, with the shares of the keys', () => {
    const random = seededRandom('dual');
    const alone = [0.001, 0.999].map((alpha) => {
      const prf = { name: 'vllm-philox', contextWidth: 2, keys: 'dual', alpha } as const;
      const other = stackProfile(prf, { name: 'gumbel' }, 'mark', 200);
      return openTextWatermark(other, vllmKey('99')).scheme;
    });
    let together = 0;
    for (let trial = 0; trial < 60; trial++) {
      const logits = Float32Array.from({ length: 200 }, () => 3 * random.normal());
      const marked = logits.slice();
      scheme.mark(marked, context, { promptLength: 0 });
      const possible = [...marked.keys()].filter((token) => marked[token]! > -Infinity);
      const winners = alone.map((each) => {
        const copy = logits.slice();
        each.mark(copy, context, { promptLength: 0 });
        return copy.indexOf(copy.reduce((most, logit) => Math.max(most, logit)));
      });
      expect(new Set(possible)).toEqual(new Set(winners));
      if (possible.length === 1) {
        expect(marked[possible[0]!]).toBe(0);
        together++;
        continue;
      }
      expect(Math.exp(marked[winners[0]!]!)).toBeCloseTo(0.7, 6);
      expect(Math.exp(marked[winners[1]!]!)).toBeCloseTo(0.3, 6);
      const order = Int32Array.from({ length: 200 }, (_, index) => (37 * index) % 200);
      const candidates = { tokens: order, logits: Float32Array.from(order, (at) => logits[at]!) };
      scheme.markCandidates(candidates, context, { promptLength: 0 });
      expect([...candidates.logits]).toEqual([...order].map((token) => marked[token]!));
    }
    expect(together).toBeLessThan(60);
  });

  it('leaves logits alone of which none is possible', () => {
    const logits = new Float32Array(200).fill(-Infinity);
    scheme.mark(logits, context, { promptLength: 0 });
    expect(logits.every((logit) => logit === -Infinity)).toBe(true);
  });

  it('bets at fair odds: the costs are the logarithms of the mean gains', () => {
    for (const alpha of [0.1, 0.5, 0.8]) {
      const law = mixedExponentialLaw(alpha);
      for (const { slope, cost } of law.tilts) {
        expect(slope * Math.max(alpha, 1 - alpha)).toBeLessThan(1);
        const mean = meanOf((x) => Math.exp(slope * (1 - alpha) * x), slope * (1 - alpha));
        const other = meanOf((x) => Math.exp(slope * alpha * x), slope * alpha);
        expect(Math.log(mean * other)).toBeCloseTo(cost, 6);
      }
      expect(law.log10UpperTail(0, 0)).toBe(0);
    }
  });
});

/** The mean of a function of a standard exponential number, by Simpson's rule. */
function meanOf(value: (x: number) => number, slope: number): number {
  const end = 40 / (1 - slope);
  const steps = 20000;
  const width = end / steps;
  let sum = 0;
  for (let step = 0; step <= steps; step++) {
    const weight = step === 0 || step === steps ? 1 : step % 2 === 1 ? 4 : 2;
    sum += weight * value(step * width) * Math.exp(-step * width);
  }
  return (sum * width) / 3;
}
