import type {
  LanguageModelV3,
  LanguageModelV3CallOptions,
  LanguageModelV3FinishReason,
  LanguageModelV3StreamPart,
  LanguageModelV3Usage,
} from '@ai-sdk/provider';
import OpenAI from 'openai';

const finishReason: LanguageModelV3FinishReason = { unified: 'length', raw: 'length' };

/** A provider for the AI SDK over the official client: what it takes is in `providerOptions.server`. */
export function openAiProvider(origin: string, modelId: string): LanguageModelV3 {
  const client = new OpenAI({ baseURL: `${origin}/v1`, apiKey: 'none', maxRetries: 0 });
  const asked = (call: LanguageModelV3CallOptions) => ({
    model: modelId,
    messages: call.prompt.map(({ role, content }) => ({
      role: role === 'system' ? ('system' as const) : ('user' as const),
      content:
        typeof content === 'string'
          ? content
          : content.map((part) => (part.type === 'text' ? part.text : '')).join(''),
    })),
    ...(call.maxOutputTokens !== undefined && { max_tokens: call.maxOutputTokens }),
    ...(call.seed !== undefined && { seed: call.seed }),
    logit_bias: (call.providerOptions?.['server']?.['logitBias'] ?? {}) as Record<string, number>,
  });
  return {
    specificationVersion: 'v3',
    provider: 'server.chat',
    modelId,
    supportedUrls: {},
    async doGenerate(call) {
      const { choices, model, usage } = await client.chat.completions.create(asked(call));
      return {
        content: [{ type: 'text', text: choices[0]?.message.content ?? '' }],
        finishReason,
        usage: usageOf(usage?.prompt_tokens, usage?.completion_tokens),
        response: { modelId: model },
        warnings: [],
      };
    },
    async doStream(call) {
      const chunks = await client.chat.completions.create({ ...asked(call), stream: true });
      async function* parts(): AsyncGenerator<LanguageModelV3StreamPart> {
        yield { type: 'stream-start', warnings: [] };
        yield { type: 'text-start', id: '1' };
        for await (const { choices } of chunks) {
          const delta = choices[0]?.delta.content;
          if (delta) yield { type: 'text-delta', id: '1', delta };
        }
        yield { type: 'text-end', id: '1' };
        yield { type: 'finish', finishReason, usage: usageOf(undefined, undefined) };
      }
      return { stream: ReadableStream.from(parts()) as ReadableStream<LanguageModelV3StreamPart> };
    },
  };
}

export function usageOf(
  input: number | undefined,
  output: number | undefined,
): LanguageModelV3Usage {
  return {
    inputTokens: { total: input, noCache: input, cacheRead: undefined, cacheWrite: undefined },
    outputTokens: { total: output, text: output, reasoning: undefined },
  };
}
