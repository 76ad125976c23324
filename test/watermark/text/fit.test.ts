import { describe, expect, it } from 'vitest';
import { detectText } from '../../../src/watermark/text/detect.ts';
import { diagnoseProfile } from '../../../src/watermark/text/diagnose.ts';
import { checkFit, type FitCheck, type TextOrigin } from '../../../src/watermark/text/fit.ts';
import type { TextProfile } from '../../../src/watermark/text/profile.ts';
import type { TokenText } from '../../../src/watermark/text/token-pairs.ts';
import { openTextWatermark } from '../../../src/watermark/text/watermark.ts';
import { nativeKey, nativeProfile, randomText } from './random-text.ts';

const watermark = openTextWatermark(nativeProfile(), nativeKey('fit'));

function outcomes(
  text: TokenText,
  origin: Partial<TextOrigin> = {},
): Partial<Record<FitCheck['check'], FitCheck['outcome']>> {
  const checks = checkFit(watermark, text, { promptKnown: true, ...origin });
  for (const { detail } of checks) expect(detail).toMatch(/^[^a-z].*\.$/);
  return Object.fromEntries(checks.map(({ check, outcome }) => [check, outcome]));
}

describe('whether a profile fits', () => {
  const text = randomText('fit', 300, 500);

  it('passes what it could check, and names what it could not', () => {
    expect(outcomes(text)).toEqual({
      'token ids': 'passed',
      vocabulary: 'passed',
      tokenizer: 'not checked',
      're-encoding': 'not checked',
      prompt: 'passed',
      length: 'passed',
      repetition: 'passed',
      key: 'passed',
    });
    expect(outcomes(text, { promptKnown: false }).prompt).toBe('not checked');
  });

  it('notices another tokenizer: by ids, by their range, by name, by encoding again', () => {
    const larger = { tokens: text.tokens.map((id) => id * 5), promptLength: 0 };
    expect(outcomes(larger)['token ids']).toBe('failed');
    const smaller = { tokens: text.tokens.map((id) => id % 50), promptLength: 0 };
    expect(outcomes(smaller).vocabulary).toBe('failed');
    expect(outcomes(randomText('short', 20, 50)).vocabulary).toBe('not checked');
    expect(outcomes(text, { tokenizerName: 'other' }).tokenizer).toBe('failed');
    expect(outcomes(text, { tokenizerName: 'test' }).tokenizer).toBe('passed');
    const faithful = {
      decode: (ids: readonly number[]) => ids.join(' '),
      encode: (given: string) => given.split(' ').map(Number),
    };
    expect(outcomes(text, { tokenizer: faithful })['re-encoding']).toBe('passed');
    const merging = { ...faithful, encode: (given: string) => faithful.encode(given).slice(1) };
    expect(outcomes(text, { tokenizer: merging })['re-encoding']).toBe('failed');
    const broken = {
      ...faithful,
      decode: (): string => {
        throw new Error('no such id');
      },
    };
    expect(outcomes(text, { tokenizer: broken })['re-encoding']).toBe('failed');
  });

  it('notices texts without room for a context, and repetitive ones', () => {
    expect(outcomes({ tokens: Int32Array.of(1, 2), promptLength: 0 }).length).toBe('failed');
    expect(outcomes({ tokens: new Int32Array(0), promptLength: 0 }).length).toBe('failed');
    expect(outcomes({ tokens: Int32Array.of(1, 2, 3), promptLength: 3 }).length).toBe('failed');
    const looping = { tokens: Int32Array.from({ length: 90 }, (_, at) => at % 9), promptLength: 0 };
    expect(outcomes(looping).repetition).toBe('failed');
  });

  it('doubts the device of lists that transformers drew', () => {
    const profile = nativeProfile({
      prf: { name: 'hugging-face', seeding: 'lefthash', contextWidth: 1 },
    });
    const told = { ...profile.prf, device: 'cpu' } as const;
    for (const [given, outcome] of [
      [profile, 'not checked'],
      [nativeProfile({ prf: told as TextProfile['prf'] }), 'passed'],
    ] as const) {
      const mark = openTextWatermark(given, { stack: 'hugging-face', hashingKey: 7n });
      const checks = checkFit(mark, text, { promptKnown: true });
      expect(checks.find(({ check }) => check === 'device')?.outcome).toBe(outcome);
    }
    const onGpu = { ...profile.prf, device: 'gpu' } as TextProfile['prf'];
    expect(() => nativeProfile({ prf: onGpu })).toThrow(/marked on a GPU cannot be tested/);
  });

  it('says that a public key counts nothing', () => {
    const foreign = { ...watermark, keyIsPublic: true };
    const checks = checkFit(foreign, text, { promptKnown: true });
    expect(checks.find(({ check }) => check === 'key')?.outcome).toBe('failed');
  });
});

describe('diagnosing a profile', () => {
  const key = nativeKey('diagnose');
  const profile = nativeProfile();

  it('names the width that the text was marked with', () => {
    const made = nativeProfile({ prf: { name: 'native', contextWidth: 3 } });
    const text = randomText('width', 200, 500, openTextWatermark(made, key));
    expect(detectText(openTextWatermark(profile, key), text).log10P).toBeGreaterThan(-3);
    const [first, second] = diagnoseProfile(profile, key, text);
    expect(first?.change).toBe('context width 3 instead of 2');
    expect(first?.log10P).toBeLessThan(-10);
    expect(second?.log10P).toBeGreaterThan(-3);
  });

  it('names shifted ids', () => {
    const text = randomText('shift', 200, 499, openTextWatermark(profile, key));
    const shifted = { tokens: text.tokens.map((id) => id + 1), promptLength: 0 };
    expect(diagnoseProfile(profile, key, shifted)[0]?.change).toBe('token ids one lower');
  });

  it('accuses no neighbour of an unmarked text, over keys', () => {
    let accused = 0;
    for (let turn = 0; turn < 200; turn++) {
      const text = randomText(`unmarked ${turn}`, 60, 50, undefined, [1, 2, 3]);
      const [first] = diagnoseProfile(profile, nativeKey(`unmarked ${turn}`), text);
      if (first!.log10P <= -2) accused++;
    }
    expect(accused).toBeLessThanOrEqual(7);
  });
});
