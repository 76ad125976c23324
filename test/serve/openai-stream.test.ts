import { setTimeout as pause } from 'node:timers/promises';
import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { TouchmarkError } from '../../src/errors.ts';
import {
  type Behaviour,
  type HostileServer,
  startHostileServer,
} from '../models/adapters/hostile-server.ts';
import { type LanguageServer, startLanguageServer } from './language-server.ts';
import {
  biasedProfile,
  readAddresses,
  startOpenAiGateway,
  tokenizer,
  trainOn,
} from './openai-scene.ts';

const texts = readAddresses(-2);
const profile = biasedProfile(texts, 50, 2);
let server: LanguageServer;
let hostile: HostileServer;
beforeAll(async () => {
  server = await startLanguageServer({ model: trainOn(texts), tokenizer, tokenMilliseconds: 4 });
  hostile = await startHostileServer();
});
afterAll(() => Promise.all([server.close(), hostile.close()]));

const question = {
  model: 'ngram',
  messages: [{ role: 'user' as const, content: 'My fellow Americans' }],
  max_tokens: 10,
  stream: true as const,
};
type Options = Partial<Parameters<typeof startOpenAiGateway>[0]>;
const start = (options: Options = {}) =>
  startOpenAiGateway({ origin: server.origin, profile, ...options });

/** A reader of what comes over the wire, as far as it came. */
async function listen(response: Response) {
  const decoder = new TextDecoder();
  let heard = '';
  const ended = (async () => {
    for await (const bytes of response.body!) heard += decoder.decode(bytes, { stream: true });
  })();
  return { ended, heard: () => heard };
}

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  for (let turn = 0; turn < 500 && !(await holds()); turn++) await pause(10);
  expect(await holds()).toBe(true);
}

describe('a stream', () => {
  test('comes token by token to the official client, biased, and is logged', async () => {
    const { client, records } = await start();
    const stream = await client.chat.completions.create({
      ...question,
      n: 2,
      stream_options: { include_usage: true },
    });
    const said = ['', ''];
    let pieces = 0;
    let usage: OpenAI.CompletionUsage | null | undefined;
    for await (const { choices, usage: counted } of stream) {
      for (const { index, delta } of choices) said[index] += delta.content ?? '';
      pieces += choices.length;
      usage = counted;
    }
    expect(pieces).toBe(2 * 11);
    expect(usage?.completion_tokens).toBe(20);
    expect(Object.keys(server.received.at(-1)!.body.logit_bias ?? {})).toHaveLength(50);
    expect(await records()).toMatchObject([{ texts: said, marks: { text: 'logit-bias' } }]);
  });

  test('of completions too', async () => {
    const { client, records } = await start();
    const asked = { model: 'ngram', prompt: 'We', max_tokens: 5, stream: true as const };
    let said = '';
    for await (const { choices } of await client.completions.create(asked))
      said += choices[0]?.text;
    expect(await records()).toMatchObject([{ texts: [said] }]);
  });

  test('shows no end before the log has it', async () => {
    let release = (): void => undefined;
    const written = new Promise<void>((resolve) => {
      release = resolve;
    });
    const { post, records } = await start({
      log: (log) => ({
        append: async (answers) => {
          await written;
          return log.append(answers);
        },
      }),
    });
    const { heard, ended } = await listen(await post('/v1/chat/completions', question));
    await until(() => heard().split('"content"').length > 10);
    await pause(50);
    expect(heard()).not.toContain('"finish_reason":"length"');
    expect(heard()).not.toContain('[DONE]');
    release();
    await ended;
    expect(heard()).toMatch(/"finish_reason":"length".*\n\ndata: \[DONE\]\n\n$/);
    expect(await records()).toHaveLength(1);
  });

  test('that its client leaves is stopped, and what was sent is recorded', async () => {
    const { client, records } = await start();
    const before = server.abandoned();
    const stream = await client.chat.completions.create({ ...question, max_tokens: 5_000 });
    let said = '';
    for await (const { choices } of stream) {
      said += choices[0]?.delta.content ?? '';
      if (said.length > 30) break;
    }
    await until(async () => (await records()).length === 1);
    expect((await records())[0]?.texts[0]?.startsWith(said)).toBe(true);
    await until(() => server.abandoned() === before + 1);
  });

  test('that the gateway cuts off when it closes is recorded before it is closed', async () => {
    const { post, records, gateway } = await start({ limits: { graceMilliseconds: 50 } });
    const response = await post('/v1/chat/completions', { ...question, max_tokens: 5_000 });
    const { heard, ended } = await listen(response);
    await until(() => heard().length > 1_000);
    const cut = expect(ended).rejects.toThrow();
    await gateway.close();
    const [record] = await records();
    expect(record?.texts[0]?.length).toBeGreaterThan(10);
    await cut;
  });

  test('that cannot be recorded ends in an error', async () => {
    const full = new TouchmarkError('STORE_FULL', 'no room');
    const { client, failures } = await start({
      log: () => ({ append: () => Promise.reject(full) }),
    });
    const stream = await client.chat.completions.create(question);
    const reading = async () => {
      for await (const _ of stream);
    };
    await expect(reading()).rejects.toThrow(/cannot record answers/);
    expect(failures).toEqual([full]);
  });
});

