import { TouchmarkError } from '../../errors.ts';
import type { TextMarking } from '../text-marking.ts';
import type { Touchmark } from './touchmark.ts';

/** Returns what marks texts. @throws TouchmarkError CONFIG_INVALID without a text profile */
export function requireText({ text }: Touchmark): TextMarking {
  if (text) return text;
  throw new TouchmarkError('CONFIG_INVALID', 'No text profile was given for language models.', {
    hint: 'Give openTouchmark `text: { profile: PATH }`; docs/text-profiles has examples.',
  });
}
