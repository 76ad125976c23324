import type {
  LanguageModelV3CallOptions,
  LanguageModelV3Content,
  LanguageModelV3GenerateResult,
  LanguageModelV3StreamPart,
  LanguageModelV3StreamResult,
  LanguageModelV3Usage,
} from '@ai-sdk/provider';
import { canonicalRequest } from '../proxy/openai/record.ts';

/** Records the text of an answer, and the model that it says it is from. */
export type RecordText = (text: string, modelVersion?: string) => Promise<void>;

/** Returns a call's messages, tools and sampling in RFC 8785 JSON; headers and provider options may hold secrets. */
export function recordedRequest(call: LanguageModelV3CallOptions): string {
  const { abortSignal: _, headers, providerOptions, includeRawChunks, ...question } = call;
  const plain = JSON.stringify(question, (_key, value: unknown) =>
    value instanceof Uint8Array ? Buffer.from(value).toString('base64') : value,
  );
  return canonicalRequest(JSON.parse(plain));
}

/** Returns the text of an answer, as the AI SDK joins it. */
export function textIn({ content }: Pick<LanguageModelV3GenerateResult, 'content'>): string {
  return content.map((part) => (part.type === 'text' ? part.text : '')).join('');
}

/**
 * Passes a stream on as it comes, but for its `finish`, which waits for the record; an error comes in
 * its place where there is none. Where the stream breaks off, what came so far is recorded.
 */
export function recordedStream(
  stream: ReadableStream<LanguageModelV3StreamPart>,
  record: RecordText,
): ReadableStream<LanguageModelV3StreamPart> {
  const reader = stream.getReader();
  let text = '';
  let model: string | undefined;
  let recording: Promise<void> | undefined;
  const recordOnce = () => {
    recording ??= record(text, model);
    return recording;
  };
  const breakOff = async () => {
    if (text !== '') await recordOnce();
  };
  return new ReadableStream({
    async pull(controller) {
      try {
        const { done, value } = await reader.read();
        if (done) {
          await breakOff();
          controller.close();
          return;
        }
        if (value.type === 'text-delta') text += value.delta;
        if (value.type === 'response-metadata') model = value.modelId ?? model;
        if (value.type === 'finish') await recordOnce();
        controller.enqueue(value);
      } catch (error) {
        const cause = await breakOff().then(
          () => error,
          (failure: unknown) => failure,
        );
        controller.enqueue({ type: 'error', error: cause });
        controller.close();
        await reader.cancel(cause).catch(() => undefined);
      }
    },
    async cancel(reason) {
      await reader.cancel(reason);
      await breakOff();
    },
  });
}

/** Returns an answer as the stream that would have brought it. */
export function streamOf(result: LanguageModelV3GenerateResult): LanguageModelV3StreamResult {
  const { content, finishReason, usage, providerMetadata, request, response, warnings } = result;
  const { headers, body: _, ...metadata } = response ?? {};
  const parts: LanguageModelV3StreamPart[] = [
    { type: 'stream-start', warnings },
    { type: 'response-metadata', ...metadata },
    ...content.flatMap(partsOf),
    { type: 'finish', finishReason, usage, ...(providerMetadata && { providerMetadata }) },
  ];
  return {
    stream: new ReadableStream({
      start(controller) {
        for (const part of parts) controller.enqueue(part);
        controller.close();
      },
    }),
    ...(request && { request }),
    ...(headers && { response: { headers } }),
  };
}

/** Returns the tokens of all drafts: they are what the answer cost. */
export function sumUsage(usages: readonly LanguageModelV3Usage[]): LanguageModelV3Usage {
  const sum = (countOf: (usage: LanguageModelV3Usage) => number | undefined) => {
    const counts = usages.map(countOf).filter((count) => count !== undefined);
    return counts.length === 0 ? undefined : counts.reduce((total, count) => total + count, 0);
  };
  return {
    inputTokens: {
      total: sum(({ inputTokens }) => inputTokens.total),
      noCache: sum(({ inputTokens }) => inputTokens.noCache),
      cacheRead: sum(({ inputTokens }) => inputTokens.cacheRead),
      cacheWrite: sum(({ inputTokens }) => inputTokens.cacheWrite),
    },
    outputTokens: {
      total: sum(({ outputTokens }) => outputTokens.total),
      text: sum(({ outputTokens }) => outputTokens.text),
      reasoning: sum(({ outputTokens }) => outputTokens.reasoning),
    },
  };
}

function partsOf(content: LanguageModelV3Content, index: number): LanguageModelV3StreamPart[] {
  if (content.type !== 'text' && content.type !== 'reasoning') return [content];
  const { type, text, providerMetadata } = content;
  const id = String(index);
  const start = { id, ...(providerMetadata && { providerMetadata }) };
  if (type === 'text') {
    return [
      { type: 'text-start', ...start },
      { type: 'text-delta', id, delta: text },
      { type: 'text-end', id },
    ];
  }
  return [
    { type: 'reasoning-start', ...start },
    { type: 'reasoning-delta', id, delta: text },
    { type: 'reasoning-end', id },
  ];
}
