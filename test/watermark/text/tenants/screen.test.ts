import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { repetitiveSource, variedSource } from '../../../../scripts/calibrate/text-source.ts';
import { detectText } from '../../../../src/watermark/text/detect.ts';
import { tenantIdentifier } from '../../../../src/watermark/text/tenants/identifiers.ts';
import { TenantScreen } from '../../../../src/watermark/text/tenants/screen.ts';
import { openTenantWatermark } from '../../../../src/watermark/text/tenants/tenant-watermark.ts';
import { keyOf } from '../../fixtures.ts';
import { answerOf, bits, tenantProfile } from './fixtures.ts';

const coded = tenantProfile({ common: 0, code: 16, own: 0 });
const commonKey = keyOf('common');

describe('the screen', () => {
  it('names the tenant among all identifiers', () => {
    const million = tenantProfile({ common: 0, code: 16, own: 0 }, { identifierBits: 20 });
    const screen = new TenantScreen(million, commonKey);
    screen.fold(answerOf(million, commonKey, 700, variedSource, 300));
    const { best, runnerUp, identifiers, scored } = screen.screening();
    expect(identifiers).toBe(2 ** 20);
    expect(scored).toBeGreaterThan(290);
    expect(best).toMatchObject({ identifier: tenantIdentifier(700, 20), issued: true });
    expect(best.log10PAdjusted).toBeLessThan(-6);
    expect(best.log10PAdjusted).toBeCloseTo(best.log10P + 20 * Math.log10(2), 9);
    expect(runnerUp.score).toBeLessThan(best.score);
    expect(runnerUp.log10PAdjusted).toBeGreaterThan(-3);
  });

  it('scores an identifier by the green pairs under it, as its own detector counts them', () => {
    const text = answerOf(coded, commonKey, 3, repetitiveSource, 900);
    const screen = new TenantScreen(coded, commonKey);
    screen.fold(text);
    const { best } = screen.screening();
    for (const identifier of [0, 1, 1234, tenantIdentifier(3, bits), best.identifier]) {
      const watermark = openTenantWatermark(coded, { commonKey, identifier });
      const { total, scored } = detectText(watermark, text);
      expect(screen.score(identifier).score).toBe(2 * total - scored);
    }
    expect(screen.score(best.identifier)).toEqual(best);
  });

  it('weighs draws, not pairs: its p-value is that of signs with the sums as weights', () => {
    const screen = new TenantScreen(coded, commonKey);
    // One context and block: all pairs share a sign, whatever their number.
    for (let token = 0; token < 30; token++) {
      screen.fold({ tokens: Int32Array.of(7, 7, token), promptLength: 0 });
    }
    const { clusters, scored, best } = screen.screening();
    expect(scored).toBe(30);
    expect(clusters).toBeLessThanOrEqual(1);
    expect(best.log10P).toBeGreaterThanOrEqual(Math.log10(0.5) - 1e-12);
  });

  it('gives three pairs of different draws that all agree the p-value 1/8', () => {
    const screen = new TenantScreen(coded, commonKey);
    for (const context of [1, 2, 3]) {
      screen.fold({ tokens: Int32Array.of(context, context, 500), promptLength: 0 });
    }
    const { best, clusters } = screen.screening();
    expect(clusters).toBe(3);
    expect(best.score).toBe(3);
    expect(best.log10P).toBeCloseTo(Math.log10(1 / 8), 12);
    expect(best.log10PAdjusted).toBe(0);
  });

  it('says when nobody holds the best identifier', () => {
    const text = answerOf(coded, commonKey, 9, variedSource, 400);
    const named = new TenantScreen(coded, commonKey, ['a', 'b']);
    named.fold(text);
    const { best } = named.screening();
    expect(best).toMatchObject({ identifier: tenantIdentifier(9, bits), issued: false });
    expect(best.tenant).toBeUndefined();
    const all = new TenantScreen(coded, commonKey, [...'abcdefghij']);
    all.fold(text);
    expect(all.screening().best).toMatchObject({ tenant: 'j', issued: true });
  });

  it('adds up over texts and counts a repeated pair once', () => {
    const text = answerOf(coded, commonKey, 2, variedSource, 200);
    const screen = new TenantScreen(coded, commonKey);
    screen.fold(text);
    const once = screen.screening();
    screen.fold(text);
    const twice = screen.screening();
    expect(twice.best).toEqual(once.best);
    expect(twice).toMatchObject({ texts: 2, scored: once.scored });
    expect(twice.skipped['repeated pair']).toBe(
      once.scored + (once.skipped['repeated pair'] ?? 0) * 2,
    );
  });

  it('says nothing of no text, and survives any tokens', () => {
    const empty = new TenantScreen(coded, commonKey);
    empty.fold({ tokens: new Int32Array(0), promptLength: 0 });
    expect(empty.screening()).toMatchObject({
      scored: 0,
      clusters: 0,
      best: { score: 0, log10P: 0, log10PAdjusted: 0 },
    });
    const small = tenantProfile({ common: 0, code: 16, own: 0 }, { identifierBits: 4 });
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })), (ids) => {
        const screen = new TenantScreen(small, commonKey);
        screen.fold({ tokens: Int32Array.from(ids), promptLength: 0 });
        const { best, scored, skipped } = screen.screening();
        expect(best.log10P).toBeLessThanOrEqual(0);
        const skips = Object.values(skipped).reduce((sum, count) => sum + count, 0);
        expect(scored + skips).toBe(ids.length);
      }),
    );
  });

  it('refuses identifiers and tenants beyond the bits', () => {
    const screen = new TenantScreen(coded, commonKey);
    for (const wrong of [-1, 2 ** bits, 1.5, Number.NaN]) {
      expect(() => screen.score(wrong)).toThrowError(
        expect.objectContaining({ code: 'INPUT_INVALID' }),
      );
    }
    const tooMany = Array.from({ length: 2 ** (bits / 2) }, (_, index) => `tenant ${index}`);
    expect(() => new TenantScreen(coded, commonKey, tooMany)).toThrowError(/has no identifier/);
    expect(new TenantScreen(coded, commonKey, tooMany.slice(1)).screening().best.issued).toBe(
      false,
    );
  });

  it('needs a code layer', () => {
    const own = tenantProfile({ common: 8, code: 0, own: 8 });
    expect(() => new TenantScreen(own, commonKey)).toThrowError(
      expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.stringMatching(/code/) }),
    );
  });
});
