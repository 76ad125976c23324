import { beforeAll, describe, expect, it } from 'vitest';
import type { KneserNeyModel } from '../../../../src/models/language/kneser-ney.ts';
import { clopperPearson } from '../../../../src/stats/bounds.ts';
import { apiBiases } from '../../../../src/watermark/text/api/api-biases.ts';
import { TextDetector } from '../../../../src/watermark/text/detect.ts';
import { KeyAccuser } from '../../../../src/watermark/text/key-accuser.ts';
import { parseTextProfile, type TextProfile } from '../../../../src/watermark/text/profile.ts';
import type { TokenText } from '../../../../src/watermark/text/token-pairs.ts';
import { openTextWatermark, type TextWatermark } from '../../../../src/watermark/text/watermark.ts';
import {
  asLanguageModel,
  generate,
  outputsOf,
  sceneProfile,
  trainModel,
  writeText,
} from '../../../audit/text-scene.ts';
import { nativeKey } from '../random-text.ts';
import { biasedProfile, widthless } from './biased-scene.ts';

const limit = 60;

function detect(watermark: TextWatermark, texts: readonly TokenText[]) {
  const detector = new TextDetector(watermark);
  for (const text of texts) detector.fold(text);
  return detector.detection();
}

describe('a biased list', () => {
  let model: KneserNeyModel;
  let profile: TextProfile;
  let watermark: TextWatermark;
  let marked: readonly TokenText[];

  beforeAll(async () => {
    model = trainModel([writeText('training', 40_000)]);
    profile = await biasedProfile(model, limit, 0.8);
    watermark = openTextWatermark(profile, nativeKey('owner'));
    marked = await generate(asLanguageModel(model, watermark), 'served', 60, 100);
  });

  it('spends every entry of the API on a bias, half up and half down over keys', () => {
    const [up, down] = [0.8, -0.8].map((bias) => {
      const all = Array.from({ length: 40 }, (_, key) =>
        apiBiases(openTextWatermark(profile, nativeKey(`${key}`))),
      );
      expect(all.every(({ size }) => size === limit)).toBe(true);
      return all.flatMap((each) => [...each.values()]).filter((value) => value === bias).length;
    });
    expect(up! + down!).toBe(40 * limit);
    expect(Math.abs(up! - down!)).toBeLessThan(4 * Math.sqrt(40 * limit));
    expect(apiBiases(watermark)).toEqual(apiBiases(openTextWatermark(profile, nativeKey('owner'))));
  });

  it('adds the same to logits as to the candidates of an engine, and to no other token', () => {
    const logits = new Float32Array(300);
    watermark.marker({ promptLength: 0 }).mark(logits, Int32Array.of(5));
    const biases = apiBiases(watermark);
    expect(Array.from(logits, (logit) => logit)).toEqual(
      Array.from(logits, (_, token) => Math.fround(biases.get(token) ?? 0)),
    );
    const tokens = Int32Array.of(...[...biases.keys()].slice(0, 3), 299);
    const candidates = { tokens, logits: new Float32Array(4) };
    watermark.marker({ promptLength: 0 }).markCandidates?.(candidates, Int32Array.of(5));
    expect([...candidates.logits]).toEqual([...tokens].map((token) => logits[token]));
  });

  it('is found in marked texts, and more surely in more of them', () => {
    const few = detect(watermark, marked.slice(0, 10));
    const all = detect(watermark, marked);
    expect(few.log10P).toBeLessThan(-3);
    expect(all.log10P).toBeLessThan(-8);
    expect(all.log10E).toBeGreaterThan(6);
    expect(all.mean).toBeGreaterThan(0.5);
    expect(all.scored + all.skipped['not listed']!).toBe(60 * 100);
  });

  it('is found in a student of marked texts', async () => {
    const student = trainModel(outputsOf(marked));
    const own = await generate(asLanguageModel(student), 'own', 30, 100);
    expect(detect(watermark, own).log10P).toBeLessThan(-6);
    expect(detect(watermark, own).log10E).toBeGreaterThan(4);
  });

  it('counts a text once', () => {
    const once = detect(watermark, marked.slice(0, 5));
    const thrice = detect(
      watermark,
      [0, 1, 2].flatMap(() => marked.slice(0, 5)),
    );
    expect(thrice.log10P).toBe(once.log10P);
    expect(thrice.skipped['repeated text']).toBe(2 * 5 * 100);
  });

  it('lets no single token carry a case', () => {
    const [token] = watermark.scheme.signed!.tokens;
    const text = { tokens: new Int32Array(50_000).fill(token!), promptLength: 0 };
    expect(detect(watermark, [text]).log10P).toBeGreaterThan(-6);
  });

  it('tells the key from others, all read at once', () => {
    const others = ['a', 'b', 'c'].map((name) => openTextWatermark(profile, nativeKey(name)));
    const accuser = new KeyAccuser([watermark, ...others]);
    for (const text of marked) accuser.fold(text);
    const { accusations, scored } = accuser.accusations();
    const { log10P, log10E, scored: alone } = detect(watermark, marked);
    expect(accusations[0]).toMatchObject({ log10P, log10E });
    expect(scored).toBe(alone);
    for (const { log10E: other } of accusations.slice(1)) expect(other).toBeLessThan(2);
  });

  it('accuses innocent texts no more often than it says: one text each, any subject, fresh keys', async () => {
    const alike = await generate(asLanguageModel(model), 'innocent', 100, 100);
    const foreign = Array.from({ length: 100 }, (_, index) => ({
      tokens: writeText(`foreign ${index}`, 150).map((token) => (token * token) % 300),
      promptLength: 0,
    }));
    for (const texts of [alike, foreign]) {
      const found = Array.from({ length: 1500 }, (_, turn) =>
        detect(openTextWatermark(profile, nativeKey(`null ${turn}`)), [texts[turn % 100]!]),
      );
      for (const level of [0.05, 0.01]) {
        const low = found.filter(({ log10P }) => log10P <= Math.log10(level)).length;
        expect(clopperPearson(low, found.length, 0.998).lower).toBeLessThanOrEqual(level);
        expect(low / found.length).toBeGreaterThan(level / 4);
        const high = found.filter(({ log10E }) => log10E >= -Math.log10(level)).length;
        expect(clopperPearson(high, found.length, 0.998).lower).toBeLessThanOrEqual(level);
      }
      const mean = found.reduce((sum, { log10E }) => sum + 10 ** log10E, 0) / found.length;
      expect(mean).toBeLessThan(2);
    }
  });

  it('errs under one key for all texts of a foreign subject or for none: one source is one case', () => {
    const foreign = Array.from({ length: 12 }, (_, index) => ({
      tokens: writeText(`foreign ${index}`, 400).map((token) => (token * token) % 300),
      promptLength: 0,
    }));
    const shares = Array.from({ length: 120 }, (_, turn) => {
      const key = openTextWatermark(profile, nativeKey(`fixed ${turn}`));
      return foreign.filter((text) => detect(key, [text]).log10P <= -1).length / foreign.length;
    });
    const mean = shares.reduce((sum, share) => sum + share, 0) / shares.length;
    expect(mean).toBeLessThan(0.1 + 0.06);
    expect(shares.filter((share) => share > 0.5).length).toBeGreaterThan(3);
    expect(shares.filter((share) => share === 0).length).toBeGreaterThan(60);
  });

  it('must have the profile of one: native, no context, each token once and in the vocabulary', () => {
    const tokens = [
      { id: 7, expected: 0.2 },
      { id: 9, expected: 0.1 },
    ];
    const parse = (scheme: object, more: object = {}) =>
      parseTextProfile({ ...widthless({ name: 'gumbel' }), scheme, ...more }, 'the test');
    const scheme = { name: 'biased-list', bias: 1, tokens };
    expect(parse(scheme).scheme).toEqual(scheme);
    for (const [message, change, more] of [
      ['contextWidth 0', {}, { prf: { name: 'native', contextWidth: 2 } }],
      ['twice', { tokens: [...tokens, tokens[0]] }, {}],
      ['not in the vocabulary', { tokens: [{ id: 300, expected: 0.1 }] }, {}],
      ['more than 1', { tokens: tokens.map((each) => ({ ...each, expected: 0.6 })) }, {}],
    ] as const) {
      expect(() => parse({ ...scheme, ...change }, more)).toThrow(message);
    }
  });

  it('is the only scheme, with the fixed green list, that a logit_bias carries', () => {
    const fixed = widthless({ name: 'fixed-green-list', gamma: 0.5, delta: 2 });
    const biases = apiBiases(openTextWatermark(fixed, nativeKey('owner')));
    expect(new Set(biases.values())).toEqual(new Set([2]));
    expect(biases.size).toBeGreaterThan(100);
    const gumbel = openTextWatermark(sceneProfile({ name: 'gumbel' }), nativeKey('owner'));
    expect(() => apiBiases(gumbel)).toThrow(expect.objectContaining({ code: 'USAGE' }));
  });
});
