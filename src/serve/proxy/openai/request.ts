import { z } from 'zod';
import { shown } from '../../../models/adapters/excerpt.ts';
import { RequestError } from '../../failures.ts';
import { readDocument } from '../../fronts/documents.ts';
import { invalid } from '../../inputs.ts';
import { canonicalRequest } from './record.ts';
import { requireServable } from './refusals.ts';

/** The two ways to ask for text. */
export type OpenAiRoute = 'chat' | 'completions';

/** Where they lie under the base path. */
export const routePaths: Readonly<Record<OpenAiRoute, string>> = {
  chat: '/chat/completions',
  completions: '/completions',
};

/** What a client asks, as far as the gateway has to know. */
export interface OpenAiRequest {
  readonly route: OpenAiRoute;
  /** Everything that the client sent. */
  readonly body: Readonly<Record<string, unknown>>;
  /** The body in RFC 8785 JSON, for the record. */
  readonly canonical: string;
  readonly stream: boolean;
  readonly includesUsage: boolean;
  /** Prompts, in one request to completions; chat has one. */
  readonly prompts: number;
  /** Answers to each prompt. */
  readonly n: number;
  readonly seed: number | undefined;
  /** There is but one answer, which every draft would be. */
  readonly isGreedy: boolean;
  readonly bias: ReadonlyMap<string, number>;
}

const mostChoices = 128;
const number = (least: number, most: number) =>
  z.number('must be a number').min(least, `must be at least ${least}`).max(most, `must be at most ${most}`); // biome-ignore format: one row

/** OpenAI's own form only: ids as texts, and numbers. */
const logitBias = z.record(
  z.string().regex(/^(0|[1-9]\d{0,8})$/, 'must be token ids'),
  number(-100, 100),
  'must be an object of token ids and numbers',
);

const fields = z.object({
  model: z.string('must be a string').max(512, 'must have at most 512 characters').nullish(),
  stream: z.boolean('must be true or false').nullish(),
  stream_options: z
    .looseObject({ include_usage: z.boolean('must be true or false').nullish() })
    .nullish(),
  n: z.int('must be a whole number').min(1, 'must be at least 1').max(mostChoices).nullish(),
  seed: z.int('must be a whole number').nullish(),
  temperature: number(0, 100).nullish(),
  logit_bias: logitBias.nullish(),
});

/**
 * Reads a request to a language model.
 *
 * @param options.models those that may be asked for, the first when none is named; all without it
 * @param options.marked the answer is to be marked, so that nothing may be asked that shows it unmarked
 * @throws RequestError 400 naming the field, 404 for a model that is not served
 */
export function readRequest(
  route: OpenAiRoute,
  given: unknown,
  options: { readonly models: readonly string[] | undefined; readonly marked: boolean },
): OpenAiRequest {
  const document = readDocument(z.record(z.string(), z.unknown()), given, 'the body');
  const { model, stream, stream_options, n, seed, temperature, logit_bias } = readDocument(
    fields,
    document,
    'the body',
  );
  if (options.marked) requireServable(document);
  return {
    route,
    body: { ...document, ...named(model, options.models) },
    canonical: canonicalRequest(document),
    stream: stream ?? false,
    includesUsage: stream_options?.include_usage ?? false,
    prompts: promptsIn(route, document['prompt']),
    n: n ?? 1,
    seed: seed ?? undefined,
    isGreedy: temperature === 0,
    bias: new Map(Object.entries(logit_bias ?? {})),
  };
}

function named(
  model: string | null | undefined,
  models: readonly string[] | undefined,
): { readonly model?: string } {
  if (models === undefined) return {};
  const wanted = model ?? models[0]!;
  if (models.includes(wanted)) return { model: wanted };
  throw new RequestError(404, `the model ${shown(wanted)} is not served here`);
}

function promptsIn(route: OpenAiRoute, prompt: unknown): number {
  if (route === 'chat' || !Array.isArray(prompt) || typeof prompt[0] === 'number') return 1;
  if (prompt.length > 0 && prompt.length <= mostChoices) return prompt.length;
  throw invalid(`prompt: must hold 1 to ${mostChoices} prompts`);
}

/**
 * Returns a request's body with what the mark adds to its `logit_bias`. Where a client biases the same
 * token the two are added, from -100 to 100; its own entries never push out one of the mark's.
 *
 * @param limit entries that the upstream takes
 * @throws RequestError 400 when they are too many together
 */
export function withBiases(
  { body, bias }: OpenAiRequest,
  marks: ReadonlyMap<number, number>,
  limit: number,
): Readonly<Record<string, unknown>> {
  if (marks.size === 0) return body;
  const merged: Record<string, number> = {};
  for (const [token, value] of marks) merged[token] = value;
  let entries = marks.size;
  for (const [token, value] of bias) {
    const mark = merged[token];
    if (mark === undefined) entries += 1;
    merged[token] = Math.max(-100, Math.min(100, value + (mark ?? 0)));
  }
  if (entries > limit) {
    throw invalid(`logit_bias: holds too many tokens; send at most ${limit - marks.size}`);
  }
  return { ...body, logit_bias: merged };
}
