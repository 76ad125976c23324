import { z } from 'zod';

const token = z.string().max(4096);
/** Natural logarithm; servers write -9999 or the like for minus infinity. */
const logProbability = z.number().max(1e-3);
const tokenId = z.int().min(0).max(0x7fffffff);

const listed = z.object({ token, logprob: logProbability, id: tokenId.optional() });
const drawn = listed.extend({ top_logprobs: z.array(listed).max(4096).optional() });

/** Chat's form of log-probabilities; llama.cpp, with token ids, and Ollama give it for completions too. */
const contentLogprobs = z.object({ content: z.array(drawn).max(131_072).nullish() });
/** The form of the older completions API. */
const columnLogprobs = z.object({
  tokens: z.array(token).max(131_072).nullish(),
  token_logprobs: z.array(logProbability.nullable()).max(131_072).nullish(),
  top_logprobs: z.array(z.record(token, logProbability).nullable()).max(131_072).nullish(),
});

const text = z.string().max(4 * 2 ** 20);
const choice = {
  finish_reason: z.string().max(64).nullish(),
  token_ids: z.array(tokenId).max(131_072).nullish(),
};

const usage = z.object({ completion_tokens: tokenId.optional() }).nullish();

const chatReply = z.object({
  usage,
  choices: z
    .array(
      z.object({
        ...choice,
        message: z.object({ content: text.nullish(), refusal: text.nullish() }),
        logprobs: contentLogprobs.nullish(),
      }),
    )
    .min(1)
    .max(16),
});

const completionReply = z.object({
  usage,
  choices: z
    .array(z.object({ ...choice, text, logprobs: contentLogprobs.and(columnLogprobs).nullish() }))
    .min(1)
    .max(16),
});

/** What a reply of either API must look like. */
export const openAiReplies: Readonly<Record<'chat' | 'completions', z.ZodType<OpenAiDocument>>> = {
  chat: chatReply,
  completions: completionReply,
};
export type OpenAiDocument = z.infer<typeof chatReply> | z.infer<typeof completionReply>;

/** What the list of models must look like. */
export const modelList = z.object({
  data: z.array(z.object({ id: z.string().min(1).max(512) })).max(10_000),
});

/** A token that could have come next. */
export interface ListedToken {
  readonly text: string;
  readonly id?: number;
  /** Natural logarithm. */
  readonly logProbability: number;
}

/** What a server answered, whichever API it was asked by. */
export interface OpenAiReply {
  readonly text: string;
  /** The model or a filter before it would not answer. */
  readonly refused: boolean;
  /** The tokens as drawn; absent unless the server gives the ids of all of them. */
  readonly tokens?: Int32Array;
  /** What the first token could have been; absent when the server does not tell. */
  readonly first?: FirstToken;
}

/** The first token that a model drew, which need not be the text's: it may have thought before. */
export interface FirstToken {
  readonly drawn: string;
  /** Most likely first, the one drawn among them or behind them. */
  readonly listed: readonly ListedToken[];
}

/**
 * Returns the first choice of a checked reply. Ids that stand in chat's form of log-probabilities count
 * only when there are as many as tokens were drawn: llama.cpp puts the tokens that make up one character
 * together and gives the id of the last.
 */
export function readChoice(reply: OpenAiDocument): OpenAiReply {
  const chosen = reply.choices[0]!;
  const message = 'message' in chosen ? chosen.message : { content: chosen.text };
  const { content, columns } = logprobsOf(chosen.logprobs);
  const all = content !== undefined && content.length === reply.usage?.completion_tokens;
  const ids =
    chosen.token_ids ?? (all ? content.map(idOf) : undefined) ?? columns?.tokens?.map(idFromText);
  const whole = ids?.every((id) => id !== undefined) ? Int32Array.from(ids) : undefined;
  const listed =
    content?.[0]?.top_logprobs?.map(fromList) ?? fromColumn(columns?.top_logprobs?.[0]) ?? [];
  const drawn = content?.[0]?.token ?? columns?.tokens?.[0] ?? '';
  const filtered = chosen.finish_reason === 'content_filter';
  const refusal = 'refusal' in message ? message.refusal : undefined;
  return {
    text: message.content ?? '',
    refused: filtered || (typeof refusal === 'string' && refusal !== ''),
    ...(whole !== undefined && whole.length > 0 && { tokens: whole }),
    ...(listed.length > 0 && { first: { drawn, listed } }),
  };
}

type Columns = z.infer<typeof columnLogprobs>;

function logprobsOf(
  logprobs: (z.infer<typeof contentLogprobs> & Partial<Columns>) | null | undefined,
): { readonly content?: readonly z.infer<typeof drawn>[]; readonly columns?: Columns } {
  if (logprobs === null || logprobs === undefined) return {};
  if (logprobs.content) return { content: logprobs.content };
  return { columns: logprobs };
}

/** vLLM writes `token_id:17` in the place of a token when asked to. */
function idFromText(text: string): number | undefined {
  const digits = /^token_id:(\d{1,9})$/.exec(text)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

function idOf({ token, id }: z.infer<typeof listed>): number | undefined {
  return id ?? idFromText(token);
}

function fromList(entry: z.infer<typeof listed>): ListedToken {
  const id = idOf(entry);
  return {
    text: entry.token,
    logProbability: entry.logprob,
    ...(id !== undefined && { id }),
  };
}

function fromColumn(
  column: Readonly<Record<string, number>> | null | undefined,
): readonly ListedToken[] | undefined {
  if (!column) return undefined;
  return Object.entries(column).map(([token, logprob]) => fromList({ token, logprob }));
}
