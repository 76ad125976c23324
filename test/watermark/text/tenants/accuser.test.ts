import { describe, expect, it } from 'vitest';
import { variedSource } from '../../../../scripts/calibrate/text-source.ts';
import { log10BinomialUpperTail } from '../../../../src/stats/tails/binomial.ts';
import { accuse, TenantAccuser } from '../../../../src/watermark/text/tenants/accuser.ts';
import { CommonDetector } from '../../../../src/watermark/text/tenants/common-detector.ts';
import { keyOf } from '../../fixtures.ts';
import { answerOf, tenantProfile } from './fixtures.ts';

const profile = tenantProfile({ common: 4, code: 4, own: 8 });
const commonKey = keyOf('common');
const texts = [5, 8].map((index) => answerOf(profile, commonKey, index, variedSource, 500));
const candidates = [5, 6, 7, 8].map((index) => ({
  tenant: `tenant ${index}`,
  ownKey: keyOf(`own ${index}`),
}));

describe('an accusation', () => {
  const result = accuse(profile, commonKey, texts, candidates);

  it('finds the tenants whose own marks are there, and no others', () => {
    expect(result.texts).toBe(2);
    const [five, six, seven, eight] = result.accusations;
    for (const guilty of [five!, eight!]) {
      expect(guilty.log10PAdjusted).toBeLessThan(-10);
      expect(guilty.log10EAdjusted).toBeGreaterThan(8);
    }
    for (const innocent of [six!, seven!]) {
      expect(innocent.log10PAdjusted).toBeGreaterThan(-3);
      expect(innocent.log10EAdjusted).toBeLessThan(2);
    }
  });

  it('reads the own layer only: about half of the contexts', () => {
    const { scored, skipped } = result;
    expect(Math.abs(scored / 1000 - 0.5)).toBeLessThan(0.1);
    expect(skipped['other layer']! + scored + skipped['context too short']!).toBeLessThanOrEqual(
      1000,
    );
  });

  it('pays for the number of candidates, by weights that sum to 1', () => {
    for (const {
      weight,
      log10P,
      log10E,
      log10PAdjusted,
      log10EAdjusted,
      mean,
    } of result.accusations) {
      expect(weight).toBe(0.25);
      expect(log10PAdjusted).toBeCloseTo(Math.min(0, log10P + Math.log10(4)), 12);
      expect(log10EAdjusted).toBeCloseTo(log10E - Math.log10(4), 12);
      expect(log10P).toBe(
        log10BinomialUpperTail(Math.round(mean * result.scored), result.scored, 0.5),
      );
    }
    const mean = result.accusations.reduce((sum, { log10E }) => sum + 10 ** log10E / 4, 0);
    expect(result.someTenant.log10E).toBeCloseTo(Math.log10(mean), 9);
    const weighted = accuse(
      profile,
      commonKey,
      texts,
      candidates
        .slice(0, 2)
        .map((candidate, index) => ({ ...candidate, weight: [0.9, 0.1][index]! })),
    );
    expect(weighted.accusations.map(({ weight }) => weight)).toEqual([0.9, 0.1]);
  });

  it.each([
    ['no candidates', []],
    ['a name twice', [candidates[0]!, candidates[0]!]],
    ['some weights only', [{ ...candidates[0]!, weight: 0.5 }, candidates[1]!]],
    ['a weight of zero', [{ ...candidates[0]!, weight: 0 }]],
    ['weights above 1', candidates.map((candidate) => ({ ...candidate, weight: 0.3 }))],
    ['the common key', [{ tenant: 'everybody', ownKey: commonKey }]],
    ['a short key', [{ tenant: 'short', ownKey: new Uint8Array(16) }]],
  ])('refuses %s', (_, wrong) => {
    expect(() => new TenantAccuser(profile, commonKey, wrong)).toThrowError(
      expect.objectContaining({ code: 'INPUT_INVALID' }),
    );
  });

  it('needs an own layer', () => {
    const shared = tenantProfile({ common: 8, code: 8, own: 0 });
    expect(() => new TenantAccuser(shared, commonKey, candidates)).toThrowError(
      expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.stringMatching(/own/) }),
    );
  });
});

describe('the common layer', () => {
  it('adds up over accounts whose own marks are too short to be found', () => {
    const detector = new CommonDetector(profile, commonKey);
    const others = new CommonDetector(profile, keyOf('another epoch'));
    for (let index = 0; index < 30; index++) {
      const text = answerOf(profile, commonKey, index, variedSource, 20);
      detector.fold(text);
      others.fold(text);
    }
    const { log10P, log10E, mean, texts: count } = detector.detection();
    expect(count).toBe(30);
    expect(mean).toBeGreaterThan(0.7);
    expect(log10P).toBeLessThan(-6);
    expect(log10E).toBeGreaterThan(4);
    expect(others.detection().log10P).toBeGreaterThan(-4);
  });

  it('says nothing of no text, and must exist', () => {
    expect(new CommonDetector(profile, commonKey).detection()).toEqual({
      texts: 0,
      scored: 0,
      skipped: {},
      mean: 0,
      log10P: 0,
      log10E: 0,
    });
    expect(
      () => new CommonDetector(tenantProfile({ common: 0, code: 8, own: 8 }), commonKey),
    ).toThrowError(/no common layer/);
  });
});