/** Sends pieces of a stream one after the other, then does what it is told. */
const say =
  (pieces: readonly string[], then: (response: Parameters<Behaviour>[0]) => void): Behaviour =>
  (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    for (const piece of pieces) response.write(piece);
    setTimeout(() => then(response), 20);
  };
const chunk = (content: string, finish_reason: string | null = null) =>
  `data: ${JSON.stringify({ model: 'm', choices: [{ index: 0, delta: { content }, finish_reason }], __verbose: { logit_bias: [1] } })}\n\n`;
const end = (response: Parameters<Behaviour>[0]) => void response.end();
const startHostile = (options: Options = {}) => start({ origin: hostile.origin, ...options });

describe('an upstream that', () => {
  test.each<[string, Behaviour, RegExp]>([
    ['breaks off', say([chunk('one'), chunk('two')], (response) => response.destroy()), /does not answer now/],
    ['ends without an end', say([chunk('one'), chunk('two')], end), /does not answer now/],
    ['falls silent, having said from the start that it did not stop', say([chunk('one', ''), chunk('two')], () => undefined), /does not answer now/],
    ['says that it failed', say([chunk('one'), chunk('two'), 'data: {"error":{"message":"CUDA at /opt"}}\n\n'], end), /does not answer now/],
    ['says so as llama.cpp does', say([chunk('one'), chunk('two'), 'error: {"code":500}\n\n'], end), /does not answer now/],
    ['sends what is no JSON', say([chunk('one'), chunk('two'), 'data: {"choices":\n\n'], end), /unusable answer/],
    ['answers where nothing was asked', say([chunk('one'), chunk('two'), chunk('x').replace('"index":0', '"index":1')], end), /unusable answer/],
  ])('%s ends the stream in an error, and what came is recorded', async (_, behaviour, message) => {
    hostile.play(behaviour);
    const { post, records, failures } = await startHostile({ upstream: { timeoutMilliseconds: 400 } });
    const { heard, ended } = await listen(await post('/v1/chat/completions', question));
    await ended;
    const events = heard().trimEnd().split('\n\n');
    expect(events).toHaveLength(3);
    expect(events.at(-1)).toMatch(/^data: \{"error":\{"message":/);
    expect(events.at(-1)).toMatch(message);
    expect(heard()).not.toMatch(/logit_bias|CUDA/);
    expect(await records()).toMatchObject([{ texts: ['onetwo'], modelVersion: 'm' }]);
    expect(failures).toHaveLength(1);
  }); // biome-ignore format: rows

  test('has no [DONE] but an end is whole', async () => {
    hostile.play(say([chunk('one'), chunk('', 'stop')], end));
    const { post, failures } = await startHostile();
    const { heard, ended } = await listen(await post('/v1/chat/completions', question));
    await ended;
    expect(heard()).toMatch(/"stop".*\n\ndata: \[DONE\]\n\n$/);
    expect(failures).toEqual([]);
  });

  test('cuts a character in two, ends lines in CRLF and comments is understood', async () => {
    const bytes = Buffer.from(`: hello\r\n\r\n${chunk('🌷').replaceAll('\n', '\r\n')}`);
    const cut = bytes.indexOf(0xf0) + 2;
    hostile.play((response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' });
      response.write(bytes.subarray(0, cut), () =>
        setTimeout(
          () => response.end(Buffer.concat([bytes.subarray(cut), Buffer.from('data: [DONE]\n\n')])),
          20,
        ),
      );
    });
    const { post, records } = await startHostile();
    const { heard, ended } = await listen(await post('/v1/chat/completions', question));
    await ended;
    expect(heard()).toMatch(/^:\n\ndata: .*🌷/);
    expect(await records()).toMatchObject([{ texts: ['🌷'] }]);
  });

  test('never ends a line is given up', async () => {
    hostile.play((response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      const more = () => {
        while (!response.destroyed && response.write('data: '.padEnd(65_536, 'x')));
      };
      response.on('drain', more);
      more();
    });
    const { post } = await startHostile();
    const { heard, ended } = await listen(await post('/v1/chat/completions', question));
    await ended;
    expect(heard()).toContain('unusable answer');
  });

  test('is too fast for the client waits for it', async () => {
    let written = 0;
    hostile.play((response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      const piece = chunk('x'.repeat(65_536));
      const more = () => {
        while (!response.destroyed && written < 60e6) {
          written += piece.length;
          if (!response.write(piece)) return;
        }
      };
      response.on('drain', more);
      more();
    });
    const { post } = await startHostile();
    const response = await post('/v1/chat/completions', question);
    await pause(600);
    const before = written;
    await pause(300);
    expect(written).toBe(before);
    expect(written).toBeLessThan(40e6);
    await response.body?.cancel();
  });
});

test.each([
  "[{'type': 'missing', 'loc': ('body', 'messages'), 'input': {'logit_bias': {'11': 2.0}}}]",
  "input_value={'11': -2.0, '12': 2}",
  'bad pairs [[11, -2], [12, 2]]',
])('a refusal that quotes the biases is not told: %s', async (message) => {
  hostile.play(
    (response) => void response.writeHead(400).end(JSON.stringify({ error: { message } })),
  );
  const { post } = await startHostile();
  for (const stream of [true, false]) {
    const reply = await post('/v1/chat/completions', { ...question, stream });
    const { error } = (await reply.json()) as { error: { message: string } };
    expect([reply.status, error.message]).toEqual([400, 'the model refused the request']);
  }
});

describe('before a stream begins', () => {
  test.each<[string, Behaviour, number, RegExp]>([
    ['a status of failure', (response) => void response.writeHead(500).end('{"error":"at /opt"}'), 503, /does not answer now/],
    ["the client's fault", (response) => void response.writeHead(400).end('{"error":{"message":"bad role"}}'), 400, /refused the request: bad role/],
    ['no stream', (response) => void response.writeHead(200, { 'content-type': 'application/json' }).end('{}'), 502, /unusable/],
    ['no answer', () => undefined, 503, /no answer was ready in time/],
    ['too many requests', (response) => void response.writeHead(429, { 'retry-after': '7' }).end('{"error":{"message":"slow down"}}'), 429, /slow down/],
  ])('%s has its status', async (_, behaviour, status, message) => {
    hostile.play(behaviour);
    const { client, records } = await startHostile({ limits: { answerMilliseconds: 300 } });
    const error = await client.chat.completions.create(question).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    if (!(error instanceof OpenAI.APIError)) throw new Error('there was no error');
    expect(error.status).toBe(status);
    expect(error.message).toMatch(message);
    if (status === 429) expect(error.headers.get('retry-after')).toBe('7');
    expect(await records()).toEqual([]);
  }); // biome-ignore format: rows
});
