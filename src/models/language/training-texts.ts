import { TouchmarkError } from '../../errors.ts';

/** Stands before the first token of a text; no token id. */
export const startOfText = -1;

/** @throws TouchmarkError INPUT_INVALID naming the first token id outside [0, vocabularySize) */
export function requireTokens(texts: readonly Int32Array[], vocabularySize: number): void {
  for (const [index, text] of texts.entries()) {
    const at = text.findIndex((token) => token < 0 || token >= vocabularySize);
    if (at < 0) continue;
    throw new TouchmarkError(
      'INPUT_INVALID',
      `Training text ${index} has the token id ${text[at]} at position ${at}, outside a vocabulary of ${vocabularySize}.`,
      { hint: 'Encode the texts with the tokenizer whose vocabulary size you give.' },
    );
  }
}

/** @throws TouchmarkError INPUT_INVALID unless the value is a whole number from least to most */
export function requireWhole(what: string, value: number, least: number, most: number): void {
  if (Number.isInteger(value) && value >= least && value <= most) return;
  throw new TouchmarkError('INPUT_INVALID', `The ${what} is ${value}.`, {
    hint: `Use a whole number from ${least} to ${most}.`,
  });
}
