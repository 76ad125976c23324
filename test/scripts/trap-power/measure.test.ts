import { expect, it } from 'vitest';
import { measureSet } from '../../../scripts/trap-power/measure.ts';
import type { Scene } from '../../../scripts/zoo/scene.ts';
import type { Truth, ZooModel } from '../../../scripts/zoo/zoo-model.ts';
import type { RegionModels } from '../../../src/audit/trap-search/region-models.ts';
import { seededRandom } from '../../../src/stats/sampling.ts';
import type { RegionTrapSet } from '../../../src/traps/kinds/region.ts';

const labels = ['a', 'b'];
const lots = 2;
const size = 25;
/** Nineteen references of each kind: the best rank of twenty has p = .05. */
const calibration = { same: new Array<number>(19).fill(10), other: new Array<number>(19).fill(12) };
const set: RegionTrapSet = {
  kind: 'region',
  protectedModel: { name: 'm', version: '1' },
  labels,
  references: { select: [], calibrate: [], test: [] },
  createdAt: '2026-01-01T00:00:00.000Z',
  source: 'pool',
  expected: { bansPerLot: 0.5, surrogates: 1, measuredOn: 'nothing' },
  stealth: { areaUnderCurve: 0.5, classifier: 'none', traps: 0, traffic: 0 },
  lots: Array.from({ length: lots }, (_, lot) => ({
    traps: Array.from({ length: size }, (_, place) => ({
      input: `trap ${lot} ${place}`,
      label: 'b',
      weight: 1,
      salt: '0'.repeat(32),
    })),
    calibration,
  })),
};
const random = seededRandom('questions');
const letters = [...'abcdefghij'];
const ordinary = Array.from({ length: 200 }, () => random.shuffle(letters).join(''));
const [traffic, pool] = [ordinary.slice(0, 120), ordinary.slice(120)];
const scene = {
  name: 'made up',
  pool,
  traffic: { inputs: traffic, labels: [] },
} as unknown as Scene;
const dimensions = 256;
/** A model that always answers `a`. */
const layers = {
  classes: 2,
  layers: [
    {
      inputs: dimensions,
      units: 4,
      weights: new Float32Array(4 * (dimensions + 1)).fill(1, -4, -3),
    },
  ],
};
/** Nineteen small and nineteen large references of each kind, none of which ever agrees. */
const models: RegionModels = {
  labels,
  features: { kind: 'text', ngrams: { dimensions, shortest: 1, longest: 2, seed: 1 } },
  references: (['same', 'other'] as const).flatMap((kind) =>
    (['network-24', 'network-64'] as const).flatMap((family) =>
      Array.from({ length: 19 }, (_, index) => ({
        ...{ name: `${kind}/${family}/${index}`, kind, family, layers },
        part: 'calibrate' as const,
      })),
    ),
  ),
  surrogates: [],
};
/** Agrees on so many traps of every lot. */
const subject = (truth: Truth, kind: string, agreed: number): ZooModel => ({
  ...{ id: `${truth} ${agreed}`, truth, kind, familiar: kind === 'network' },
  label: (inputs) => inputs.map((_, index) => (index % size < agreed ? 1 : 0)),
});

it('accuses whoever agrees on more traps than all references of both kinds, and counts it by group', () => {
  const outcome = measureSet(
    set,
    scene,
    [
      subject('same-data independent', 'network', 9),
      subject('same-data independent', 'neighbours', 20),
      subject('other-data independent', 'network', 11),
      subject('surrogate', 'labels', 13),
      subject('surrogate', 'labels', 12),
      subject('surrogate', 'nothing', 0),
    ],
    models,
  );
  const counted = (group: string) => {
    const found = outcome.independents.find((each) => each.group === group)!;
    return [found.accused, found.models];
  };
  expect(counted('same-data independents')).toEqual([1, 2]);
  expect(counted('same-data independents: families that references have')).toEqual([0, 1]);
  expect(counted('same-data independents: families that none has')).toEqual([1, 1]);
  expect(counted('other-data independents')).toEqual([0, 1]);
  expect(outcome.clones).toMatchObject({ models: 3, accused: 1, rate: 1 / 3, agreement: 1 / 3 });
  expect(outcome.surrogates.map(({ group }) => group)).toEqual(['labels', 'nothing']);
  expect(outcome).toMatchObject({ lots, traps: 50, calibration: 19 });
  expect(outcome.areaUnderCurve).toBeGreaterThan(0.9);
  expect(outcome.areaOfPool).toBeLessThan(0.8);
  const rates = { same: 1, other: 1, surrogates: expect.closeTo(2 / 3, 9) };
  expect(outcome.recalibration).toEqual({ redrawn: rates, bySize: rates });
});
