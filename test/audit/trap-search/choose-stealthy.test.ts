import { describe, expect, it } from 'vitest';
import type { RatedQuestion } from '../../../src/audit/trap-search/candidates.ts';
import {
  chooseStealthy,
  looksLikeTraffic,
} from '../../../src/audit/trap-search/choose-stealthy.ts';
import type { TensorInput } from '../../../src/contracts.ts';
import { searchFeatures } from '../../../src/models/training/search-features.ts';
import { seededRandom } from '../../../src/stats/sampling.ts';

const random = seededRandom('stealth');
const tensor = (shift: number): TensorInput => ({
  shape: [6],
  data: Float32Array.from({ length: 6 }, (_, at) => random.normal() + (at === 0 ? shift : 0)),
});
const traffic = Array.from({ length: 800 }, () => tensor(0));

/** Candidates of which the better ones are the more conspicuous. */
const rated = Array.from({ length: 1500 }, (_, candidate): RatedQuestion => {
  const input = tensor(2 - candidate / 500);
  const rating = {
    candidate,
    surrogateRate: 0.9,
    referenceRate: 0.1,
    divergence: 1500 - candidate,
  };
  return { input, label: 'a', rating: { ...rating, weight: 1 } };
});
const options = {
  ...{ count: 100, least: 50, traffic, features: searchFeatures(traffic), seed: 'a' },
  progress: () => undefined,
};

describe('chooseStealthy', () => {
  it('gives up the best candidates for good ones that look like traffic', () => {
    const { chosen, stealth, areaOfBest } = chooseStealthy(rated, options);
    expect(areaOfBest).toBeGreaterThan(0.85);
    expect(stealth.areaUnderCurve).toBeLessThanOrEqual(0.6);
    expect(looksLikeTraffic(stealth)).toBe(true);
    expect(chosen.length).toBeGreaterThanOrEqual(80);
    const places = chosen.map(({ rating }) => rating.candidate);
    expect(places).toEqual([...places].sort((left, right) => left - right));
    expect(places.reduce((sum, place) => sum + place, 0) / places.length).toBeLessThan(600);
  });

  it('takes the best as they are where nobody can tell them', () => {
    const plain = rated.map((each) => ({ ...each, input: tensor(0) }));
    const { chosen } = chooseStealthy(plain, options);
    expect(chosen).toEqual(plain.slice(0, 100));
  });

  it('says that it could not where all candidates are conspicuous', () => {
    const loud = rated.map((each) => ({ ...each, input: tensor(4) }));
    const { stealth } = chooseStealthy(loud, options);
    expect(looksLikeTraffic(stealth)).toBe(false);
  });
});
