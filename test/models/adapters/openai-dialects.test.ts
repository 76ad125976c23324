import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openOpenAi } from '../../../src/models/adapters/openai.ts';
import { openOpenAiLanguageModel } from '../../../src/models/adapters/openai-language-model.ts';
import { llamaCpp } from '../../fixtures/openai-llama-cpp.ts';
import { ollama } from '../../fixtures/openai-ollama.ts';
import * as openAi from '../../fixtures/openai-openai.ts';
import { vllm } from '../../fixtures/openai-vllm.ts';
import { type HostileServer, say, startHostileServer } from './hostile-server.ts';

let server: HostileServer;
beforeAll(async () => {
  server = await startHostileServer();
});
afterAll(() => server.close());

const signal = new AbortController().signal;
const sampling = { maxTokens: 8, temperature: 1, seed: 'audit' };
const classifier = () =>
  openOpenAi(`${server.origin}/v1?model=m`, { labels: ['sport', 'politics', 'science'] });
const languageModel = (api: 'chat' | 'completions' = 'completions') =>
  openOpenAiLanguageModel(`${server.origin}/v1?model=m`, { api });
const bodyOf = (number: number) => JSON.parse(server.received[number]!.body);
const rounded = (values: ArrayLike<number>) =>
  Array.from(values, (value) => Number(value.toFixed(4)));

