import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  ClassifierMarker,
  deriveModulation,
  markerBytes,
} from '../../src/watermark/classifier-marker.ts';
import type { ClassifierProfile } from '../../src/watermark/classifier-profile.ts';
import {
  servingFloor,
  toDistribution,
  topTwo,
  totalVariation,
} from '../../src/watermark/probability/distribution.ts';
import vectors from '../vectors/classifier-marks.json' with { type: 'json' };
import { keyOf, textProfile } from './fixtures.ts';

const profile = textProfile();
const marker = new ClassifierMarker(keyOf('epoch'), profile);

const question = fc.tuple(
  fc.string({ unit: 'grapheme', maxLength: 30 }),
  fc
    .array(fc.oneof(fc.constantFrom(0, 0.5, 1), fc.double({ min: 0, max: 1, noNaN: true })), {
      minLength: 4,
      maxLength: 4,
    })
    .filter((row) => row.some((value) => value > 1e-6))
    .map((row) => {
      const sum = row.reduce((total, value) => total + value, 0);
      return toDistribution(
        row.map((value) => value / sum),
        servingFloor,
      );
    }),
);

describe('ClassifierMarker', () => {
  it('serves a label that is the arg-max of what it serves, chosen within the best pair', () => {
    fc.assert(
      fc.property(question, ([text, clean]) => {
        const { served, label, marks } = marker.mark(text, clean);
        const [top, second] = topTwo(clean);
        expect(served[label]).toBe(Math.max(...served));
        expect(served.reduce((sum, p) => sum + p, 0)).toBeCloseTo(1, 12);
        const eligible = clean[top]! - clean[second]! < profile.marginThreshold;
        expect(marks.coin !== undefined).toBe(eligible);
        expect(label).toBe(marks.coin?.outcome === 1 ? second : top);
      }),
      { numRuns: 2000 },
    );
  });

  it('keeps the arg-max of the clean answer in the probability layers', () => {
    fc.assert(
      fc.property(question, ([text, clean]) => {
        expect(topTwo(marker.markProbabilities(text, clean))[0]).toBe(topTwo(clean)[0]);
      }),
      { numRuns: 2000 },
    );
  });

  it('gives one canonical question one answer, also from another process’s marker', () => {
    const clean = Float64Array.of(0.4, 0.35, 0.2, 0.05);
    const again = new ClassifierMarker(
      keyOf('epoch'),
      profile,
      deriveModulation(keyOf('epoch'), profile),
    );
    const answer = marker.mark('Où çà ?', clean);
    expect(again.mark('Où çà ?'.normalize('NFD'), clean)).toEqual(answer);
  });

  it('marks differently under another key and for another question', () => {
    const clean = Float64Array.of(0.7, 0.15, 0.1, 0.05);
    const served = marker.mark('text', clean).served;
    expect(totalVariation(clean, served)).toBeGreaterThan(0.001);
    const other = new ClassifierMarker(keyOf('other'), profile);
    expect(other.mark('text', clean).served).not.toEqual(served);
    expect(marker.mark('text!', clean).served).not.toEqual(served);
  });

  it('refuses an input of another kind', () => {
    const tensor = { shape: [1], data: Float32Array.of(1) };
    expect(() => marker.mark(tensor, Float64Array.of(0.7, 0.1, 0.1, 0.1))).toThrow(
      /a tensor where the watermark reads text/,
    );
  });

  it.each([
    ['one marked class', { markedClasses: [1] }, /needs 2 marked classes/],
    ['no carriers', { linearCarriers: 0, fourierCarriers: 0 }, /got 3 and 0/],
    ['a version to come', { schema: 'touchmark/classifier-profile@3' }, /@3"; this .* reads .*@2/],
  ])('refuses a profile with %s before it marks anything', (_, change, message) => {
    const odd = { ...profile, ...change } as ClassifierProfile;
    expect(() => new ClassifierMarker(keyOf('epoch'), odd)).toThrow(message);
  });
});

describe('markerBytes', () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const held = () => {
    collect();
    collect();
    const { external, heapUsed } = process.memoryUsage();
    return external + heapUsed;
  };
  const wide = textProfile({
    labels: Array.from({ length: 24 }, (_, k) => `label ${k}`),
    markedClasses: Array.from({ length: 12 }, (_, k) => 2 * k),
    linearCarriers: 256,
    fourierCarriers: 0,
  });

  it.each([
    ['linear carriers', wide, 100],
    ['Fourier carriers', { ...wide, fourierCarriers: 64 }, 50],
    ['a profile @1', { ...wide, schema: 'touchmark/classifier-profile@1' as const }, 20],
  ])('is what markers hold: %s', (_, sealed, count) => {
    const clean = new Float64Array(24).fill(1 / 24);
    const before = held();
    const markers = Array.from({ length: count }, (__, tenant) => {
      const made = new ClassifierMarker(keyOf(`tenant ${tenant}`), sealed);
      made.mark('a question', clean);
      return made;
    });
    const each = (held() - before) / markers.length;
    expect(each / markerBytes(sealed)).toBeGreaterThan(2 / 3);
    expect(each / markerBytes(sealed)).toBeLessThan(4 / 3);
  });

  it('is under 30,000 for a tenant of 24 classes and 256 linear carriers', () => {
    expect(markerBytes(wide)).toBeLessThan(30_000);
  });
});

describe.each([
  'touchmark/classifier-profile@1',
  'touchmark/classifier-profile@2',
] as const)('the frozen answers of %s', (schema) => {
  const epochKey = Buffer.from(vectors.epochKey, 'hex');
  it.each(
    vectors.answers.filter((answer) => answer.schema === schema),
  )('are served: $kind $input, $clean.0', ({ kind, input, clean, served, label, coin }) => {
    const frozen = vectors.profiles[kind as 'text' | 'tensor'];
    const answer = new ClassifierMarker(epochKey, {
      ...(frozen as Omit<ClassifierProfile, 'schema'>),
      schema,
    }).mark(
      typeof input === 'string' ? input : { shape: [20], data: Float32Array.from(input) },
      Float64Array.from(clean),
    );
    expect(answer.label).toBe(label);
    expect(answer.marks.coin?.outcome ?? null).toBe(coin);
    answer.served.forEach((value, k) => {
      expect(value).toBeCloseTo(served[k]!, 12);
    });
  });
});
