import { describe, expect, test } from 'vitest';
import { createLabelMatcher, languageKey } from '../../../src/models/adapters/label-mapping.ts';

describe('languageKey', () => {
  test.each([
    ['en', ['en', 'eng', 'eng_Latn', 'en-US', 'EN', '__label__en', '__label__eng_Latn']],
    ['de', ['de', 'deu', 'ger', 'deu_1996', 'deu-1901', 'de-AT']],
    ['pt', ['pt', 'por', 'por_PT', 'pt-BR']],
    ['ro', ['ro', 'ron', 'rum', 'ron_2006']],
    ['no', ['no', 'nor', 'nb', 'nob', 'nob_Latn']],
    ['nn', ['nn', 'nno']],
    ['lv', ['lv', 'lav', 'lvs']],
    ['zh', ['zh', 'zho', 'chi', 'cmn', 'cmn_hans', 'zh-Latn']],
    ['et', ['et', 'est', 'ekk']],
    ['fa', ['fa', 'pes', 'fas']],
    ['ar', ['ar', 'arb']],
    ['ms', ['ms', 'zsm', 'msa']],
    ['sq', ['sq', 'sqi', 'als']],
    ['he', ['he', 'heb', 'iw']],
  ])('%s is the key of %j', (key, codes) => {
    expect(codes.map(languageKey)).toEqual(codes.map(() => key));
  });

  test.each([
    '',
    'e',
    'english',
    'spam',
    'class 3',
    'en US',
    'en_',
    '7',
    '__proto__',
    'constructor',
  ])('%j is no language code', (text) => expect(languageKey(text)).toBeUndefined());
});

describe('the matcher', () => {
  test('finds labels by text, by language and by covering language', () => {
    const match = createLabelMatcher(['eng', 'no', 'deu_1996', 'lav']);
    const theirs = ['eng', 'en', 'nb', 'nn', 'nor', 'de', 'lvs', 'ltg', 'fr', 'unknown'];
    expect(theirs.map(match)).toEqual([0, 0, 1, 1, 1, 2, 3, 3, undefined, undefined]);
  });

  test('keeps both Norwegians apart where we do', () => {
    const match = createLabelMatcher(['nob', 'nno']);
    expect(['no', 'nb', 'nn', 'nor'].map(match)).toEqual([0, 0, 1, 0]);
  });

  test('decides nothing by a key that two of our labels share', () => {
    const match = createLabelMatcher(['zho_Hans', 'zho_Hant', 'en']);
    expect(['zh', 'zho_Hant', 'yue', 'eng'].map(match)).toEqual([undefined, 1, undefined, 2]);
  });

  test('lets the label map win, and reads only its own members', () => {
    const match = createLabelMatcher(['ham', 'spam', 'en'], { LABEL_0: 'ham', en: 'spam' });
    expect(['LABEL_0', 'en', 'eng', 'toString', '__proto__'].map(match)).toEqual([
      0,
      1,
      2,
      undefined,
      undefined,
    ]);
  });

  test('refuses a map to a label that is not ours', () => {
    expect(() => createLabelMatcher(['ham', 'spam'], { LABEL_1: 'junk' })).toThrow(
      expect.objectContaining({
        code: 'CONFIG_INVALID',
        message: 'the label map sends "LABEL_1" to "junk", which the protected model does not have',
        hint: 'use one of ham, spam',
      }),
    );
  });
});
