import type { Tokenizer } from '../../../contracts.ts';
import { RequestError } from '../../failures.ts';
import type { TextAnswer } from '../../text-marking.ts';
import { unusable } from '../upstream-connection.ts';
import type { Choice, Reply } from './reply.ts';
import type { OpenAiRequest, OpenAiRoute } from './request.ts';

/** Asks the upstream for whole answers. */
export type AskWhole = (
  route: OpenAiRoute,
  body: Readonly<Record<string, unknown>>,
  signal: AbortSignal,
) => Promise<Reply>;

interface Draft {
  readonly choice: Choice;
  /** Tokens of this draft, where the upstream counted it alone. */
  readonly tokens: number | undefined;
}

interface Drafts {
  readonly reply: Reply;
  readonly drafts: readonly Draft[];
}

const largestSeed = 2 ** 31;

/**
 * Returns what asks for drafts of one answer: all at once by `n`, or, of an upstream that refuses that
 * or gives fewer, in requests of one each, which is then remembered. With a `seed` each of those has
 * the next one, so that the same seed gives the same drafts.
 */
export function createDrafter(ask: AskWhole) {
  let takesSeveral = true;

  const askTogether = async (
    { route, body }: OpenAiRequest,
    count: number,
    signal: AbortSignal,
  ): Promise<readonly Reply[]> => {
    if (!takesSeveral) return [];
    try {
      return [await ask(route, { ...body, n: count }, signal)];
    } catch (error) {
      const refuses = error instanceof RequestError && [400, 422].includes(error.status);
      if (!refuses || count === 1) throw error;
      return [];
    }
  };

  return async (request: OpenAiRequest, count: number, signal: AbortSignal): Promise<Drafts> => {
    const { route, body, seed } = request;
    const together = await askTogether(request, count, signal);
    const missing = count - (together[0]?.choices.length ?? 0);
    const alone = await allOrNone(Math.max(0, missing), signal, (place, any) => {
      const next = seed === undefined ? {} : { seed: nextSeed(seed, count - missing + place) };
      return ask(route, { ...body, n: 1, ...next }, any);
    });
    if (missing > 0 && count > 1) takesSeveral = false;
    const replies = [...together, ...alone];
    const drafts = replies.flatMap(({ choices, completionTokens }) =>
      choices.map((choice) => ({
        choice,
        tokens: choices.length === 1 ? completionTokens : undefined,
      })),
    );
    if (drafts.length < count) throw unusable('has no choice');
    return { reply: replies[0]!, drafts: drafts.slice(0, count) };
  };
}

/** Where one fails the others are of no use, and are stopped. */
async function allOrNone(
  count: number,
  signal: AbortSignal,
  askOne: (place: number, signal: AbortSignal) => Promise<Reply>,
): Promise<readonly Reply[]> {
  const stop = new AbortController();
  const any = AbortSignal.any([signal, stop.signal]);
  try {
    return await Promise.all(Array.from({ length: count }, (_, place) => askOne(place, any)));
  } catch (cause) {
    stop.abort(cause);
    throw cause;
  }
}

function nextSeed(seed: number, place: number): number {
  return (seed + place) % largestSeed;
}

/**
 * Returns the reply of the drafts that the key chooses, one of each `size` in their order.
 *
 * A tool call is no text: where the first draft calls a tool it is served, so that tools are called as
 * often as the model would; else one is chosen among the drafts that do not. `usage` counts what is
 * served, not what it cost.
 */
export function chooseReply(
  { reply, drafts }: Drafts,
  size: number,
  answer: TextAnswer,
  tokenizer: Tokenizer,
): Reply {
  const chosen: Draft[] = [];
  for (let from = 0; from + size <= drafts.length; from += size) {
    chosen.push(chooseOne(drafts.slice(from, from + size), answer));
  }
  const completionTokens = chosen.reduce(
    (sum, { choice, tokens }) => sum + (tokens ?? tokenizer.encode(choice.text).length),
    0,
  );
  const promptTokens = reply.promptTokens ?? 0;
  const { timings: _, ...document } = reply.document;
  const usage = {
    prompt_tokens: promptTokens,
    completion_tokens: completionTokens,
    total_tokens: promptTokens + completionTokens,
  };
  return {
    ...reply,
    completionTokens,
    document: { ...document, ...(reply.promptTokens !== undefined && { usage }) },
    choices: chosen.map(({ choice }, index) => ({
      ...choice,
      index,
      document: { ...choice.document, index },
    })),
  };
}

function chooseOne(drafts: readonly Draft[], answer: TextAnswer): Draft {
  const [first] = drafts;
  if (first!.choice.callsTool) return first!;
  const spoken = drafts.filter(({ choice }) => !choice.callsTool);
  return spoken[answer.choose(spoken.map(({ choice: { text } }) => ({ text }))).index]!;
}
