import type { Choice, Reply } from './reply.ts';
import type { OpenAiRequest } from './request.ts';
import { asEvent } from './server-sent-events.ts';

/**
 * Words a whole reply as a stream: for each answer an event with all of it and one that ends it, then the
 * usage where it was asked for, and `[DONE]`.
 */
export function wordAsStream(reply: Reply, { route, includesUsage }: OpenAiRequest): string {
  const { usage, ...document } = reply.document;
  const object = route === 'chat' ? 'chat.completion.chunk' : 'text_completion';
  const word = (choices: readonly object[], more: object = {}) =>
    asEvent(JSON.stringify({ ...document, object, choices, ...more }));
  const pieces = reply.choices.flatMap((choice) =>
    (route === 'chat' ? chatPieces(choice) : textPieces(choice)).map((piece) => word([piece])),
  );
  const last = includesUsage ? [word([], { usage })] : [];
  return [...pieces, ...last, asEvent('[DONE]')].join('');
}

function chatPieces({ index, document }: Choice): object[] {
  const { message, finish_reason } = document;
  const { tool_calls, ...spoken } = message as { readonly tool_calls?: readonly object[] };
  const calls = tool_calls?.map((call, place) => ({ index: place, ...call }));
  const delta = { ...spoken, ...(calls && { tool_calls: calls }) };
  return [
    { index, delta, finish_reason: null },
    { index, delta: {}, finish_reason },
  ];
}

function textPieces({ index, document }: Choice): object[] {
  const { text, finish_reason } = document;
  return [{ index, text, logprobs: null, finish_reason }];
}
