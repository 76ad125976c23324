import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { apiBiases } from '../../src/watermark/text/api/api-biases.ts';
import { parseTextProfile, type TextProfile } from '../../src/watermark/text/profile.ts';
import { type LlamaServer, noLlamaServer, startLlamaServer } from '../fixtures/llama-server.ts';
import { startOpenAiGateway } from './openai-scene.ts';

const words = ' the of and to in is was for that with as on he she it they this from by at'.split(
  ' ',
);
const tokenizer = { name: 'smollm2', vocabularySize: 49_152 };
const question = { model: 'smollm2', prompt: 'Once upon a time', max_tokens: 16, temperature: 1 };

/** The gateway before llama.cpp's own HTTP server; see `scripts/models/fetch-smollm2.ts`. */
describe.skipIf(noLlamaServer)(noLlamaServer ?? 'before a real llama.cpp server', () => {
  let server: LlamaServer;
  let profile: TextProfile;
  const encode = async (content: string): Promise<number[]> => {
    const body = JSON.stringify({ content });
    const response = await fetch(`${server.origin}/tokenize`, { method: 'POST', body });
    return ((await response.json()) as { tokens: number[] }).tokens;
  };
  beforeAll(async () => {
    server = await startLlamaServer();
    const ids = await encode(words.join(' '));
    const tokens = ids.map((id) => ({ id, expected: 0.01 }));
    profile = parseTextProfile(
      {
        schema: 'touchmark/text-profile@1',
        scheme: { name: 'biased-list', bias: 25, tokens },
        prf: { name: 'native', contextWidth: 0 },
        repeats: 'mark',
        tokenizer,
      },
      'a test',
    );
  });
  afterAll(() => server?.close());

  test('it says the words that the key favours, whole and streamed', async () => {
    const { client, records, watermark } = await startOpenAiGateway({
      origin: server.origin,
      profile,
    });
    const messages = [{ role: 'user' as const, content: 'Tell me a story.' }];
    const { prompt: _, ...chat } = { ...question, messages };
    await client.completions.create(question);
    await client.chat.completions.create(chat);
    let streamed = '';
    for await (const { choices } of await client.chat.completions.create({
      ...chat,
      stream: true,
    })) {
      streamed += choices[0]?.delta.content ?? '';
    }
    const served = (await records()).map(({ texts }) => texts[0]!);
    expect(served).toHaveLength(3);
    expect(served[2]).toBe(streamed);
    const biases = apiBiases(watermark);
    for (const text of served) {
      const tokens = await encode(text);
      expect(tokens).toHaveLength(16);
      for (const token of tokens) expect(biases.get(token)).toBe(25);
    }
  });

  test('a choice is made among its drafts', async () => {
    const { client, records } = await startOpenAiGateway({
      origin: server.origin,
      profile,
      mode: { how: 'drafts', drafts: 3 },
      marking: {
        tokenizer: { ...tokenizer, encode: (text) => [...Buffer.from(text)], decode: String },
      },
    });
    const reply = await client.completions.create({ ...question, max_tokens: 8 });
    expect(reply.choices).toHaveLength(1);
    expect(await records()).toMatchObject([
      { texts: [reply.choices[0]?.text], marks: { drafts: 3 } },
    ]);
  });

  test('its refusals reach the client', async () => {
    const { client } = await startOpenAiGateway({ origin: server.origin, profile });
    const long = { ...question, prompt: Array.from({ length: 3_000 }, () => 504) };
    await expect(client.completions.create(long)).rejects.toThrow(
      /400 the model refused .*context/,
    );
  });
});
