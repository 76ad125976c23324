import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, expectTypeOf, test } from 'vitest';
import { openOpenAi } from '../../../src/models/adapters/openai.ts';
import {
  bodyOf,
  type ChatBody,
  type CompletionBody,
} from '../../../src/models/adapters/openai-body.ts';
import { openOpenAiLanguageModel } from '../../../src/models/adapters/openai-language-model.ts';
import type { OpenAiDocument } from '../../../src/models/adapters/openai-wire.ts';
import {
  type FakeChatParams,
  type FakeCompletionParams,
  type FakeServer,
  startFakeOpenAi,
} from '../../fixtures/openai-fake.ts';
import * as openAi from '../../fixtures/openai-openai.ts';

type ChatParams = OpenAI.Chat.ChatCompletionCreateParamsNonStreaming;
type CompletionParams = OpenAI.CompletionCreateParamsNonStreaming;

let server: FakeServer;
let official: OpenAI;
beforeAll(async () => {
  server = await startFakeOpenAi({
    chat: ({ messages }) => {
      const { content } = messages.at(-1)!;
      return content.includes('unspeakable') ? openAi.refused : openAi.chat;
    },
    complete: ({ prompt, max_tokens }) => {
      const [choice] = openAi.completion.choices;
      const text = `${prompt.length} in, ${max_tokens} out`;
      return { ...openAi.completion, choices: [{ ...choice!, text }] };
    },
  });
  official = new OpenAI({ baseURL: `${server.origin}/v1`, apiKey: 'none', maxRetries: 0 });
});
afterAll(() => server.close());

const signal = new AbortController().signal;
const labels = ['sport', 'politics', 'science'];

test('requests and replies have the types of the official client (checked by tsc)', () => {
  expectTypeOf<ChatBody>().toExtend<ChatParams>();
  expectTypeOf<CompletionBody>().toExtend<CompletionParams>();
  expectTypeOf<FakeChatParams>().toExtend<ChatParams>();
  expectTypeOf<FakeCompletionParams>().toExtend<CompletionParams>();
  expectTypeOf<OpenAI.Chat.ChatCompletion>().toExtend<OpenAiDocument>();
  expectTypeOf<OpenAI.Completion>().toExtend<OpenAiDocument>();
  const question = {
    prompt: 'x',
    maxTokens: 1,
    temperature: 1,
    seed: 1,
    topLogprobs: 5,
    ids: true,
  };
  expect(Object.keys(bodyOf(question, 'chat', 'm')).sort()).toEqual([
    'logprobs',
    'max_tokens',
    'messages',
    'min_p',
    'model',
    'return_token_ids',
    'return_tokens_as_token_ids',
    'seed',
    'temperature',
    'top_k',
    'top_logprobs',
    'top_p',
  ]);
});

describe('a server that takes only what OpenAI defines', () => {
  test('answers our classifier and the official client alike', async () => {
    const ours = openOpenAi(`${server.origin}/v1?model=gpt-4.1-mini`, { labels });
    const [outcome] = await ours.classify(['The telescope found water.'], { signal });
    const sent = server.answered.at(-1) as ChatParams;
    const theirs = await official.chat.completions.create(sent);
    expect(server.answered.at(-1)).toEqual(sent);
    if (!outcome || !('answer' in outcome)) throw new Error('there is no answer');
    expect(outcome.answer.label).toBe(theirs.choices[0]!.message.content);
    const listed = theirs.choices[0]!.logprobs!.content![0]!.top_logprobs;
    const sum = (start: RegExp) =>
      listed
        .filter(({ token }) => start.test(token))
        .reduce((total, { logprob }) => total + Math.exp(logprob), 0);
    expect(outcome.answer.probabilities?.[0]).toBeCloseTo(sum(/^sport$/), 9);
    expect(outcome.answer.probabilities?.[2]).toBeCloseTo(sum(/^science$/i), 9);
  });

  test('a refusal is one to both', async () => {
    const ours = openOpenAi(`${server.origin}/v1?model=gpt-4.1-mini`, { labels });
    expect(await ours.classify(['unspeakable'], { signal })).toEqual([{ missing: 'refused' }]);
    const theirs = await official.chat.completions.create(server.answered.at(-1) as ChatParams);
    expect(theirs.choices[0]?.message.refusal).toMatch(/^I'm sorry/);
  });

  test.each([['text'], [Int32Array.of(1, 2, 3)]])('completes %j for both', async (prompt) => {
    const ours = openOpenAiLanguageModel(`${server.origin}/v1/completions?model=instruct`);
    const sampling = { maxTokens: 7, temperature: 1, seed: 'audit' };
    const [outcome] = await ours.complete([prompt], { sampling, signal });
    const sent = server.answered.at(-1) as CompletionParams;
    expect(sent).toMatchObject({ max_tokens: 7, temperature: 1, top_p: 1, logprobs: 1 });
    const theirs = await official.completions.create(sent);
    expect(outcome).toEqual({ answer: { text: theirs.choices[0]?.text } });
    expect(theirs.choices[0]?.text).toBe(`${prompt.length} in, 7 out`);
  });

  test('lists its models to both', async () => {
    const theirs = await official.models.list();
    const unnamed = openOpenAi(`${server.origin}/v1`, { labels });
    expect(theirs.data).toHaveLength(2);
    await expect(unnamed.describe({ signal })).rejects.toMatchObject({ code: 'USAGE' });
  });
});
