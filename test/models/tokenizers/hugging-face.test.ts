import { PreTrainedTokenizer } from '@huggingface/transformers';
import { TokenizerLoader } from '@lenml/tokenizers';
import { describe, expect, it } from 'vitest';
import {
  adaptTokenizer,
  type HuggingFaceTokenizer,
} from '../../../src/models/tokenizers/hugging-face.ts';
import { tinyTokenizer, tinyTokenizerConfig, tinyVocabularySize } from './tiny-tokenizer.ts';

const libraries: [string, HuggingFaceTokenizer][] = [
  ['transformers.js', new PreTrainedTokenizer(tinyTokenizer, tinyTokenizerConfig)],
  [
    '@lenml/tokenizers',
    TokenizerLoader.fromPreTrained(
      structuredClone({ tokenizerJSON: tinyTokenizer, tokenizerConfig: tinyTokenizerConfig }),
    ),
  ],
];

describe.each(libraries)('a tokenizer of %s', (_, library) => {
  const tokenizer = adaptTokenizer(library, { name: 'tiny', vocabularySize: tinyVocabularySize });
  const id = (symbol: string) => tinyTokenizer.model.vocab[symbol];

  it('encodes by its merges, without any special token, and decodes again', () => {
    const tokens = tokenizer.encode('the cat, the hat');
    expect(tokens).toEqual(
      ['the', 'Ġ', 'c', 'a', 't', ',', 'Ġthe', 'Ġ', 'h', 'a', 't'].map((symbol) => id(symbol)),
    );
    expect(tokenizer.decode(tokens)).toBe('the cat, the hat');
    expect(tokenizer).toMatchObject({ name: 'tiny', vocabularySize: tinyVocabularySize });
  });

  it('encodes the text of special tokens as ordinary text', () => {
    const text = 'a<|endoftext|>b<|endoftext|>';
    const tokens = tokenizer.encode(text);
    expect(tokens).not.toContain(tinyVocabularySize - 1);
    expect(tokens.slice(0, 3)).toEqual(['a', '<', '|'].map((symbol) => id(symbol)));
    expect(tokenizer.decode(tokens)).toBe(text);
  });

  it('has nothing for nothing', () => {
    expect(tokenizer.encode('')).toEqual([]);
    expect(tokenizer.decode([])).toBe('');
  });

  it('never gives what is no token id', () => {
    let tokens: readonly number[] = [];
    try {
      tokens = tokenizer.encode('the é');
    } catch (error) {
      expect(error).toMatchObject({ code: 'INPUT_INVALID' });
    }
    expect(tokens.every((token) => Number.isInteger(token))).toBe(true);
  });
});
