import type {
  JSONObject,
  LanguageModelV3CallOptions,
  LanguageModelV3GenerateResult,
  LanguageModelV3Middleware,
} from '@ai-sdk/provider';
import { TouchmarkError } from '../../errors.ts';
import type { TextAnswer, TextMarking } from '../text-marking.ts';
import {
  type RecordText,
  recordedRequest,
  recordedStream,
  streamOf,
  sumUsage,
  textIn,
} from './ai-sdk-parts.ts';
import { requireText } from './text-of.ts';
import type { Touchmark } from './touchmark.ts';

/** How the AI SDK's answers are marked, and for whom. */
export type AiSdkTouchmarkOptions = {
  /** The tenant, or what finds it; by default `providerOptions.touchmark.tenant` of each call. */
  readonly tenant?: string | ((call: LanguageModelV3CallOptions) => string | undefined);
} & (
  | {
      /** For providers that take a bias: where in `providerOptions` it goes. */
      readonly logitBias: {
        /** `openai`, or the name that a provider of @ai-sdk/openai-compatible was given. */
        readonly provider: string;
        /** `logitBias` by default; `logit_bias` for chat models of @ai-sdk/openai-compatible. */
        readonly option?: string;
      };
      readonly drafts?: never;
    }
  | {
      /** For all others: asks for as many answers, 2 to 64, and serves one; each costs its tokens. */
      readonly drafts: number;
      readonly logitBias?: never;
    }
);

/**
 * Returns a middleware for `wrapLanguageModel` of the AI SDK, version 6, that marks what a model says
 * and records it: an answer resolves, and the `finish` of a stream comes, when the log has it. With a
 * bias all other parts of a stream pass as they come. With drafts the stream begins when all drafts are
 * there; a temperature of 0 has one draft, which carries no mark.
 *
 * @example
 * const model = wrapLanguageModel({
 *   model: openai.chat('gpt-4o-mini'),
 *   middleware: aiSdkTouchmark(touchmark, { tenant: 'acme', logitBias: { provider: 'openai' } }),
 * });
 *
 * @throws TouchmarkError CONFIG_INVALID without a text profile, for one that a bias cannot carry, or for
 *   a number of drafts that is none; calls throw what `TextMarking.begin` and `TextAnswer.record` do
 */
export function aiSdkTouchmark(
  touchmark: Touchmark,
  options: AiSdkTouchmarkOptions,
): LanguageModelV3Middleware {
  const marking = requireText(touchmark);
  requireFit(marking, options);
  const begin = (call: LanguageModelV3CallOptions): TextAnswer =>
    marking.begin(tenantIn(call, options));
  const { logitBias } = options;
  if (logitBias) {
    const biased = (call: LanguageModelV3CallOptions, answer: TextAnswer) =>
      withBiases(call, answer.biases(), logitBias.provider, logitBias.option ?? 'logitBias');
    return {
      specificationVersion: 'v3',
      async wrapGenerate({ model, params }) {
        const answer = begin(params);
        const result = await model.doGenerate(biased(params, answer));
        await recordOf(answer, params, { how: 'logit-bias' })(
          textIn(result),
          result.response?.modelId,
        );
        return result;
      },
      async wrapStream({ model, params }) {
        const answer = begin(params);
        const { stream, ...rest } = await model.doStream(biased(params, answer));
        const record = recordOf(answer, params, { how: 'logit-bias' });
        return { ...rest, stream: recordedStream(stream, record) };
      },
    };
  }
  const generate: NonNullable<LanguageModelV3Middleware['wrapGenerate']> = async ({
    model,
    params,
  }) => {
    const answer = begin(params);
    const calls = draftCalls(params, answer, options.drafts);
    const drafts = await Promise.all(calls.map((each) => model.doGenerate(each)));
    const { index } = answer.choose(drafts.map((draft) => ({ text: textIn(draft) })));
    const chosen: LanguageModelV3GenerateResult = {
      ...drafts[index]!,
      usage: sumUsage(drafts.map(({ usage }) => usage)),
    };
    await recordOf(answer, params, { how: 'drafts', drafts: drafts.length })(
      textIn(chosen),
      chosen.response?.modelId,
    );
    return chosen;
  };
  return {
    specificationVersion: 'v3',
    wrapGenerate: generate,
    wrapStream: async (call) => streamOf(await generate(call)),
  };
}

function recordOf(
  answer: TextAnswer,
  call: LanguageModelV3CallOptions,
  marks: { readonly how: 'logit-bias' | 'drafts'; readonly drafts?: number },
): RecordText {
  const request = recordedRequest(call);
  return (text, modelVersion) =>
    answer.record({
      request,
      texts: [text],
      ...marks,
      ...(modelVersion !== undefined && { modelVersion }),
    });
}

/** A seed would make all drafts alike, so each has its own. */
function draftCalls(
  call: LanguageModelV3CallOptions,
  { watermark }: TextAnswer,
  drafts: number,
): LanguageModelV3CallOptions[] {
  if (!watermark || call.temperature === 0) return [call];
  const { seed } = call;
  return Array.from({ length: drafts }, (_, index) =>
    seed === undefined ? call : { ...call, seed: seed + index },
  );
}

/** The caller's own bias on a token is added to the mark's, from -100 to 100. */
function withBiases(
  call: LanguageModelV3CallOptions,
  biases: ReadonlyMap<number, number>,
  provider: string,
  option: string,
): LanguageModelV3CallOptions {
  if (biases.size === 0) return call;
  const given = call.providerOptions?.[provider] ?? {};
  const merged: JSONObject = { ...(given[option] as JSONObject | undefined) };
  for (const [token, bias] of biases) {
    const own = Number(merged[token] ?? 0);
    merged[token] = Math.max(-100, Math.min(100, own + bias));
  }
  const providerOptions = { ...call.providerOptions, [provider]: { ...given, [option]: merged } };
  return { ...call, providerOptions };
}

function tenantIn(call: LanguageModelV3CallOptions, { tenant }: AiSdkTouchmarkOptions): string {
  const found =
    typeof tenant === 'function'
      ? tenant(call)
      : (tenant ?? call.providerOptions?.['touchmark']?.['tenant']);
  if (typeof found === 'string') return found;
  throw new TouchmarkError('TENANT_UNKNOWN', 'A call to the language model names no tenant.', {
    hint: 'Give it as providerOptions: { touchmark: { tenant } }, or to aiSdkTouchmark.',
  });
}

function requireFit({ profile }: TextMarking, { logitBias, drafts }: AiSdkTouchmarkOptions): void {
  const { name } = profile.scheme;
  if (logitBias && name !== 'biased-list' && name !== 'fixed-green-list') {
    throw new TouchmarkError('CONFIG_INVALID', `A logit bias cannot carry the scheme ${name}.`, {
      hint: 'Use a profile with biased-list or fixed-green-list, or drafts.',
    });
  }
  if (logitBias || (Number.isInteger(drafts) && drafts >= 2 && drafts <= 64)) return;
  throw new TouchmarkError('CONFIG_INVALID', `The number of drafts is ${drafts}.`, {
    hint: 'Ask for 2 to 64, or give logitBias where the provider takes one.',
  });
}
