import { describe, expect, it } from 'vitest';
import { type LoggedInput, thinCoins } from '../../../src/models/training/coin-thinning.ts';
import { measureStealth } from '../../../src/models/training/stealth.ts';
import { seededRandom } from '../../../src/stats/sampling.ts';
import type { FeatureMap } from '../../../src/watermark/classifier-profile.ts';
import { keyOf } from '../../watermark/fixtures.ts';

const features: FeatureMap = {
  kind: 'text',
  ngrams: { dimensions: 256, shortest: 1, longest: 2, seed: 0 },
};
const threshold = 0.1;
const options = { key: keyOf('lots'), after: -1, features, classes: 3, threshold };

/** The smaller the margin, the likelier is an x, up to `tell`; every eighth question has a coin. */
function log(count: number, tell: number): LoggedInput[] {
  const random = seededRandom('log');
  const letters = () => Array.from({ length: 10 }, () => 'abcdefgh'[random.integer(8)]!).join('');
  return Array.from({ length: count }, (_, sequence) => {
    const margin = sequence % 8 === 7 ? 0.05 : threshold + random.uniform();
    const chance = 0.1 + (tell - 0.1) * Math.max(0, 1 - margin / 0.6);
    const input = letters();
    return {
      sequence,
      input: random.uniform() < chance ? `x${input.slice(1)}` : input,
      margin,
      pair: [random.integer(2), 2] as const,
    };
  });
}

const kept = (questions: readonly LoggedInput[], changes: object = {}) =>
  thinCoins(questions, { ...options, ...changes })
    .coins.filter(({ isKept }) => isKept)
    .map(({ sequence }) => sequence);

describe('thinCoins', () => {
  it('makes coins that stand out look like the others, and keeps those that do not', () => {
    const questions = log(1600, 0.8);
    const inputs = (sequences: readonly number[]) =>
      sequences.map((sequence) => questions[sequence]!.input);
    const traffic = questions.filter(({ margin }) => margin >= threshold);
    const area = (sequences: readonly number[]) =>
      measureStealth(
        inputs(sequences),
        traffic.map(({ input }) => input),
        { features },
      ).areaUnderCurve!;
    const all = questions.filter(({ margin }) => margin < threshold);
    const thinned = kept(questions);
    expect(area(all.map(({ sequence }) => sequence))).toBeGreaterThan(0.7);
    expect(area(thinned)).toBeLessThan(0.65);
    expect(thinned.length).toBeGreaterThan(40);
    expect(thinned.length).toBeLessThan(150);
  });

  it('keeps no coin among the first sixteen, and nearly all where nothing stands out', () => {
    const { coins, learntFrom } = thinCoins(log(800, 0.1), options);
    expect(learntFrom).toBe(16);
    expect(coins.slice(0, 16).some(({ isKept }) => isKept)).toBe(false);
    expect(coins.filter(({ isKept }) => isKept).length).toBeGreaterThan(30);
  });

  it('decides on a coin by what came before it: later questions change nothing', () => {
    const questions = log(500, 0.7);
    const others = log(500, 0).map(({ sequence, ...rest }) => ({
      ...rest,
      sequence,
      input: `yyy${sequence}`,
    }));
    const early = kept(questions).filter((sequence) => sequence < 300);
    expect(early.length).toBeGreaterThan(3);
    const changed = [...questions.slice(0, 300), ...others.slice(300)];
    expect(kept(changed).filter((sequence) => sequence < 300)).toEqual(early);
    const earlier = [...others.slice(0, 120), ...questions.slice(120)];
    expect(kept(earlier).filter((sequence) => sequence < 300)).not.toEqual(early);
  });

  it('decides the same when only what follows an earlier set is asked for', () => {
    const questions = log(500, 0.7);
    const rest = kept(questions).filter((sequence) => sequence > 250);
    expect(kept(questions, { after: 250 })).toEqual(rest);
  });

  it('draws by the key, and keeps every coin where any area will do', () => {
    const questions = log(500, 0.7);
    expect(kept(questions, { key: keyOf('another') })).not.toEqual(kept(questions));
    const { coins, learntFrom } = thinCoins(questions, { ...options, largestArea: 1 });
    expect(coins.every(({ isKept }) => isKept)).toBe(true);
    expect([coins.length, learntFrom]).toEqual([62, 0]);
  });
});
