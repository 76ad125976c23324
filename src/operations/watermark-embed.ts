import { z } from 'zod';
import { TouchmarkError } from '../errors.ts';
import { apiBiases } from '../watermark/text/api/api-biases.ts';
import type { TextWatermark } from '../watermark/text/watermark.ts';
import { type FailedLine, idOf, type LineStream, lineError, mapJsonLines } from './json-lines.ts';
import { isLogitList, isTokenList, readLine } from './watermark-line.ts';
import { openWatermark, type WatermarkOptions } from './watermark-open.ts';

const stepSchema = z.strictObject({
  id: z.union([z.string(), z.number()]).optional(),
  tokens: z.custom<number[]>(isTokenList, 'not a list of token ids'),
  promptLength: z.int().min(0),
  candidates: z.custom<number[]>(isTokenList, 'not a list of token ids').optional(),
  logits: z.custom<(number | null)[]>(isLogitList, 'not a list of numbers and null'),
  temperature: z.number().positive().optional(),
  topK: z.int().min(1).optional(),
});
type Step = z.infer<typeof stepSchema>;

/** The marked logits of one decoding step, in the form in which they came. */
export interface MarkedStep {
  readonly line: number;
  readonly id?: string | number;
  readonly candidates?: readonly number[];
  /** Null for a token that cannot come any more. */
  readonly logits: readonly (number | null)[];
  /** The mark moved something: contexts that are too short, or repeated, are left alone. */
  readonly marked: boolean;
  /** The only token that is left, where the scheme has chosen it. */
  readonly chosen?: number;
}

/**
 * Marks decoding steps, each from its line alone: `{"tokens": [...], "promptLength": n, "logits":
 * [...]}` with a logit for every token id, or for those in `candidates`. Repeated contexts are found
 * among the tokens given.
 */
export async function* embedLines(
  stream: LineStream,
  options: WatermarkOptions,
): AsyncGenerator<readonly (MarkedStep | FailedLine)[]> {
  const { watermark } = await openWatermark(options);
  const { vocabularySize } = watermark.profile.tokenizer;
  const scratch = new Float32Array(vocabularySize);
  yield* mapJsonLines(stream, (value, line) => {
    const step = readLine(stepSchema, value);
    if (step.promptLength > step.tokens.length) {
      throw lineError(
        `promptLength is ${step.promptLength}, but there are ${step.tokens.length} tokens.`,
        'tokens begin with the prompt, and promptLength counts its tokens.',
      );
    }
    const logits = step.candidates ? scatter(step, step.candidates, scratch) : dense(step.logits);
    return { line, ...idOf(value), ...markStep(watermark, step, logits) };
  });
}

/**
 * Returns the `logit_bias` that embeds a biased list, or a fixed green list, through an API that takes
 * one: token ids of the served model with biases. The APIs that look like OpenAI's take biases from
 * -100 to 100; some take a few hundred tokens only.
 *
 * @param options.limit the most tokens: the most telling of a biased list, which is best chosen for
 *   the limit; the lowest ids of a green list, since a byte-pair encoding numbers its commonest tokens
 *   first
 * @throws TouchmarkError USAGE when the profile's marks depend on a context, or for a limit below 1
 */
export async function logitBias(
  options: WatermarkOptions & { readonly limit?: number },
): Promise<Record<string, number>> {
  const { limit = 2 ** 31 } = options;
  if (!Number.isInteger(limit) || limit < 1) {
    throw new TouchmarkError('USAGE', `The limit ${limit} is not a number of tokens.`, {
      hint: 'Give a whole number from 1 on.',
    });
  }
  const { watermark } = await openWatermark(options);
  return Object.fromEntries([...apiBiases(watermark)].slice(0, limit));
}

function markStep(
  watermark: TextWatermark,
  { tokens, candidates, logits, promptLength, temperature, topK }: Step,
  vector: Float32Array,
): Omit<MarkedStep, 'line' | 'id'> {
  const marker = watermark.marker({
    promptLength,
    ...(temperature !== undefined && { temperature }),
    ...(topK !== undefined && { topK }),
  });
  marker.mark(vector, Int32Array.from(tokens));
  const marked = logits.map((_, index) => toJson(vector[candidates?.[index] ?? index]!));
  const left = marked.flatMap((logit, index) => (logit === null ? [] : [index]));
  const only = left.length === 1 ? left[0] : undefined;
  return {
    ...(candidates && { candidates }),
    logits: marked,
    marked: logits.some((logit, index) => toJson(fromJson(logit)) !== marked[index]),
    ...(only !== undefined && { chosen: candidates?.[only] ?? only }),
  };
}

function dense(logits: readonly (number | null)[]): Float32Array {
  return Float32Array.from(logits, fromJson);
}

function scatter(
  { logits }: Step,
  candidates: readonly number[],
  vector: Float32Array,
): Float32Array {
  if (candidates.length !== logits.length) {
    throw lineError(
      `${candidates.length} candidates have ${logits.length} logits.`,
      'Give one logit for each candidate.',
    );
  }
  vector.fill(-Infinity);
  for (const [index, token] of candidates.entries()) {
    if (token < 0 || token >= vector.length) {
      throw lineError(
        `The candidate ${token} is outside 0 to ${vector.length - 1}.`,
        "See whether the profile's tokenizer is the model's.",
      );
    }
    vector[token] = fromJson(logits[index]!);
  }
  if (new Set(candidates).size === candidates.length) return vector;
  throw lineError('A candidate occurs twice.', 'Give every candidate once, with its logit.');
}

/** JSON has no infinities: null is the logit of what cannot come. */
function fromJson(logit: number | null): number {
  return logit === null ? -Infinity : Math.fround(logit);
}

function toJson(logit: number): number | null {
  return Number.isFinite(logit) ? logit : null;
}
