import { z } from 'zod';

export const promptKinds = ['open', 'refusal'] as const;

/**
 * What a language model is asked for its fingerprint. The sampling settings are part of it, so that
 * fingerprints of one probe set share them.
 */
export const languageProbeSetSchema = z
  .strictObject({
    schema: z.literal('touchmark/probe-set@1'),
    task: z.literal('language'),
    name: z.string().min(1).max(200),
    prompts: z
      .array(
        z.strictObject({
          text: z.string().min(1).max(100_000),
          /** `refusal`: one that many models decline. */
          kind: z.enum(promptKinds),
        }),
      )
      .min(1)
      .max(10_000),
    /** Every prompt is completed `samples` times at each; 0 is the likeliest text. */
    temperatures: z.array(z.number().min(0).max(10)).min(1).max(16),
    samples: z.int().min(1).max(1000),
    /** Tokens of a completion at most. */
    maxTokens: z.int().min(1).max(100_000),
    /** Token ids before the next token, for models that tell its probabilities. */
    contexts: z.array(z.array(z.int().nonnegative()).min(1)).max(100_000),
    /** Whose ids the contexts are. */
    tokenizer: z.string().nullable(),
    /** Tokens kept of each next-token distribution, the likeliest first. */
    top: z.int().min(1).max(1000),
  })
  .superRefine(({ temperatures, contexts, tokenizer }, issues) => {
    if (new Set(temperatures).size < temperatures.length)
      issues.addIssue('names a temperature twice');
    if (contexts.length > 0 && tokenizer === null)
      issues.addIssue('has contexts without saying whose token ids they are');
  });
export type LanguageProbeSet = z.infer<typeof languageProbeSetSchema>;
