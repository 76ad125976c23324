import { TouchmarkError } from '../../../errors.ts';
import type { TextProfile } from '../../../watermark/text/profile.ts';
import type { TextMarking } from '../../text-marking.ts';

/** How a server that can only be asked is made to mark. */
export type OpenAiMode =
  | {
      readonly how: 'logit-bias';
      /** Entries that the server takes in one `logit_bias`: 300 or 1,024. */
      readonly limit: number;
    }
  | {
      readonly how: 'drafts';
      /** Answers that one is chosen from: each answer costs as many. */
      readonly drafts: number;
    };

/**
 * Checks that a profile's marks can be carried in a way.
 *
 * @throws TouchmarkError CONFIG_INVALID saying what does not fit
 */
export function requireModeFits(mode: OpenAiMode, { profile, tokenizer }: TextMarking): void {
  if (mode.how === 'drafts') {
    if (tokenizer?.name === profile.tokenizer.name) return;
    throw new TouchmarkError(
      'CONFIG_INVALID',
      `Drafts cannot be read without the profile's tokenizer, ${profile.tokenizer.name}.`,
      { hint: "Give the served model's tokenizer, or mark by a logit_bias." },
    );
  }
  const entries = entriesOf(profile);
  if (entries === undefined) {
    throw new TouchmarkError(
      'CONFIG_INVALID',
      `A logit_bias cannot carry ${profile.scheme.name}: it is the same at every step.`,
      { hint: 'Use a profile with the scheme biased-list, or mark by choosing among drafts.' },
    );
  }
  if (entries <= mode.limit) return;
  throw new TouchmarkError(
    'CONFIG_INVALID',
    `The mark biases ${entries} tokens, and the upstream takes ${mode.limit} in one logit_bias.`,
    { hint: 'Seal a profile with a biased list that is as short.' },
  );
}

/** How many tokens a profile biases, all in all; undefined where it depends on what came before. */
function entriesOf({ scheme, tokenizer }: TextProfile): number | undefined {
  if (scheme.name === 'biased-list') return scheme.tokens.length;
  if (scheme.name !== 'fixed-green-list') return undefined;
  return Math.ceil(scheme.gamma * tokenizer.vocabularySize);
}
