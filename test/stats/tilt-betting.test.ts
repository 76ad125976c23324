import { describe, expect, it } from 'vitest';
import { TouchmarkError } from '../../src/errors.ts';
import { clopperPearson } from '../../src/stats/bounds.ts';
import { seededRandom } from '../../src/stats/sampling.ts';
import { TiltBetting, tiltLog10E } from '../../src/stats/tilt-betting.ts';
import { bernoulliLaw, exponentialLaw, leavesLaw } from '../../src/watermark/text/laws.ts';

const laws = {
  'green list': { law: bernoulliLaw(0.25), draw: (u: number) => Number(u < 0.25) },
  Gumbel: { law: exponentialLaw(), draw: (u: number) => -Math.log1p(-u) },
  leaves: { law: leavesLaw(1), draw: (u: number) => Number(u < 0.5) },
} as const;

describe('tilt betting', () => {
  it('prices tilts of bits by the log of their expectation', () => {
    for (const share of [0.25, 0.5]) {
      for (const { slope, cost } of bernoulliLaw(share).tilts) {
        expect(Math.exp(cost)).toBeCloseTo(1 - share + share * Math.exp(slope), 12);
      }
    }
  });

  it('prices exponential tilts by the cumulant -log(1 - slope)', () => {
    for (const { slope, cost } of exponentialLaw().tilts) {
      expect(Math.exp(cost)).toBeCloseTo(1 / (1 - slope), 12);
    }
  });

  it('prices the leaves of a deeper tournament as that many layers', () => {
    const [one, thirty] = [leavesLaw(1), leavesLaw(30)];
    thirty.tilts.forEach(({ slope, cost }, index) => {
      expect(slope).toBe(one.tilts[index]!.slope);
      expect(cost).toBeCloseTo(30 * one.tilts[index]!.cost, 12);
    });
  });

  it('has the expectation 1 over all outcomes of green bits', () => {
    const { tilts } = bernoulliLaw(0.25);
    for (const count of [1, 7, 30]) {
      let expectation = 0;
      let mass = 0.75 ** count;
      for (let total = 0; total <= count; total++) {
        expectation += mass * 10 ** tiltLog10E(tilts, total, count);
        mass *= ((count - total) / (total + 1)) * (0.25 / 0.75);
      }
      expect(expectation).toBeCloseTo(1, 10);
    }
  });

  it.each(Object.entries(laws))('rarely reaches 20 at any time: %s', (name, { law, draw }) => {
    const random = seededRandom(`tilt betting ${name}`);
    const runs = 1500;
    let reached = 0;
    for (let run = 0; run < runs; run++) {
      const betting = new TiltBetting(law.tilts);
      for (let step = 0; step < 200; step++) {
        betting.fold([draw(random.uniform())]);
        if (betting.log10E < Math.log10(20)) continue;
        reached++;
        break;
      }
    }
    expect(clopperPearson(reached, runs, 0.999).lower).toBeLessThanOrEqual(0.05);
    expect(reached).toBeGreaterThan(0);
  });

  it('folds in pieces to the same value, and refuses to bet on nothing', () => {
    const { tilts } = exponentialLaw();
    const [whole, pieces] = [new TiltBetting(tilts), new TiltBetting(tilts)];
    whole.fold([0.5, 1.5, 2.5]);
    pieces.fold([0.5]);
    pieces.fold([]);
    pieces.fold([1.5, 2.5]);
    expect([pieces.total, pieces.count, pieces.log10E]).toEqual([4.5, 3, whole.log10E]);
    expect(() => new TiltBetting([])).toThrow(TouchmarkError);
  });
});
