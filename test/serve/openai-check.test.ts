import { expect, onTestFinished, test } from 'vitest';
import { obeysLogitBias } from '../../src/serve/proxy/openai/check.ts';
import { UpstreamConnection } from '../../src/serve/proxy/upstream-connection.ts';
import { say, startHostileServer } from '../models/adapters/hostile-server.ts';
import { startLanguageServer } from './language-server.ts';
import { readAddresses, tokenizer, trainOn } from './openai-scene.ts';

const check = async (origin: string, encode = tokenizer.encode) => {
  const upstream = new UpstreamConnection(new URL(origin));
  onTestFinished(() => upstream.close());
  const { signal } = new AbortController();
  return obeysLogitBias({ upstream, basePath: '/v1', tokenizer: { encode }, signal });
};

test('a server with the tokenizer obeys; with other ids it does not', async () => {
  const server = await startLanguageServer({ model: trainOn(readAddresses(-1)), tokenizer });
  onTestFinished(() => server.close());
  expect(await check(server.origin)).toBe(true);
  const shifted = (text: string) => tokenizer.encode(text).map((id) => id + 1);
  expect(await check(server.origin, shifted)).toBe(false);
});

test('one that takes biases and ignores them does not, and a refusal is told', async () => {
  const server = await startHostileServer();
  onTestFinished(() => server.close());
  server.play(say({ choices: [{ index: 0, message: { content: 'Hello there.' } }] }));
  expect(await check(server.origin)).toBe(false);
  server.play(say({ error: { message: 'logit_bias is not supported' } }, 400));
  await expect(check(server.origin)).rejects.toThrow(/logit_bias is not supported/);
});
