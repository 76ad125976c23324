import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { clopperPearson, kolmogorovSmirnov } from '../../../src/stats/bounds.ts';
import { detectText, TextDetector } from '../../../src/watermark/text/detect.ts';
import type { TextProfile } from '../../../src/watermark/text/profile.ts';
import { openTextWatermark } from '../../../src/watermark/text/watermark.ts';
import { nativeKey, nativeProfile, randomText } from './random-text.ts';

const schemes: readonly TextProfile['scheme'][] = [
  { name: 'green-list', gamma: 0.25, delta: 2 },
  { name: 'green-list', gamma: 0.5, delta: 2 },
  { name: 'green-list', gamma: 0.3, delta: 3 },
  { name: 'gumbel' },
  { name: 'tournament', depth: 30 },
  { name: 'tournament', depth: 40 },
];
const named = schemes.map((scheme) => [JSON.stringify(scheme), scheme] as const);

describe('detecting a text mark', () => {
  it.each(named)('finds it under its key and not under another: %s', (_, scheme) => {
    const profile = nativeProfile({ scheme });
    const watermark = openTextWatermark(profile, nativeKey('right'));
    const text = randomText('marked', 300, 500, watermark, [1, 2, 3]);
    const found = detectText(watermark, text);
    expect(found.scored + (found.skipped['repeated pair'] ?? 0)).toBe(300);
    expect(found.skipped.prompt).toBe(3);
    expect(found.log10P).toBeLessThan(-8);
    expect(found.log10E).toBeGreaterThan(6);
    expect(found.mean).toBeGreaterThan(found.expected);
    const other = detectText(openTextWatermark(profile, nativeKey('wrong')), text);
    expect(other.log10P).toBeGreaterThan(-4);
    expect(other.log10E).toBeLessThan(2);
  });

  it('finds a fixed green list after every second token was deleted', () => {
    const profile = nativeProfile({
      scheme: { name: 'fixed-green-list', gamma: 0.5, delta: 3 },
      prf: { name: 'native', contextWidth: 0 },
    });
    const watermark = openTextWatermark(profile, nativeKey('fixed'));
    const { tokens } = randomText('fixed', 600, 500, watermark);
    const edited = { tokens: tokens.filter((_, at) => at % 2 === 0), promptLength: 0 };
    expect(detectText(watermark, edited).log10P).toBeLessThan(-6);
  });

  it.each(named)('is calibrated over keys, on a repetitive text: %s', (_, scheme) => {
    const { tokens } = randomText('a phrase', 60, 40);
    const text = { tokens: Int32Array.of(...tokens, ...tokens, ...tokens), promptLength: 0 };
    const keys = 600;
    const profile = nativeProfile({ scheme });
    const results = Array.from({ length: keys }, (_, key) =>
      detectText(openTextWatermark(profile, nativeKey(`null ${key}`)), text),
    );
    const pValues = results.map(({ log10P }) => Math.min(1, 10 ** log10P));
    expect(kolmogorovSmirnov(pValues).superUniformP).toBeGreaterThan(1e-4);
    const betting = results.filter(({ log10E }) => log10E >= Math.log10(20)).length;
    expect(clopperPearson(betting, keys, 0.9999).lower).toBeLessThanOrEqual(0.05);
    expect(Math.min(...pValues)).toBeLessThan(0.05);
  });

  it('would be wrong without counting repeated pairs once', () => {
    const { tokens } = randomText('a phrase', 60, 40);
    const text = { tokens: Int32Array.of(...tokens, ...tokens, ...tokens), promptLength: 0 };
    const accused = Array.from({ length: 600 }, (_, key) => {
      const { law } = openTextWatermark(nativeProfile(), nativeKey(`null ${key}`)).scheme;
      const { total, scored } = detectText(
        openTextWatermark(nativeProfile(), nativeKey(`null ${key}`)),
        text,
      );
      return law.log10UpperTail(3 * total, 3 * scored) <= -2;
    }).filter(Boolean).length;
    expect(clopperPearson(accused, 600, 0.999).lower).toBeGreaterThan(0.01);
  });

  it('adds texts up, in one detector, as one sample of distinct pairs', () => {
    const watermark = openTextWatermark(nativeProfile(), nativeKey('sum'));
    const texts = [1, 2, 3].map((seed) => randomText(`text ${seed}`, 100, 500, watermark));
    const detector = new TextDetector(watermark);
    for (const text of [...texts, ...texts]) detector.fold(text);
    const singly = texts.map((text) => detectText(watermark, text));
    const together = detector.detection();
    expect(together.texts).toBe(6);
    expect(together.scored).toBe(singly.reduce((sum, { scored }) => sum + scored, 0));
    expect(together.total).toBe(singly.reduce((sum, { total }) => sum + total, 0));
    expect(together.log10P).toBeLessThan(Math.min(...singly.map(({ log10P }) => log10P)));
  });

  it('has nothing to say of nothing, and survives any ids', () => {
    const watermark = openTextWatermark(nativeProfile(), nativeKey('any'));
    expect(detectText(watermark, { tokens: new Int32Array(0), promptLength: 0 })).toEqual({
      texts: 1,
      scored: 0,
      skipped: {},
      total: 0,
      mean: 0,
      expected: 0.25,
      log10P: 0,
      log10E: 0,
    });
    fc.assert(
      fc.property(fc.array(fc.integer()), fc.nat(10), (ids, promptLength) => {
        const tokens = Int32Array.from(ids);
        const { scored, log10P, skipped } = detectText(watermark, { tokens, promptLength });
        const outside = skipped['token out of range'] ?? 0;
        expect(scored + outside).toBeLessThanOrEqual(Math.max(0, ids.length - 2));
        expect(log10P).toBeLessThanOrEqual(0);
      }),
    );
  });
});

