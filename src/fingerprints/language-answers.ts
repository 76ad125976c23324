import { z } from 'zod';

/** The answers of a language model as a fingerprint holds them. */
export const languageAnswersSchema = z.strictObject({
  /** Texts by [temperature, prompt, sample]; null where none came. */
  completions: z.array(z.array(z.array(z.string().nullable()))),
  /**
   * The likeliest next tokens after each context, best first, at most `top` of them; null where no
   * answer came, and absent for models that do not tell.
   */
  topTokens: z.array(z.array(z.int().nonnegative()).nullable()).exactOptional(),
  /** Natural log-probabilities of the same tokens. */
  topLogProbabilities: z.array(z.array(z.number()).nullable()).exactOptional(),
});
export type LanguageAnswers = z.infer<typeof languageAnswersSchema>;
