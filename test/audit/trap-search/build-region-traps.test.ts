import { beforeAll, describe, expect, it } from 'vitest';
import {
  buildRegionTraps,
  type RegionBuildOptions,
  type RegionSource,
} from '../../../src/audit/trap-search/build-region-traps.ts';
import {
  type RegionModels,
  trainRegionModels,
} from '../../../src/audit/trap-search/region-models.ts';
import { inputDigest } from '../../../src/keys/canonical-input.ts';
import { regionStatistic } from '../../../src/traps/kinds/region.ts';
import { decodeInput, trapSetSchema } from '../../../src/traps/trap-set.ts';
import { examples, labels, protectedModel, quirky } from './scene.ts';

const sameData = examples(400, 'same');
const otherData = examples(400, 'other');
const questions = examples(1000, 'questions').map(({ input }) => input);
const pool = examples(3000, 'pool').map(({ input }) => input);
const cached = new Map<string, string>();
const cache = {
  read: async (key: string) => cached.get(key),
  write: async (key: string, text: string) => {
    cached.set(key, text);
  },
};
let models: RegionModels;

const train = (signal?: AbortSignal) =>
  trainRegionModels({
    protectedModel: protectedModel(signal),
    ...{ sameData, otherData, questions, cache, referencesPerKind: 24 },
  });

async function build(
  source: RegionSource,
  changed: Partial<Pick<RegionBuildOptions, 'exclude' | 'pool' | 'count'>> = {},
) {
  const model = protectedModel();
  const built = await buildRegionTraps({
    protectedModel: model,
    ...{ models, source, pool, traffic: questions, count: 40, lotSize: 20, ...changed },
    createdAt: '2026-01-01T00:00:00.000Z',
    salt: () => '0'.repeat(32),
  });
  return { ...built, asked: model.asked.length };
}

beforeAll(async () => {
  models = await train();
}, 60_000);

describe('trainRegionModels', () => {
  it('splits references of each kind into disjoint thirds with their part of every family', () => {
    expect(new Set(models.references.map(({ name }) => name)).size).toBe(48);
    for (const kind of ['same', 'other'] as const) {
      const parts = (['select', 'calibrate', 'test'] as const).map((part) =>
        models.references.filter((each) => each.kind === kind && each.part === part),
      );
      const families = parts.map((part) => part.map(({ family }) => family).sort());
      expect(parts.map(({ length }) => length)).toEqual([8, 8, 8]);
      for (const family of ['network-64', 'network-128', 'network-24']) {
        const counts = families.map((part) => part.filter((each) => each === family).length);
        expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
      }
    }
  });

  it('trains nothing again that the cache has', async () => {
    const before = cached.size;
    expect(await train(AbortSignal.timeout(60_000))).toEqual(models);
    expect(cached.size).toBe(before);
  });

  it('says that it was interrupted', async () => {
    await expect(train(AbortSignal.abort())).rejects.toMatchObject({ code: 'INTERRUPTED' });
  });
});

describe('buildRegionTraps', () => {
  it('chooses traps of the pool that tell held-out surrogates from held-out references', async () => {
    const { set, report } = await build('pool');
    expect(trapSetSchema.safeParse(set).success).toBe(true);
    expect(set!.lots.map(({ traps }) => traps.length)).toEqual([20, 20]);
    for (const { traps, calibration } of set!.lots) {
      expect(traps.every(({ input, label }) => quirky(decodeInput(input)) === label)).toBe(true);
      expect([calibration.same.length, calibration.other.length]).toEqual([8, 8]);
      const thief = regionStatistic(
        set!.lots[0]!,
        set!.lots[0]!.traps.map(({ label }) => label),
      );
      expect(thief).toBeGreaterThan(Math.max(...calibration.same));
    }
    expect(report!.surrogateRate).toBeGreaterThan(report!.referenceRate + 0.3);
    const { same, other } = report!.references;
    const surrogates = Object.values(report!.surrogates);
    expect(set!.expected.surrogates).toBe(surrogates.length);
    expect(set!.expected.bansPerLot).toBeGreaterThan(Math.max(same.bans, other.bans) + 0.2);
  });

  it('uses no question that is excluded', async () => {
    const some = new Set(pool.slice(0, 1500).map((input) => inputDigest(input).toString('hex')));
    const { set } = await build('pool', { exclude: (digest) => some.has(digest) });
    const used = set!.lots.flatMap(({ traps }) => traps.map(({ input }) => decodeInput(input)));
    expect(used.some((input) => some.has(inputDigest(input).toString('hex')))).toBe(false);
  });

  it('finds traps at boundaries by bisection', async () => {
    const { set, report } = await build('bisection');
    expect(set).toMatchObject({ kind: 'region', source: 'bisection', labels: [...labels] });
    expect(report!.surrogateRate).toBeGreaterThan(report!.referenceRate + 0.2);
  });

  it('finds traps by gradient, and has them rated by surrogates that it did not go through', async () => {
    const { set, report } = await build('gradient', { pool: pool.slice(0, 200), count: 20 });
    expect(set).toMatchObject({ kind: 'region', source: 'gradient' });
    expect(report!.surrogateRate).toBeGreaterThan(report!.referenceRate + 0.3);
    for (const { input, label } of set!.lots[0]!.traps) {
      expect(quirky(decodeInput(input))).toBe(label);
    }
  });

  it('says why there are too few', async () => {
    const few = new Set(pool.slice(0, 30).map((input) => inputDigest(input).toString('hex')));
    const { set, why } = await build('pool', { exclude: keepsOnly(few) });
    expect(set).toBeUndefined();
    expect(why).toMatch(/Only \d+ of 30 questions tell surrogates from independent models/);
  });
});

function keepsOnly(kept: ReadonlySet<string>): (digest: string) => boolean {
  return (digest) => !kept.has(digest);
}
