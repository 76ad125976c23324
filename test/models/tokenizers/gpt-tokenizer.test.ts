import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openTokenizer, tokenizerNames } from '../../../src/models/tokenizers/registry.ts';

describe('the built-in tokenizers', () => {
  /** tiktoken's ids of "hello world" (its tests and documentation) and its n_vocab. */
  const known: Readonly<Record<string, readonly [tokens: number[], vocabularySize: number]>> = {
    'gpt-tokenizer:o200k_base': [[24912, 2375], 200_019],
    'gpt-tokenizer:cl100k_base': [[15339, 1917], 100_277],
    'gpt-tokenizer:p50k_base': [[31373, 995], 50_281],
    'gpt-tokenizer:r50k_base': [[31373, 995], 50_257],
  };

  it.each(
    tokenizerNames,
  )('%s gives the published ids, and special tokens as text', async (name) => {
    const tokenizer = await openTokenizer(name);
    expect([tokenizer.encode('hello world'), tokenizer.vocabularySize]).toEqual(known[name]);
    const special = tokenizer.encode('<|endoftext|>');
    expect(special.length).toBeGreaterThan(1);
    expect(tokenizer.decode(special)).toBe('<|endoftext|>');
    expect(tokenizer.name).toBe(name);
  });

  it('encodes any text, and gives it back', async () => {
    const tokenizer = await openTokenizer('gpt-tokenizer:o200k_base');
    const parts = fc.oneof(
      fc.string({ unit: 'grapheme' }),
      fc.constantFrom('<|endoftext|>', '<|im_start|>', '\n\n', '\u0000', '中文'),
    );
    fc.assert(
      fc.property(fc.array(parts), (words) => {
        const text = words.join('');
        const tokens = tokenizer.encode(text);
        expect(tokenizer.decode(tokens)).toBe(text);
        expect(tokens.every((id) => id >= 0 && id < 199_998)).toBe(true);
      }),
    );
    expect(tokenizer.decode(tokenizer.encode('a\ud800b'))).toBe('a\ufffdb');
  });

  it.each([
    'a',
    ' ',
    '中',
    '9',
    '!',
  ])('encodes a hundred thousand times %j without end', async (sign) => {
    const tokenizer = await openTokenizer('gpt-tokenizer:o200k_base');
    const text = `start ${sign.repeat(100_000)} end`;
    expect(tokenizer.decode(tokenizer.encode(text))).toBe(text);
  });

  it('says so when ids are not its own', async () => {
    const tokenizer = await openTokenizer('gpt-tokenizer:r50k_base');
    expect(() => tokenizer.decode([60_000])).toThrow(
      expect.objectContaining({ code: 'INPUT_INVALID' }),
    );
  });

  it.each(['gpt-tokenizer:none', 'constructor', ''])('does not know %j', async (name) => {
    await expect(openTokenizer(name)).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      hint: expect.stringContaining('gpt-tokenizer:o200k_base'),
    });
  });
});