describe('marking a generation', () => {
  it.each(['turn', 'all'] as const)('leaves repeated contexts unmarked: %s', (repeats) => {
    const watermark = openTextWatermark(nativeProfile({ repeats }), nativeKey('repeats'));
    const tokens = Int32Array.of(1, 2, 3, 1, 2, 3, 1, 2);
    const isMarkedAt = (length: number, promptLength: number) => {
      const marker = watermark.marker({ promptLength });
      const logits = new Float32Array(500);
      for (let at = promptLength; at <= length; at++) {
        logits.fill(0);
        marker.mark(logits, tokens.slice(0, at));
      }
      return logits.some((logit) => logit !== 0);
    };
    expect(isMarkedAt(2, 0)).toBe(true);
    expect(isMarkedAt(5, 0)).toBe(false);
    expect(isMarkedAt(5, 3)).toBe(repeats === 'turn');
    expect(isMarkedAt(8, 3)).toBe(false);
  });

  it.each(
    named,
  )('marks candidates as it marks a vocabulary without all others: %s', (_, scheme) => {
    const profile = nativeProfile({ scheme, repeats: 'turn' });
    const watermark = openTextWatermark(profile, nativeKey('sparse'));
    const [dense, sparse] = [1, 2].map(() => watermark.marker({ promptLength: 1 }));
    const sequence = Int32Array.of(4, 9, 2, 4, 9, 2, 7, 1);
    for (let length = 1; length <= sequence.length; length++) {
      const tokens = Int32Array.of(3, 250, 17, 499, 8);
      const logits = Float32Array.of(0.5, -1, 2, 0, -Infinity);
      const vector = new Float32Array(500).fill(-Infinity);
      tokens.forEach((token, index) => {
        vector[token] = logits[index]!;
      });
      dense!.mark(vector, sequence.slice(0, length));
      sparse!.markCandidates!({ tokens, logits }, sequence.slice(0, length));
      for (const [index, token] of tokens.entries()) {
        const [sparsely, densely] = [logits[index]!, vector[token]!];
        if (scheme.name === 'tournament') {
          expect(Math.exp(sparsely)).toBeCloseTo(Math.exp(densely), 6);
        } else expect(sparsely).toBe(densely);
      }
    }
  });

  it('starts afresh when the sequence does', () => {
    const watermark = openTextWatermark(nativeProfile({ repeats: 'turn' }), nativeKey('repeats'));
    const marker = watermark.marker({ promptLength: 2 });
    const first = new Float32Array(500);
    marker.mark(first, Int32Array.of(1, 2));
    marker.mark(new Float32Array(500), Int32Array.of(1, 2, 3));
    const again = new Float32Array(500);
    marker.mark(again, Int32Array.of(1, 2));
    expect(again).toEqual(first);
    expect(first.some((logit) => logit !== 0)).toBe(true);
  });

  it('skips in detection what it left unmarked', () => {
    for (const repeats of ['turn', 'all'] as const) {
      const profile = nativeProfile({
        repeats,
        scheme: { name: 'green-list', gamma: 0.5, delta: 40 },
        tokenizer: { name: 'test', vocabularySize: 6 },
      });
      const watermark = openTextWatermark(profile, nativeKey('agree'));
      const text = randomText('agree', 80, 6, watermark, [0, 1, 2, 3]);
      const { mean, skipped, scored } = detectText(watermark, text);
      expect(skipped['repeated context']).toBeGreaterThan(20);
      expect(scored).toBeGreaterThan(5);
      expect(mean).toBe(1);
    }
  });
});
