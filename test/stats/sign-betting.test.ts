import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TouchmarkError } from '../../src/errors.ts';
import { clopperPearson } from '../../src/stats/bounds.ts';
import { seededRandom } from '../../src/stats/sampling.ts';
import { SignBetting, signMixtureLog10E } from '../../src/stats/sign-betting.ts';
import { log10WeightedSignUpperTail } from '../../src/stats/tails/weighted-signs.ts';

const score = fc.double({ min: -1e3, max: 1e3, noNaN: true });
const scores = fc.array(score, { minLength: 1, maxLength: 10 });

function* signPatterns(count: number): Generator<number[]> {
  for (let pattern = 0; pattern < 2 ** count; pattern++) {
    yield Array.from({ length: count }, (_, index) => ((pattern >> index) & 1 ? 1 : -1));
  }
}

describe('signMixtureLog10E', () => {
  it('has the expectation 1 over all signs, whatever the scores', () => {
    fc.assert(
      fc.property(scores, (values) => {
        let sum = 0;
        for (const signs of signPatterns(values.length)) {
          sum += 10 ** signMixtureLog10E(values, signs);
        }
        expect(sum / 2 ** values.length).toBeCloseTo(1, 11);
      }),
    );
  });

  it('depends neither on the unit of the scores nor on overflow', () => {
    const random = seededRandom('scale');
    const values = Array.from({ length: 256 }, () => random.normal());
    const signs = values.map((value) => (random.uniform() < 0.8 ? Math.sign(value) : 1));
    const expected = signMixtureLog10E(values, signs);
    expect(expected).toBeGreaterThan(10);
    for (const unit of [1e-300, 1e-12, 1e100, 1e300]) {
      const scaled = values.map((value) => value * unit);
      expect(signMixtureLog10E(scaled, signs)).toBeCloseTo(expected, 8);
    }
  });

  it('loses at most 2.5 bans against the exact tail', () => {
    const random = seededRandom('power');
    for (const share of [0.6, 0.75, 0.85]) {
      const values = Array.from({ length: 200 }, () => Math.abs(random.normal()));
      const signs = values.map(() => (random.uniform() < share ? 1 : -1));
      const sum = values.reduce((total, value, index) => total + value * signs[index]!, 0);
      const bans = -log10WeightedSignUpperTail(values, sum).log10P;
      expect(signMixtureLog10E(values, signs)).toBeLessThan(bans);
      expect(signMixtureLog10E(values, signs)).toBeGreaterThan(bans - 2.5);
    }
  });

  it('is 0 without any score and refuses what is no sign or score', () => {
    expect(signMixtureLog10E([0, 0], [1, -1])).toBe(0);
    expect(signMixtureLog10E([], [])).toBe(0);
    expect(() => signMixtureLog10E([1, Number.NaN], [1, 1])).toThrow(/record 1 .* NaN/);
    expect(() => signMixtureLog10E([1, Infinity], [1, 1])).toThrow(TouchmarkError);
    expect(() => signMixtureLog10E([1], [0])).toThrow(TouchmarkError);
    expect(() => signMixtureLog10E([1, 2], [1])).toThrow(/2 scores but 1 signs/);
  });
});

describe('SignBetting', () => {
  it('has the expectation 1 over all signs when each score follows from the past', () => {
    for (const scale of [0.1, 1, 30]) {
      let sum = 0;
      for (const signs of signPatterns(12)) {
        const betting = new SignBetting(scale);
        let past = 1;
        for (const sign of signs) {
          betting.fold(sign, past);
          past = sign > 0 ? past * 1.7 : 1 - past;
        }
        sum += 10 ** betting.log10E;
      }
      expect(sum / 2 ** 12).toBeCloseTo(1, 11);
    }
  });

  it('has the expectation 1 when it stops as soon as it is ahead', () => {
    let sum = 0;
    for (const signs of signPatterns(12)) {
      const betting = new SignBetting(1);
      for (const sign of signs) {
        betting.fold(sign, 1.3);
        if (betting.log10E > 0.3) break;
      }
      sum += 10 ** betting.log10E;
    }
    expect(sum / 2 ** 12).toBeCloseTo(1, 11);
  });

  it.each([
    ['weak over many', 5000, 0.12, 0.35],
    ['middling', 1000, 0.4, 0.15],
    ['strong over few', 100, 1.2, 0.25],
  ])('loses little against the best fixed bet: %s', (_, count, effect, loss) => {
    const random = seededRandom(`effect ${effect}`);
    const betting = new SignBetting(1);
    let best = 0;
    const products = Array.from({ length: count }, () => effect + random.normal());
    for (const product of products) betting.fold(Math.sign(product) || 1, Math.abs(product));
    for (let lambda = 0.01; lambda < 8; lambda *= 1.05) {
      const logs = products.map((x) => lambda * x - Math.log(Math.cosh(lambda * x)));
      best = Math.max(best, logs.reduce((sum, value) => sum + value, 0) / Math.LN10);
    }
    expect(best).toBeGreaterThan(5);
    expect(betting.log10E).toBeGreaterThan((1 - loss) * best);
    expect(betting.trials).toBe(count);
  });

  it('reaches 20 at any time with probability at most .05 under the null', () => {
    const random = seededRandom('fair signs');
    const runs = 1000;
    let reached = 0;
    for (let run = 0; run < runs; run++) {
      const betting = new SignBetting(1);
      for (let trial = 0; trial < 300; trial++) {
        betting.fold(random.uniform() < 0.5 ? 1 : -1, random.normal());
        if (betting.log10E < Math.log10(20)) continue;
        reached++;
        break;
      }
    }
    expect(clopperPearson(reached, runs, 0.999).lower).toBeLessThanOrEqual(0.05);
    expect(reached).toBeGreaterThan(0);
  });

  it('refuses a scale, sign or score that is none', () => {
    for (const scale of [0, -1, Number.NaN, Infinity]) {
      expect(() => new SignBetting(scale)).toThrow(TouchmarkError);
    }
    const betting = new SignBetting(1);
    expect(() => betting.fold(0, 1)).toThrow(TouchmarkError);
    expect(() => betting.fold(1, Number.NaN)).toThrow(TouchmarkError);
    expect([betting.trials, betting.log10E]).toEqual([0, 0]);
    betting.fold(-1, 1e308);
    expect(betting.log10E).toBeLessThan(-1e300);
    betting.fold(1, -1e-320);
    expect(betting.trials).toBe(2);
  });
});
