import { describe, expect, it } from 'vitest';
import { generateText, variedSource } from '../../../../scripts/calibrate/text-source.ts';
import { detectText } from '../../../../src/watermark/text/detect.ts';
import { tenantIdentifier } from '../../../../src/watermark/text/tenants/identifiers.ts';
import { openTenantWatermark } from '../../../../src/watermark/text/tenants/tenant-watermark.ts';
import { openTextWatermark } from '../../../../src/watermark/text/watermark.ts';
import { keyOf } from '../../fixtures.ts';
import { answerOf, bits, tenantProfile } from './fixtures.ts';

const profile = tenantProfile({ common: 4, code: 4, own: 8 });
const commonKey = keyOf('common');
const identifier = tenantIdentifier(5, bits);
const ownKey = keyOf('own 5');

describe('the mark of one tenant', () => {
  it('is found in every layer under its keys, and in none under others', () => {
    const text = answerOf(profile, commonKey, 5, variedSource, 600);
    const clean = { tokens: generateText(variedSource, 600, 'clean'), promptLength: 0 };
    const watermark = openTenantWatermark(profile, { commonKey, identifier, ownKey });
    const { log10P, scored, mean } = detectText(watermark, text);
    expect(scored).toBeGreaterThan(590);
    expect(mean).toBeGreaterThan(0.8);
    expect(log10P).toBeLessThan(-50);
    expect(detectText(watermark, clean).log10P).toBeGreaterThan(-4);
    const stranger = openTenantWatermark(profile, {
      commonKey: keyOf('another epoch'),
      identifier,
      ownKey: keyOf('own 6'),
    });
    expect(detectText(stranger, text).log10P).toBeGreaterThan(-4);
  });

  it('raises what its layer lists and lowers the rest, in dense and in sparse logits alike', () => {
    const { scheme } = openTenantWatermark(profile, { commonKey, identifier, ownKey });
    for (let turn = 0; turn < 60; turn++) {
      const context = Int32Array.of(turn, 1000 - turn);
      const list = scheme.green!.list(context, 1024);
      const logits = new Float32Array(1100).fill(3);
      scheme.mark(logits, context, { promptLength: 0 });
      const expected = logits.map((_, token) => (token < 1024 ? (list[token] === 1 ? 4 : 2) : 3));
      expect(logits).toEqual(expected);
      const sparse = { tokens: Int32Array.of(5, 700, 1023), logits: Float64Array.of(3, 3, 3) };
      scheme.markCandidates(sparse, context, { promptLength: 0 });
      expect([...sparse.logits]).toEqual([expected[5], expected[700], expected[1023]]);
    }
  });

  it('marks repeated contexts as the profile says', () => {
    const repeats = { ...profile, repeats: 'all' as const };
    const marker = openTenantWatermark(repeats, { commonKey, identifier, ownKey }).marker({
      promptLength: 0,
    });
    const logits = (tokens: readonly number[]) => {
      const values = new Float32Array(1024);
      marker.mark(values, Int32Array.from(tokens));
      return values;
    };
    expect(logits([1, 2]).some((logit) => logit !== 0)).toBe(true);
    expect(logits([1, 2, 1]).some((logit) => logit !== 0)).toBe(true);
    expect(logits([1, 2, 1, 2]).every((logit) => logit === 0)).toBe(true);
  });

  it('needs an own key where the own layer has a share, and no key twice', () => {
    expect(() => openTenantWatermark(profile, { commonKey, identifier })).toThrowError(
      expect.objectContaining({ code: 'INPUT_INVALID', message: expect.stringMatching(/own key/) }),
    );
    expect(() =>
      openTenantWatermark(profile, { commonKey, identifier, ownKey: keyOf('common') }),
    ).toThrowError(/common key/);
    const coded = tenantProfile({ common: 0, code: 16, own: 0 });
    expect(openTenantWatermark(coded, { commonKey, identifier }).profile).toBe(coded);
  });

  it.each([-1, 2 ** bits, 0.5, Number.NaN])('refuses %d as an identifier', (wrong) => {
    expect(() =>
      openTenantWatermark(profile, { commonKey, identifier: wrong, ownKey }),
    ).toThrowError(expect.objectContaining({ code: 'INPUT_INVALID' }));
  });

  it('is refused where one key or no tenants are meant', () => {
    expect(() => openTextWatermark(profile, { stack: 'touchmark', epochKey: ownKey })).toThrowError(
      expect.objectContaining({
        code: 'CONFIG_INVALID',
        message: expect.stringMatching(/tenants/),
      }),
    );
    const { tenants: _, ...plain } = profile;
    expect(() => openTenantWatermark(plain, { commonKey, identifier, ownKey })).toThrowError(
      expect.objectContaining({ code: 'CONFIG_INVALID' }),
    );
  });
});

describe('a profile that tells tenants apart', () => {
  it('shares out exactly 16 sixteenths', () => {
    expect(() => tenantProfile({ common: 4, code: 4, own: 4 })).toThrowError(/12 sixteenths/);
  });

  it('has a context and an even number of identifier bits', () => {
    const layers = { common: 0, code: 16, own: 0 };
    expect(() => tenantProfile(layers, { contextWidth: 0 })).toThrowError(/contextWidth 1/);
    for (const identifierBits of [2, 13, 22]) {
      expect(() => tenantProfile(layers, { identifierBits })).toThrowError(/identifierBits/);
    }
  });
});
