import { TouchmarkError } from '../../../errors.ts';
import type { TextWatermark } from '../watermark.ts';

/**
 * Returns the biases that embed a mark through an API's `logit_bias`: token ids of the profile's
 * tokenizer, which must be the served model's, with the logits to add. A biased list gives each of
 * its tokens +bias or -bias, most telling first; a fixed green list its green tokens +delta, lowest
 * ids first.
 *
 * @throws TouchmarkError USAGE when the marks of the profile depend on a context
 */
export function apiBiases({ profile, scheme }: TextWatermark): ReadonlyMap<number, number> {
  const biases = new Map<number, number>();
  if (profile.scheme.name === 'biased-list' && scheme.signed) {
    const { tokens, signs } = scheme.signed;
    const { bias } = profile.scheme;
    for (let index = 0; index < tokens.length; index++) {
      biases.set(tokens[index]!, bias * signs[index]!);
    }
    return biases;
  }
  if (profile.scheme.name === 'fixed-green-list' && scheme.green) {
    const green = scheme.green.list(new Int32Array(0), profile.tokenizer.vocabularySize);
    for (let token = 0; token < green.length; token++) {
      if (green[token] === 1) biases.set(token, profile.scheme.delta);
    }
    return biases;
  }
  throw new TouchmarkError('USAGE', `A logit_bias cannot carry ${profile.scheme.name}.`, {
    hint: 'It is the same at every step: use a profile with the scheme biased-list or fixed-green-list.',
  });
}
