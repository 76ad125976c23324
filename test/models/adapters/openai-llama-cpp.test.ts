import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Completion, Prompt } from '../../../src/contracts.ts';
import { openOpenAi } from '../../../src/models/adapters/openai.ts';
import {
  openOpenAiLanguageModel,
  type RemoteLanguageModel,
} from '../../../src/models/adapters/openai-language-model.ts';
import { type LlamaServer, noLlamaServer, startLlamaServer } from '../../fixtures/llama-server.ts';

const signal = new AbortController().signal;

/** llama.cpp's own HTTP server and a real model; see `scripts/models/fetch-smollm2.ts`. */
describe.skipIf(noLlamaServer)(noLlamaServer ?? 'a real llama.cpp server', () => {
  let server: LlamaServer;
  let official: OpenAI;
  let model: RemoteLanguageModel;
  beforeAll(async () => {
    server = await startLlamaServer();
    official = new OpenAI({ baseURL: `${server.origin}/v1`, apiKey: 'none', maxRetries: 0 });
    model = openOpenAiLanguageModel(`${server.origin}/v1/completions`);
  });
  afterAll(async () => {
    await model?.close();
    await server?.close();
  });

  const complete = async (prompt: Prompt, sampling = {}, from = model) => {
    const [outcome] = await from.complete([prompt], {
      sampling: { maxTokens: 12, temperature: 0, ...sampling },
      signal,
    });
    if (!outcome || !('answer' in outcome)) throw new Error(`missing: ${outcome?.missing}`);
    return outcome.answer;
  };
  const score = async (context: Int32Array, from = model) => {
    const [outcome] = await from.score([context], { signal });
    if (!outcome || !('answer' in outcome)) throw new Error(`missing: ${outcome?.missing}`);
    return outcome.answer;
  };
  const theirs = (body: object) =>
    official.completions.create({ model: 'smollm2', max_tokens: 12, prompt: '', ...body });

  test('describes itself', async () => {
    expect(await model.describe({ signal })).toEqual({
      name: 'smollm2',
      gives: ['completions', 'token-probabilities'],
    });
    expect((await official.models.list()).data.map(({ id }) => id)).toEqual(['smollm2']);
  });

  test('completes as it does for the official client', async () => {
    const prompt = 'The capital of France is';
    const ours = await complete(prompt);
    expect(ours.text).toMatch(/^ Paris/);
    const reply = await theirs({ prompt, temperature: 0 });
    expect(ours.text).toBe(reply.choices[0]?.text);
    const chat = openOpenAiLanguageModel(`${server.origin}/v1?model=smollm2`);
    const messages = [{ role: 'user' as const, content: 'Say hi.' }];
    const spoken = await official.chat.completions.create({
      model: 'smollm2',
      messages,
      max_tokens: 12,
      temperature: 0,
    });
    const said = await complete('Say hi.', {}, chat);
    expect(said.text).toBe(spoken.choices[0]?.message.content);
    expect(said.tokens).toHaveLength(spoken.usage?.completion_tokens ?? 0);
    await chat.close();
  });

  test('a seed decides what is drawn', async () => {
    const draw = (seed: string) => complete('Once upon a time', { temperature: 1, seed });
    expect(await draw('a')).toEqual(await draw('a'));
    expect((await draw('a')).text).not.toBe((await draw('b')).text);
  });

  test('scores what it goes on to choose, token after token', async () => {
    const prompt = Int32Array.of(504, 3_575, 282, 4_649, 314);
    const { tokens } = await complete(prompt, { maxTokens: 4 });
    expect(tokens).toHaveLength(4);
    for (const [place, token] of (tokens ?? []).entries()) {
      const context = Int32Array.of(...prompt, ...tokens!.slice(0, place));
      const { tokens: listed, logProbabilities } = await score(context);
      expect(listed).toHaveLength(20);
      expect(listed[0]).toBe(token);
      const sum = logProbabilities.reduce((total, value) => total + Math.exp(value), 0);
      expect(sum).toBeGreaterThan(0.3);
      expect(sum).toBeLessThanOrEqual(1 + 1e-6);
    }
  });

  test('draws what its probabilities promise, with nothing cut off', async () => {
    const context = Int32Array.of(504, 3_575, 282, 4_649, 314);
    const { tokens, logProbabilities } = await score(context);
    const expected = Math.exp(logProbabilities[tokens.indexOf(7_042)]!);
    const draws: Completion[] = [];
    for (let draw = 0; draw < 80; draw++) {
      draws.push(await complete(context, { maxTokens: 1, temperature: 1, seed: `draw ${draw}` }));
    }
    const paris = draws.filter(({ text }) => text === ' Paris').length / draws.length;
    const deviation = Math.sqrt((expected * (1 - expected)) / draws.length);
    expect(Math.abs(paris - expected)).toBeLessThan(4 * deviation);
    const common = new Set(tokens);
    const beyondTopTwenty = draws.filter((each) => each.tokens && !common.has(each.tokens[0]!));
    expect(beyondTopTwenty.length).toBeGreaterThan(0);
  });

  test('ids that the server does not give in full are left out', async () => {
    const answer = await complete('My favourite emoji are 🌷🌷🌷🌷🌷🌷', { maxTokens: 8 });
    expect(answer.text).toContain('🌷');
    expect(answer.tokens).toBeUndefined();
  });

  test('a prompt that is too long, or no prompt, costs no other', async () => {
    const prompts = [new Int32Array(3_000).fill(504), Int32Array.of(49_152), Int32Array.of(504)];
    const sampling = { maxTokens: 1, temperature: 0 };
    expect(await model.complete(prompts, { sampling, signal })).toMatchObject([
      { missing: 'unsupported' },
      { missing: 'unsupported' },
      { answer: { tokens: expect.anything() } },
    ]);
  });

  test('classifies reviews, with the probabilities that the official client reads', async () => {
    const prompt = [
      'Review: I loved every minute of it.\nSentiment: positive',
      'Review: A dull, lifeless mess.\nSentiment: negative',
      'Review: {input}\nSentiment:',
    ].join('\n\n');
    const labels = ['positive', 'negative'];
    const classifier = openOpenAi(`${server.origin}/v1/completions`, { labels, prompt });
    const reviews = [
      'The best film of the year, warm and funny.',
      'I walked out after ten minutes. Terrible acting.',
      'Waste of money.',
    ];
    expect(await classifier.describe({ signal })).toMatchObject({
      gives: ['labels', 'probabilities'],
    });
    const outcomes = await classifier.classify(reviews, { signal });
    expect(outcomes.map((each) => 'answer' in each && each.answer.label)).toEqual([
      'positive',
      'negative',
      'negative',
    ]);
    const asked = prompt.replace('{input}', reviews[2]!);
    const reply = await theirs({ prompt: asked, max_tokens: 1, temperature: 0, logprobs: 20 });
    const content = (reply.choices[0]?.logprobs as unknown as OpenAI.Chat.ChatCompletion.Choice.Logprobs).content; // biome-ignore format: one row
    const listed = content?.[0]?.top_logprobs ?? [];
    const theirNegative = listed
      .filter(({ token }) => 'negative'.startsWith(token.trim().toLowerCase() || '?'))
      .reduce((sum, { logprob }) => sum + Math.exp(logprob), 0);
    const last = outcomes[2];
    const ours = last && 'answer' in last ? last.answer.probabilities?.[1] : undefined;
    expect(ours).toBeCloseTo(theirNegative, 5);
    expect(ours).toBeGreaterThan(0.5);
    await classifier.close();
  });
});
