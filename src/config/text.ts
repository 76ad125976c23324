import { z } from 'zod';

/** How a language model's answers are marked, where `model.upstream` is `openai:`. */
export const textSchema = z
  .strictObject({
    mark: z
      .enum(['logit-bias', 'drafts'])
      .default('logit-bias')
      .describe(
        'logit-bias makes some tokens likelier; drafts asks several times and keeps one answer.',
      ),
    tokenizer: z
      .string()
      .min(1)
      .default('gpt-tokenizer:o200k_base')
      .describe("The served model's: gpt-tokenizer:NAME, or the folder of its tokenizer.json."),
    totalVariation: z
      .number()
      .positive()
      .max(0.5)
      .default(0.03)
      .describe(
        'How far a logit-bias may move the distribution of a token on average; at most 0.5.',
      ),
    biasEntries: z
      .int()
      .min(1)
      .max(65_536)
      .default(300)
      .describe('Tokens that the model server takes in one logit_bias: often 300 or 1024.'),
    drafts: z
      .int()
      .min(2)
      .max(32)
      .default(4)
      .describe('Drafts for one answer, 2 to 32: each answer costs as many.'),
  })
  .prefault({})
  .describe('The mark of a language model. Fixed once .touchmark/text-profile.json is sealed.');

export type TextConfig = Readonly<z.output<typeof textSchema>>;
