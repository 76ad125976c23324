import { describe, expect, it } from 'vitest';
import { TextDetector } from '../../../src/watermark/text/detect.ts';
import { KeyAccuser } from '../../../src/watermark/text/key-accuser.ts';
import { openTextWatermark } from '../../../src/watermark/text/watermark.ts';
import { nativeKey, nativeProfile, randomText } from './random-text.ts';

const profile = nativeProfile();
const keys = ['first', 'second', 'third'].map((name) =>
  openTextWatermark(profile, nativeKey(name)),
);
const texts = ['a', 'b', 'a'].map((seed) => randomText(seed, 120, 500, keys[1], [1, 2, 3]));

describe('the case against many keys', () => {
  const accuser = new KeyAccuser(keys);
  for (const text of texts) accuser.fold(text);
  const { accusations, someKey, ...counts } = accuser.accusations();

  it('is what a detector says of each, paid for by the number of keys', () => {
    for (const [index, watermark] of keys.entries()) {
      const detector = new TextDetector(watermark);
      for (const text of texts) detector.fold(text);
      const { mean, log10P, log10E, ...rest } = detector.detection();
      const accusation = accusations[index]!;
      expect(accusation).toMatchObject({ mean, log10P, log10E });
      expect(accusation.log10PAdjusted).toBeCloseTo(Math.min(0, log10P + Math.log10(3)), 12);
      expect(accusation.log10EAdjusted).toBeCloseTo(log10E - Math.log10(3), 12);
      expect(rest).toMatchObject(counts);
    }
    expect(accusations[1]!.log10P).toBeLessThan(-12);
  });

  it('merges e-values by their mean', () => {
    const mean = accusations.reduce((sum, { log10E }) => sum + 10 ** log10E, 0) / 3;
    expect(someKey.log10E).toBeCloseTo(Math.log10(mean), 9);
    expect(someKey.log10P).toBe(accusations[1]!.log10PAdjusted);
  });

  it('needs keys, and one profile', () => {
    const other = openTextWatermark(nativeProfile(), nativeKey('fourth'));
    for (const watermarks of [[], [...keys, other]]) {
      expect(() => new KeyAccuser(watermarks)).toThrow(
        expect.objectContaining({ code: 'INPUT_INVALID' }),
      );
    }
  });
});
