import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../../src/stats/sampling.ts';
import {
  CarrierBank,
  type CarrierShape,
  carrierSigns,
} from '../../../src/watermark/probability/carriers.ts';
import { hashNgrams } from '../../../src/watermark/probability/features.ts';
import { keyOf } from '../fixtures.ts';

const ngrams = { dimensions: 512, shortest: 1, longest: 3, seed: 0 };
const unlaid: Omit<CarrierShape, 'layout'> = {
  classes: 5,
  markedClasses: [0, 2, 4],
  dimensions: 512,
  linear: 40,
  fourier: 24,
  bandwidth: 0.7,
};
const texts = Array.from({ length: 300 }, (_, index) => {
  const random = seededRandom(`text ${index}`);
  return Array.from({ length: 20 }, () => String.fromCharCode(97 + random.integer(26))).join('');
});

describe.each(['streamed', 'packed'] as const)('CarrierBank, %s', (layout) => {
  const shape: CarrierShape = { ...unlaid, layout };
  const bank = new CarrierBank(keyOf('bank'), shape);

  it('collapses into the explicit sum over its carriers, Fourier ones too', () => {
    const signs = carrierSigns(keyOf('signs'), bank.count);
    const modulate = bank.modulate(signs);
    for (const text of texts.slice(0, 20)) {
      const features = hashNgrams(text, ngrams);
      const psi = bank.evaluate(features);
      const shift = modulate(features);
      for (let k = 0; k < shape.classes; k += 1) {
        let sum = 0;
        for (let j = 0; j < bank.count; j += 1) {
          sum += signs[j]! * psi[j]! * bank.directions[j * shape.classes + k]!;
        }
        expect(shift[k]).toBeCloseTo(sum / Math.sqrt(bank.count), 5);
      }
    }
  });

  it('collapses with a centre too, which takes away what the linear carriers say of it', () => {
    const dense = Array.from({ length: shape.dimensions }, (_, index) => (index % 7) / 100);
    const centred = new CarrierBank(keyOf('bank'), { ...shape, centre: dense });
    const signs = carrierSigns(keyOf('signs'), bank.count);
    const features = hashNgrams('a question', ngrams);
    const centre = {
      indices: Uint32Array.from(dense.keys()),
      values: Float32Array.from(dense),
    };
    const [psi, plain, middle] = [
      centred.evaluate(features),
      bank.evaluate(features),
      bank.evaluate(centre),
    ];
    psi.forEach((value, j) => {
      expect(value).toBeCloseTo(j < shape.linear ? plain[j]! - middle[j]! : plain[j]!, 5);
    });
    centred
      .modulate(signs)(features)
      .forEach((value, k) => {
        let sum = 0;
        for (let j = 0; j < psi.length; j += 1) {
          sum += signs[j]! * psi[j]! * bank.directions[j * shape.classes + k]!;
        }
        expect(value).toBeCloseTo(sum / Math.sqrt(psi.length), 5);
      });
  });

  it('has zero-mean directions of unit mean square on the marked classes alone', () => {
    for (let j = 0; j < bank.count; j += 1) {
      const row = bank.directions.subarray(j * shape.classes, (j + 1) * shape.classes);
      expect(row.reduce((sum, value) => sum + value, 0)).toBeCloseTo(0, 5);
      expect(row.reduce((sum, value) => sum + value * value, 0)).toBeCloseTo(shape.classes, 4);
      expect([row[1], row[3]]).toEqual([0, 0]);
    }
  });

  it('has carriers of about unit mean square over keys, and Fourier ones within their bound', () => {
    let linear = 0;
    let fourier = 0;
    for (const text of texts) {
      const psi = bank.evaluate(hashNgrams(text, ngrams));
      psi.forEach((value, j) => {
        if (j < shape.linear) linear += value * value;
        else {
          fourier += value * value;
          expect(Math.abs(value)).toBeLessThanOrEqual(Math.SQRT2);
        }
      });
    }
    expect(linear / (texts.length * shape.linear)).toBeCloseTo(1, 0);
    expect(fourier / (texts.length * shape.fourier)).toBeCloseTo(1, 0);
  });

  it('is another bank under another key, and the same under the same', () => {
    const features = hashNgrams('some text', ngrams);
    const same = new CarrierBank(keyOf('bank'), shape).evaluate(features);
    expect(same).toEqual(bank.evaluate(features));
    expect(new CarrierBank(keyOf('other'), shape).evaluate(features)).not.toEqual(same);
  });

  it('refuses a single marked class and no carriers', () => {
    const key = keyOf('bank');
    expect(() => new CarrierBank(key, { ...shape, markedClasses: [1] })).toThrow(/got 1 and 64/);
    expect(() => new CarrierBank(key, { ...shape, linear: 0, fourier: 0 })).toThrow(/got 3 and 0/);
  });
});

describe('carrierSigns', () => {
  it('are fair over keys', () => {
    let sum = 0;
    for (let key = 0; key < 200; key += 1) {
      for (const sign of carrierSigns(keyOf(`key ${key}`), 256)) sum += sign;
    }
    expect(Math.abs(sum) / Math.sqrt(200 * 256)).toBeLessThan(4);
  });
});
