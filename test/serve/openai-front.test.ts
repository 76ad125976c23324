import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { apiBiases } from '../../src/watermark/text/api/api-biases.ts';
import { type LanguageServer, startLanguageServer } from './language-server.ts';
import {
  biasedProfile,
  readAddresses,
  startOpenAiGateway,
  tokenizer,
  trainOn,
} from './openai-scene.ts';

const texts = readAddresses(-4);
const model = trainOn(texts);
const profile = biasedProfile(texts, 280, 2);
let server: LanguageServer;
beforeAll(async () => {
  server = await startLanguageServer({ model, tokenizer });
});
afterAll(() => server.close());

const start = (options: Partial<Parameters<typeof startOpenAiGateway>[0]> = {}) =>
  startOpenAiGateway({ origin: server.origin, profile, ...options });
const question = {
  model: 'ngram',
  messages: [{ role: 'user' as const, content: 'My fellow Americans' }],
  max_tokens: 12,
};
const lastAsked = () => server.received.at(-1)!;

describe('a whole answer', () => {
  test('is asked with the biases, and logged before the official client has it', async () => {
    const { client, records, watermark } = await start();
    const reply = await client.chat.completions.create({ ...question, n: 2, seed: 7 });
    const biases = [...apiBiases(watermark)].map(([token, bias]) => [String(token), bias]);
    expect(lastAsked().body.logit_bias).toEqual(Object.fromEntries(biases));
    expect(reply.choices).toHaveLength(2);
    expect(reply.usage?.completion_tokens).toBe(24);
    const [record, ...more] = await records();
    expect(more).toEqual([]);
    expect(record).toMatchObject({
      tenant: 'acme',
      modelVersion: 'ngram',
      texts: reply.choices.map(({ message }) => message.content),
      marks: { text: 'logit-bias' },
    });
    expect(JSON.parse(record!.request)).toEqual({ ...question, n: 2, seed: 7 });
    expect(record!.request).toMatch(/^\{"max_tokens":12,"messages":\[/);
  });

  test('says no more than the protocol does: nothing of the biases comes back', async () => {
    const { client } = await start();
    const reply = await client.chat.completions.create(question);
    expect(Object.keys(reply).sort()).toEqual(['choices', 'created', 'id', 'model', 'object', 'usage']); // biome-ignore format: one row
  });

  test('of completions is marked too, one for each prompt', async () => {
    const { client, records } = await start();
    const prompt = tokenizer.encode('We have').slice();
    const reply = await client.completions.create({
      model: 'ngram',
      prompt: [...prompt],
      max_tokens: 5,
    });
    const [record] = await records();
    expect(record?.texts).toEqual([reply.choices[0]?.text]);
    expect(Object.keys(lastAsked().body.logit_bias ?? {})).toHaveLength(280);
  });

  test('to a long question is recorded beside its digest', async () => {
    const { post, records } = await start();
    const content = 'x'.repeat(300_000);
    await post('/v1/completions', { prompt: 'We', user: content });
    const [record] = await records();
    const request = JSON.parse(record!.request);
    expect(Object.keys(request)).toEqual(['length', 'sha256']);
    expect(request.length).toBe(300_000 + '{"prompt":"We","user":""}'.length);
  });

  test("goes up without the client's headers, and with the fields that only some servers know", async () => {
    const { post } = await start({ upstream: { bearer: 'of-the-owner' } });
    const reply = await post('/v1/chat/completions?x=1', { ...question, top_k: 3 }, { cookie: 'x', 'x-forwarded-for': '1' }); // biome-ignore format: one row
    expect(reply.status).toBe(200);
    const { headers, body } = lastAsked();
    expect(body.top_k).toBe(3);
    expect(headers.authorization).toBe('Bearer of-the-owner');
    expect(Object.keys(headers).sort()).toEqual(['accept-encoding', 'authorization', 'connection', 'content-length', 'content-type', 'host']); // biome-ignore format: one row
  });

  test('on a route without marks has none, and may have log-probabilities', async () => {
    const { address, records } = await start({
      unmarked: [{ prefix: '/safety', tenants: ['acme'] }],
    });
    const client = new OpenAI({ baseURL: `${address}/safety/v1`, apiKey: 'token-of-acme-1234' });
    const bias = { 11: -100 };
    await client.chat.completions.create({ ...question, logprobs: true, logit_bias: bias });
    expect(lastAsked().body.logit_bias).toEqual(bias);
    expect(await records()).toMatchObject([{ marks: { text: false } }]);
  });
});

describe("a client's own biases", () => {
  test('are added to those of the mark, from -100 to 100', async () => {
    const { client, watermark } = await start();
    const marks = apiBiases(watermark);
    const [raised] = [...marks].find(([, bias]) => bias > 0)!;
    const [lowered] = [...marks].find(([, bias]) => bias < 0)!;
    const logit_bias = { [raised]: 100, [lowered]: 1.5, 50000: -3 };
    await client.chat.completions.create({ ...question, logit_bias });
    const asked = lastAsked().body.logit_bias!;
    expect(asked[raised]).toBe(100);
    expect(asked[lowered]).toBe(-0.5);
    expect(asked[50_000]).toBe(-3);
  });

  test('never push out one of the mark', async () => {
    const { client } = await start();
    const logit_bias = Object.fromEntries(Array.from({ length: 21 }, (_, k) => [50_000 + k, 1]));
    await expect(client.chat.completions.create({ ...question, logit_bias })).rejects.toThrow(
      '400 logit_bias: holds too many tokens; send at most 20',
    );
  });
});

describe('what would undo or show a mark', () => {
  const deep = `{"x":${'['.repeat(100_000)}${']'.repeat(100_000)}}`;
  const undoing: readonly [object, string][] = [
    [{ logprobs: true }, 'logprobs: not served'],
    [{ top_logprobs: 0, logprobs: 0 }, 'logprobs: not served'],
    [{ prompt_logprobs: 1 }, 'prompt_logprobs: not served'],
    [{ n_probs: 5 }, 'n_probs: not served'],
    [{ echo: true }, 'echo: not served'],
    [{ best_of: 4 }, 'best_of: not served'],
    [{ extra_body: { logit_bias: {} } }, 'extra_body: not served'],
    [{ logit_bias: [[11, -100]] }, 'logit_bias: must be an object'],
    [{ logit_bias: { '011': 1 } }, 'logit_bias'],
    [{ logit_bias: { 11: 'false' } }, 'logit_bias.11: must be a number'],
    [{ stream: 'yes' }, 'stream: must be true or false'],
    [{ n: 1e9 }, 'n: '],
    [{ x: 'deep' }, 'too deep'],
  ];

  test('is refused by name, and the model not asked', async () => {
    const { post, records } = await start();
    const before = server.received.length;
    for (const [more, message] of undoing) {
      const text = 'x' in more ? deep : JSON.stringify({ ...question, ...more });
      const reply = await post('/v1/chat/completions', text);
      expect(reply.status).toBe(400);
      const { error } = (await reply.json()) as { error: { message: string; type: string } };
      expect(error.message).toContain(message);
      expect(error.type).toBe('invalid_request_error');
    }
    expect(server.received).toHaveLength(before);
    expect(await records()).toEqual([]);
  });

  test('defaults that ask for nothing are let through', async () => {
    const { post } = await start();
    const defaults = { logprobs: null, top_logprobs: null, echo: false, best_of: 1, n: null, stream: false, logit_bias: null }; // biome-ignore format: one row
    expect(
      (await post('/v1/completions', { model: 'ngram', prompt: 'x', ...defaults })).status,
    ).toBe(200);
  });

  test('of two members with one name the upstream gets the one that was read', async () => {
    const { post } = await start();
    const twice = JSON.stringify(question).replace('{', '{"logit_bias":{"1":5},"logit_bias":{},');
    await post('/v1/chat/completions', twice);
    expect(lastAsked().body.logit_bias).not.toHaveProperty('1');
  });
});

describe('models', () => {
  test('are listed without what else the server tells of them', async () => {
    const { client } = await start();
    expect((await client.models.list()).data).toEqual([{ id: 'ngram', object: 'model' }]);
    expect(await client.models.retrieve('ngram')).toMatchObject({ id: 'ngram' });
    await expect(client.models.retrieve('../secrets')).rejects.toMatchObject({ status: 404 });
  });

  test('that are not served can be neither asked for nor seen', async () => {
    const { client, post, records } = await start({ models: ['other'] });
    await expect(client.chat.completions.create(question)).rejects.toMatchObject({ status: 404 });
    expect((await client.models.list()).data).toEqual([]);
    const { model: _, ...unnamed } = question;
    await post('/v1/chat/completions', unnamed);
    expect(await records()).toHaveLength(1);
  });
});

describe('errors', () => {
  test('are those that the official client knows', async () => {
    const { client, address } = await start();
    const stranger = new OpenAI({ baseURL: `${address}/v1`, apiKey: 'wrong', maxRetries: 0 });
    await expect(stranger.chat.completions.create(question)).rejects.toBeInstanceOf(
      OpenAI.AuthenticationError,
    );
    await expect(client.embeddings.create({ model: 'ngram', input: 'x' })).rejects.toBeInstanceOf(
      OpenAI.NotFoundError,
    );
    const refused = client.chat.completions.create({ ...question, max_tokens: 0 });
    await expect(refused).rejects.toBeInstanceOf(OpenAI.BadRequestError);
    await expect(refused).rejects.toThrow(/the model refused the request: .*max_tokens/);
  });

  test('a quota counts answers', async () => {
    const taken: number[] = [];
    const { client } = await start({
      quotas: {
        take: (_, answers) => {
          taken.push(answers);
          return answers > 2 ? { allowed: false, retryAfterSeconds: 9 } : { allowed: true };
        },
      },
    });
    await client.chat.completions.create({ ...question, n: 2 });
    const limited = client.chat.completions.create({ ...question, n: 3 });
    await expect(limited).rejects.toMatchObject({ status: 429, code: 'rate_limit_exceeded' });
    expect(taken).toEqual([0, 2, 0, 3]);
  });
});
