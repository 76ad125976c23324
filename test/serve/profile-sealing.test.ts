import { beforeAll, describe, expect, it } from 'vitest';
import type { Classifier, Input, TensorInput } from '../../src/contracts.ts';
import { type SealingOptions, sealProfile } from '../../src/serve/profile-sealing.ts';
import { seededRandom } from '../../src/stats/sampling.ts';
import { ClassifierMarker } from '../../src/watermark/classifier-marker.ts';
import type { ClassifierProfile } from '../../src/watermark/classifier-profile.ts';
import {
  servingFloor,
  softmax,
  toDistribution,
  topTwo,
  totalVariation,
} from '../../src/watermark/probability/distribution.ts';
import { labels, ngramModel, sentences } from '../operations/audit-scene.ts';
import { keyOf } from '../watermark/fixtures.ts';

type Model = (input: Input) => ArrayLike<number>;

const model: Model = (input) => ngram(String(input));
const ngram = ngramModel();
const classifierOf = (answer: Model): Classifier => ({
  describe: async () => ({ name: 'model', gives: ['labels', 'probabilities'] }),
  classify: async (inputs) =>
    inputs.map((input) => ({
      answer: { label: 'any', probabilities: Array.from(answer(input)) },
    })),
});

const seal = (
  inputs: readonly Input[],
  targets: Partial<SealingOptions['targets']> = {},
  answer = model,
) =>
  sealProfile({
    classifier: classifierOf(answer),
    labels,
    inputs,
    freshInputs: [],
    targets: {
      totalVariation: 0.03,
      perQueryStrength: 0.1,
      coinShare: 0.025,
      linearCarriers: 64,
      fourierCarriers: 0,
      ...targets,
    },
    signal: new AbortController().signal,
  });

/** What a profile does to held-out inputs under fresh keys. */
function measure(profile: ClassifierProfile, inputs: readonly Input[], answer = model) {
  const clean = inputs.map((input) => toDistribution(answer(input), servingFloor));
  const costs: number[] = [];
  let [coins, moved] = [0, 0];
  for (let key = 0; key < 6; key += 1) {
    const marker = new ClassifierMarker(keyOf(`fresh ${key}`), profile);
    const marked = inputs.map((input, index) => marker.mark(input, clean[index]!));
    const distances = marked.map(({ served }, index) => totalVariation(served, clean[index]!));
    costs.push(distances.reduce((sum, each) => sum + each, 0) / inputs.length);
    coins += marked.filter(({ marks }) => marks.coin !== undefined).length;
    moved += inputs.filter((input, index) => {
      const served = marker.markProbabilities(input, clean[index]!);
      return topTwo(served)[0] !== topTwo(clean[index]!)[0];
    }).length;
  }
  return { costs, coinShare: coins / (6 * inputs.length), moved };
}

describe('a profile sealed on texts', () => {
  const held = sentences(800, 'held out');
  let profile: ClassifierProfile;
  beforeAll(async () => {
    profile = await seal(sentences(1500, 'own'));
  });

  it('costs what the owner allows on held-out inputs, whatever the key', () => {
    const { costs, moved } = measure(profile, held);
    for (const cost of costs) expect(cost).toBeLessThanOrEqual(0.03 * 1.1);
    expect(costs.reduce((sum, cost) => sum + cost, 0) / costs.length).toBeGreaterThan(0.03 * 0.75);
    expect(moved).toBe(0);
  });

  it('lets coins fall on the share of traffic that was asked for', () => {
    const { coinShare } = measure(profile, held);
    expect(coinShare).toBeGreaterThan(0.012);
    expect(coinShare).toBeLessThan(0.045);
  });

  it('seals the same profile from the same measurements', async () => {
    expect(await seal(sentences(1500, 'own'))).toEqual(profile);
  });

  it('seals no coin and no per-query layer where the owner wants none', async () => {
    for (const inputs of [sentences(300, 'own'), []]) {
      const bare = await seal(inputs, { coinShare: 0, perQueryStrength: 0 });
      expect(bare).toMatchObject({ marginThreshold: 0, perQueryStrength: 0 });
      expect(bare.smoothStrength).toBeGreaterThan(0.05);
      expect(measure(bare, held.slice(0, 100))).toMatchObject({ coinShare: 0, moved: 0 });
    }
  });

  it('is modest where there is nothing to measure on', async () => {
    const { costs, moved } = measure(await seal([]), held);
    for (const cost of costs) expect(cost).toBeLessThan(0.1);
    expect(moved).toBe(0);
  });

  it('marks nothing where the coins alone spend what the owner allows', async () => {
    const spent = await seal(sentences(400, 'own'), { totalVariation: 1e-5 });
    expect(spent.smoothStrength + spent.perQueryStrength).toBeLessThan(0.01);
  });
});

describe('a profile sealed on tensors', () => {
  const random = seededRandom('tensors');
  const weights = Array.from({ length: 8 * labels.length }, () => random.normal());
  const tensors = (count: number, shape: readonly number[] = [2, 4]): TensorInput[] =>
    Array.from({ length: count }, () => ({
      shape,
      data: Float32Array.from({ length: 8 }, (_, k) => 100 * k + (k + 1) * random.normal()),
    }));
  const linear: Model = (input) => {
    if (typeof input === 'string') throw new TypeError('a text');
    const scaled = Array.from(input.data, (value, k) => (value - 100 * k) / (k + 1));
    const logits = labels.map((_, label) =>
      scaled.reduce((sum, value, k) => sum + value * weights[8 * label + k]!, 0),
    );
    return softmax(Float64Array.from(logits));
  };

  it.each([
    ['linear', { linearCarriers: 64 }],
    ['Fourier', { linearCarriers: 0, fourierCarriers: 64 }],
  ])('costs over keys what the owner allows, with %s carriers, one key at most 1.4 of it', async (_, carriers) => {
    const profile = await seal(tensors(600), carriers, linear);
    const { costs, moved } = measure(profile, tensors(400), linear);
    for (const cost of costs) expect(cost).toBeLessThanOrEqual(0.03 * 1.4);
    const mean = costs.reduce((sum, cost) => sum + cost, 0) / costs.length;
    expect(mean).toBeLessThanOrEqual(0.03 * 1.1);
    expect(mean).toBeGreaterThan(0.03 * 0.75);
    expect(moved).toBe(0);
  });

  it('standardises by the owner’s inputs', async () => {
    const { features } = await seal(tensors(600), {}, linear);
    if (features.kind !== 'tensor') throw new TypeError(features.kind);
    expect(features.shape).toEqual([2, 4]);
    features.mean.forEach((mean, k) => {
      expect(Math.abs(mean - 100 * k) / (k + 1)).toBeLessThan(0.2);
      expect(features.deviation[k]! / (k + 1)).toBeCloseTo(1, 0);
    });
  });

  it('refuses inputs of more than one kind or size', async () => {
    const uneven = [...tensors(3), { shape: [1], data: Float32Array.of(1) }];
    const failure = { code: 'INPUT_INVALID', message: expect.stringContaining('input 3 differs') };
    const any: Model = () => labels.map(() => 1 / labels.length);
    await expect(seal(uneven, {}, any)).rejects.toMatchObject(failure);
    await expect(seal([...tensors(3), 'text'], {}, any)).rejects.toMatchObject(failure);
  });
});

it('says what is wrong with a model that gives no distribution', async () => {
  const wrong: Model = () => labels.map(() => 0.5);
  await expect(seal(['text'], {}, wrong)).rejects.toMatchObject({
    code: 'UPSTREAM_ANSWER_INVALID',
    message: 'the protected model: the probabilities sum to 3, not to 1',
  });
});
