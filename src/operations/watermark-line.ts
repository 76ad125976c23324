import { z } from 'zod';
import type { Tokenizer } from '../contracts.ts';
import type { TokenText } from '../watermark/text/token-pairs.ts';
import { lineError } from './json-lines.ts';

/** Decides whether something is a list of token ids that fit into 32 bits. */
export function isTokenList(value: unknown): value is number[] {
  if (!Array.isArray(value)) return false;
  for (const token of value) {
    if (typeof token !== 'number' || (token | 0) !== token) return false;
  }
  return true;
}

/** Decides whether something is a list of numbers in the range of float32, and null. */
export function isLogitList(value: unknown): value is (number | null)[] {
  if (!Array.isArray(value) || value.length === 0) return false;
  return value.every(
    (logit) => logit === null || (typeof logit === 'number' && Number.isFinite(Math.fround(logit))),
  );
}

const longestProblem = 200;

function shortened(text: string): string {
  return text.length > longestProblem ? `${text.slice(0, longestProblem)}…` : text;
}

/** Returns what a line says under a schema. @throws TouchmarkError INPUT_INVALID naming the fields */
export function readLine<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
): z.infer<Schema> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.slice(0, 3).map(({ path, message }) => {
    const where = path.join('.') || 'the line';
    return shortened(`${where}: ${message}`);
  });
  throw lineError(problems.join('; '), 'See --help for the fields of a line.');
}

const tokenList = z.custom<number[]>(isTokenList, 'not a list of token ids');

const textSchema = z
  .strictObject({
    id: z.union([z.string(), z.number()]).optional(),
    tokens: tokenList.optional(),
    text: z.string().optional(),
    prompt: z.union([z.string(), tokenList]).optional(),
    promptLength: z.int().min(0).optional(),
    tokenizer: z.string().optional(),
  })
  .refine(({ tokens, text }) => (tokens === undefined) !== (text === undefined), {
    message: 'give either tokens or text',
  })
  .refine(({ promptLength, prompt }) => promptLength === undefined || prompt === undefined, {
    message: 'give either prompt or promptLength',
  })
  .refine(({ text, promptLength }) => text === undefined || promptLength === undefined, {
    message: 'promptLength counts tokens: with a text give the prompt',
  });

/** A text to test, as one line gives it. */
export interface LineText {
  readonly text: TokenText;
  readonly promptKnown: boolean;
  /** What the line says made its ids, or the tokenizer that has just made them. */
  readonly tokenizerName?: string;
}

/**
 * Reads `{"tokens": [...]}` or `{"text": "..."}`, with `promptLength` (how many of the tokens are
 * the prompt) or `prompt` (a text or ids that come before), and the tokenizer's name if it is told.
 *
 * @throws TouchmarkError INPUT_INVALID for other lines, and for texts without a tokenizer at hand
 */
export function readText(value: unknown, tokenizer: Tokenizer | undefined): LineText {
  const line = readLine(textSchema, value);
  const prompt = idsOf(line.prompt ?? [], tokenizer);
  const output = idsOf(line.text ?? line.tokens ?? [], tokenizer);
  const promptLength = line.promptLength ?? prompt.length;
  if (promptLength > prompt.length + output.length) {
    throw lineError(
      `promptLength is ${promptLength}, but there are ${output.length} tokens.`,
      'tokens begin with the prompt, and promptLength counts its tokens.',
    );
  }
  const name = line.tokenizer ?? (line.text === undefined ? undefined : tokenizer?.name);
  return {
    text: { tokens: Int32Array.from([...prompt, ...output]), promptLength },
    promptKnown: line.promptLength !== undefined || line.prompt !== undefined,
    ...(name !== undefined && { tokenizerName: name }),
  };
}

function idsOf(
  given: string | readonly number[],
  tokenizer: Tokenizer | undefined,
): readonly number[] {
  if (typeof given !== 'string') return given;
  if (tokenizer !== undefined) return tokenizer.encode(given);
  throw lineError(
    "The line has a text, but the profile's tokenizer is not at hand.",
    'Give token ids, or the folder of its tokenizer.json with --tokenizer.',
  );
}
