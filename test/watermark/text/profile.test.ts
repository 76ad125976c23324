import { describe, expect, it } from 'vitest';
import { TouchmarkError } from '../../../src/errors.ts';
import { parseTextProfile } from '../../../src/watermark/text/profile.ts';
import { isPublicKey, parseForeignTextKey } from '../../../src/watermark/text/text-key.ts';
import { openTextWatermark } from '../../../src/watermark/text/watermark.ts';
import { nativeKey, nativeProfile } from './random-text.ts';

function refusal(act: () => unknown): TouchmarkError {
  try {
    act();
  } catch (error) {
    if (TouchmarkError.isInstance(error)) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

describe('text profiles', () => {
  it('names the fields that do not fit', () => {
    const error = refusal(() =>
      parseTextProfile({ ...nativeProfile(), scheme: { name: 'green-list', gamma: 2 } }, 'p.json'),
    );
    expect(error.code).toBe('CONFIG_INVALID');
    expect(error.message).toContain('p.json');
    expect(error.message).toContain('scheme.gamma');
    expect(error.message).toContain('scheme.delta');
  });

  it('refuses fields that nobody knows, other schemas and widths out of range', () => {
    for (const change of [
      { colour: 'green' },
      { schema: 'touchmark/text-profile@2' },
      { prf: { name: 'native', contextWidth: 17 } },
      { prf: { name: 'native', contextWidth: 1.5 } },
      { tokenizer: { name: '', vocabularySize: 10 } },
      { scheme: { name: 'tournament', depth: 0 } },
    ]) {
      const given = { ...nativeProfile(), ...change };
      expect(refusal(() => parseTextProfile(given, 'it')).code).toBe('CONFIG_INVALID');
    }
  });

  it('refuses a fixed green list that reads a context', () => {
    const scheme = { name: 'fixed-green-list', gamma: 0.5, delta: 2 } as const;
    expect(refusal(() => nativeProfile({ scheme })).message).toContain('contextWidth 0');
  });

  it('refuses to leave repetitions of an empty context unmarked', () => {
    const prf = { name: 'native', contextWidth: 0 } as const;
    expect(refusal(() => nativeProfile({ prf, repeats: 'turn' })).message).toContain('set "mark"');
    expect(nativeProfile({ prf }).repeats).toBe('mark');
  });

  it('refuses schemes that a function cannot carry, and keys of other stacks', () => {
    const prf = { name: 'hugging-face', seeding: 'lefthash', contextWidth: 1 } as const;
    expect(refusal(() => nativeProfile({ prf, scheme: { name: 'gumbel' } })).message).toContain(
      'hugging-face',
    );
    const error = refusal(() =>
      openTextWatermark(nativeProfile(), { stack: 'vllm', key: 123456789n }),
    );
    expect(error.code).toBe('CONFIG_INVALID');
    expect(error.message).not.toContain('123456789');
  });
});

describe('keys of other stacks', () => {
  it('reads each stack, and whole numbers beyond 2^53 as strings', () => {
    expect(parseForeignTextKey({ stack: 'hugging-face', hashingKey: 15485863 }, 'k')).toEqual({
      stack: 'hugging-face',
      hashingKey: 15485863n,
    });
    expect(parseForeignTextKey({ stack: 'vllm', key: '18446744073709551615' }, 'k')).toEqual({
      stack: 'vllm',
      key: 18446744073709551615n,
    });
    expect(parseForeignTextKey({ stack: 'synthid', keys: [1, 2] }, 'k')).toEqual({
      stack: 'synthid',
      keys: [1, 2],
    });
  });

  it('never repeats what it read', () => {
    for (const key of [
      { stack: 'vllm', key: 'geheim-4711' },
      { stack: 'synthid', keys: [4711.5] },
      { stack: 'nobody', key: 4711 },
      '4711',
      null,
    ]) {
      const error = refusal(() => parseForeignTextKey(key, 'the key file'));
      expect(error.code).toBe('INPUT_INVALID');
      expect(`${error.message} ${error.hint}`).not.toContain('4711');
    }
  });

  it('knows the keys that everybody knows', () => {
    expect(isPublicKey({ stack: 'hugging-face', hashingKey: 15485863n })).toBe(true);
    expect(isPublicKey({ stack: 'hugging-face', hashingKey: 15485864n })).toBe(false);
    expect(isPublicKey({ stack: 'synthid', keys: [654, 400, 836] })).toBe(true);
    expect(isPublicKey({ stack: 'synthid', keys: [654, 400, 837] })).toBe(false);
    expect(isPublicKey(nativeKey('mine'))).toBe(false);
  });
});