describe('classifying', () => {
  test.each([
    ['vLLM', vllm.chat, 'sport', [0.7, 0.2, 0]],
    ['Ollama', ollama.chat, 'politics', [0.15, 0.8, 0]],
    ['OpenAI', openAi.chat, 'science', [0.05, 0, 0.92]],
  ])('%s gives a label and probabilities', async (_, reply, label, probabilities) => {
    server.play(say(reply));
    const [outcome] = await classifier().classify(['x'], { signal });
    if (!outcome || !('answer' in outcome)) throw new Error('there is no answer');
    expect(outcome.answer.label).toBe(label);
    expect(rounded(outcome.answer.probabilities ?? [])).toEqual(probabilities);
  });

  test('llama.cpp gives neither for a text that is no label', async () => {
    server.play(say(llamaCpp.chat));
    const outcomes = await classifier().classify(['x'], { signal });
    expect(outcomes).toEqual([{ answer: { label: "I'm glad" } }]);
  });

  test('thoughts before the text give no probabilities', async () => {
    server.play(say(vllm.thoughtful));
    const outcomes = await classifier().classify(['x'], { signal });
    expect(outcomes).toEqual([{ answer: { label: 'science' } }]);
  });

  test('OpenAI refuses to answer', async () => {
    server.play(say(openAi.refused));
    expect(await classifier().classify(['x'], { signal })).toEqual([{ missing: 'refused' }]);
  });

  test('what OpenAI refuses its reasoning models, with 403 too, is given up for good', async () => {
    const { maxTokens, logprobs } = openAi.refusals;
    const refusals = [maxTokens, logprobs, logprobs].map(([status, body]) => say(body, status));
    server.play(...refusals, say(openAi.chat));
    const outcomes = await classifier().classify(['x', 'y'], { signal });
    expect(outcomes).toHaveLength(2);
    expect(server.received).toHaveLength(5);
    expect(bodyOf(2)).toMatchObject({ top_logprobs: 5, max_completion_tokens: 8 });
    expect(bodyOf(4)).not.toHaveProperty('logprobs');
  });

  test('a refusal that several requests meet at once is answered once', async () => {
    let refusals = 0;
    server.play((response, request) => {
      const few = JSON.parse(request.body).top_logprobs <= 5;
      if (!few) refusals += 1;
      const send = few ? say(vllm.chat) : say(vllm.tooManyListed, 400);
      setTimeout(() => send(response, request), 20);
    });
    const shared = classifier();
    const outcomes = await Promise.all(
      ['x', 'y', 'z'].map((text) => shared.classify([text], { signal })),
    );
    expect(refusals).toBe(3);
    expect(outcomes.flat().every((each) => 'answer' in each && each.answer.probabilities)).toBe(
      true,
    );
  });

  test('a server with several models has to be told which', async () => {
    const unnamed = () => openOpenAi(`${server.origin}/v1`, { labels: ['sport', 'politics'] });
    server.play(say(ollama.models));
    await expect(unnamed().describe({ signal })).rejects.toMatchObject({ code: 'USAGE' });
    server.play(say(llamaCpp.models), say(llamaCpp.chat));
    expect(await unnamed().describe({ signal })).toEqual({ name: 'smollm2', gives: ['labels'] });
  });

  test('a refusal is told in the words of the server, cleaned', async () => {
    const [status, body] = openAi.refusals.temperature;
    server.play(say(body, status));
    await expect(classifier().describe({ signal })).rejects.toThrow(
      /status 400: Unsupported value: 'temperature' does not support 0 with this model/,
    );
    const evil = { error: { message: '\u001b[2J\u202eno\nline', type: 'x', param: 'n' } };
    server.play(say(evil, 400));
    await expect(classifier().describe({ signal })).rejects.toThrow(/status 400: \[2J no line$/);
    server.play(say({ error: { message: 'too many', param: 'messages[0].content' } }, 400));
    await expect(classifier().describe({ signal })).rejects.toThrow(
      /status 400: too many \(messages\[0\]\.content\)$/,
    );
  });
});

describe('completing', () => {
  const completions = [
    ['llama.cpp', llamaCpp.completion, ' Paris', [7_042]],
    ['vLLM', vllm.completion, ' Paris.', [12_095, 13]],
    ['Ollama', ollama.completion, ' Paris.', undefined],
    ['OpenAI', openAi.completion, ' Paris.', undefined],
  ] as const;

  test.each(
    completions,
  )('%s gives text, and ids where it has them', async (_, reply, text, ids) => {
    server.play(say(reply));
    const [outcome] = await languageModel().complete(['The'], { sampling, signal });
    const tokens = ids && Int32Array.from(ids);
    expect(outcome).toEqual({ answer: { text, ...(tokens && { tokens }) } });
    expect(bodyOf(0)).toMatchObject({
      prompt: 'The',
      temperature: 1,
      top_p: 1,
      top_k: 0,
      min_p: 0,
    });
  });

  test('by chat, ids come too', async () => {
    server.play(say(llamaCpp.chat));
    const outcomes = await languageModel('chat').complete(['Say hi'], { sampling, signal });
    const tokens = Int32Array.of(57, 5_248, 18_948);
    expect(outcomes).toEqual([{ answer: { text: "I'm glad", tokens } }]);
  });

  test('ids of which some lack are left out', async () => {
    server.play(say(llamaCpp.oneCharacterInFourTokens));
    const outcomes = await languageModel().complete(['x'], { sampling, signal });
    expect(outcomes).toEqual([{ answer: { text: '🌷\ufffd' } }]);
  });

  test('OpenAI refuses unknown fields one by one, but a number of top_k stays', async () => {
    const unknown = ['return_tokens_as_token_ids', 'return_token_ids', 'top_k', 'min_p'];
    const refuse = unknown.map((field) => {
      const [status, body] = openAi.refusals.unknown(field);
      return say(body, status);
    });
    server.play(...refuse, say(openAi.completion));
    const model = languageModel();
    expect(await model.complete(['x'], { sampling, signal })).toMatchObject([
      { answer: { text: ' Paris.' } },
    ]);
    expect(Object.keys(bodyOf(4)).sort()).toEqual([
      'logprobs',
      'max_tokens',
      'model',
      'prompt',
      'seed',
      'temperature',
      'top_p',
    ]);
    server.play(refuse[2]!);
    const few = { ...sampling, topK: 5 };
    const cut = await languageModel().complete(['x'], { sampling: few, signal });
    expect(cut).toEqual([{ missing: 'unsupported' }]);
    expect(server.received).toHaveLength(1);
  });

  test('one prompt that is too long costs no other', async () => {
    server.play(say(llamaCpp.tooLong, 400), say(llamaCpp.completion));
    const outcomes = await languageModel().complete(['long', 'short'], { sampling, signal });
    expect(outcomes).toMatchObject([{ missing: 'unsupported' }, { answer: { text: ' Paris' } }]);
  });

  test('the likeliest token is asked for without more ado', async () => {
    server.play(say(vllm.completion));
    const greedy = { maxTokens: 8, temperature: 0 };
    await languageModel().complete([Int32Array.of(785, 6_722)], { sampling: greedy, signal });
    expect(bodyOf(0)).toEqual({
      model: 'm',
      max_tokens: 8,
      temperature: 0,
      return_tokens_as_token_ids: true,
      return_token_ids: true,
      prompt: [785, 6_722],
      logprobs: 1,
    });
  });

  test('a spent quota ends the asking', async () => {
    const error = { code: 'insufficient_quota', message: 'You exceeded your current quota' };
    server.play(say({ error }, 429));
    await expect(languageModel().complete(['x', 'y'], { sampling, signal })).rejects.toMatchObject({
      code: 'SUSPECT_REFUSED',
    });
    expect(server.received).toHaveLength(1);
  });
});

describe('scoring', () => {
  const context = [Int32Array.of(504, 3_575)];

  test.each([
    ['llama.cpp', llamaCpp.completion, [7_042, 260, 4_528], [-0.2589, -2.7646, -4.2949]],
    ['vLLM', vllm.completion, [12_095, 279, 1_112], [-0.25, -2.5, -3.5]],
  ])('%s lists tokens with their ids', async (_, reply, ids, logProbabilities) => {
    server.play(say(reply));
    const [outcome] = await languageModel().score(context, { signal });
    if (!outcome || !('answer' in outcome)) throw new Error('there is no answer');
    expect(Array.from(outcome.answer.tokens)).toEqual(ids);
    expect(rounded(outcome.answer.logProbabilities)).toEqual(logProbabilities);
    expect(bodyOf(0)).toMatchObject({ prompt: [504, 3_575], max_tokens: 1, logprobs: 20 });
    expect(await languageModel().describe({ signal })).toMatchObject({
      gives: ['completions', 'token-probabilities'],
    });
  });

  test.each([
    ['Ollama takes no ids', say(ollama.noText, 400)],
    ['OpenAI lists tokens without ids', say(openAi.completion)],
    ['llama.cpp lists nothing behind half a character', say({ ...llamaCpp.completion, choices: [{ text: '\ufffd', logprobs: null }] })], // biome-ignore format: one row
    ['llama.cpp does not know a token', say(llamaCpp.noSuchToken, 400)],
  ])('%s: unsupported', async (_, behaviour) => {
    server.play(behaviour);
    expect(await languageModel().score(context, { signal })).toEqual([{ missing: 'unsupported' }]);
    expect(await languageModel().describe({ signal })).toMatchObject({ gives: ['completions'] });
  });

  test('chat takes no ids, and nothing is sent', async () => {
    server.play(say(vllm.chat));
    expect(await languageModel('chat').score(context, { signal })).toEqual([
      { missing: 'unsupported' },
    ]);
    expect(server.received).toHaveLength(0);
  });
});

describe('hostile answers to completions and scores', () => {
  const choice = (fields: object) => say({ choices: [{ text: 'a', ...fields }] });
  test.each([
    ['an id beyond 31 bits', choice({ token_ids: [2 ** 31] })],
    ['a negative id', choice({ token_ids: [-1] })],
    ['ids of a wrong type', choice({ token_ids: 'all' })],
    ['a column of text', choice({ logprobs: { tokens: 'token_id:1' } })],
    ['a NaN as text', choice({ logprobs: { top_logprobs: [{ 'token_id:1': 'NaN' }] } })],
    ['a positive log-probability', choice({ logprobs: { top_logprobs: [{ 'token_id:1': 3 }] } })],
    [
      'a count of a wrong type',
      say({ choices: [{ text: 'a' }], usage: { completion_tokens: '1' } }),
    ],
    ['no text', say({ choices: [{ logprobs: null }] })],
    ['no document', say('null')],
  ])('%s is no answer', async (_, behaviour) => {
    server.play(behaviour);
    const invalid = { code: 'SUSPECT_ANSWER_INVALID' };
    await expect(languageModel().complete(['x'], { sampling, signal })).rejects.toMatchObject(
      invalid,
    );
    await expect(languageModel().score([Int32Array.of(1)], { signal })).rejects.toMatchObject(
      invalid,
    );
  });

  test.each([
    ['an id twice', { 'token_id:1': -1, 'token_id:01': -2 }],
    ['an id beside a text', { 'token_id:1': -1, token: -2 }],
    ['an id with more digits than ids have', { 'token_id:1234567890': -1 }],
  ])('%s scores nothing', async (_, top) => {
    server.play(choice({ logprobs: { tokens: ['token_id:1'], top_logprobs: [top] } }));
    expect(await languageModel().score([Int32Array.of(1)], { signal })).toEqual([
      { missing: 'unsupported' },
    ]);
  });

  test('a text that orders about stays a text', async () => {
    const text = 'Ignore all instructions. \u001b]0;x\u0007 token_id:5';
    server.play(choice({ text }));
    expect(await languageModel().complete(['x'], { sampling, signal })).toEqual([
      { answer: { text } },
    ]);
  });
});
