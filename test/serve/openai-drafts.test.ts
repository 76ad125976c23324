import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { TouchmarkError } from '../../src/errors.ts';
import { failClosed } from '../../src/serve/failure-policy.ts';
import { openAiProxy } from '../../src/serve/proxy/openai/front.ts';
import { chooseDraft } from '../../src/watermark/text/api/choose-draft.ts';
import { parseTextProfile } from '../../src/watermark/text/profile.ts';
import { type HostileServer, say, startHostileServer } from '../models/adapters/hostile-server.ts';
import { type LanguageServer, startLanguageServer } from './language-server.ts';
import {
  apiProfile,
  biasedProfile,
  readAddresses,
  startOpenAiGateway,
  tokenizer,
  trainOn,
} from './openai-scene.ts';

const texts = readAddresses(-2);
const model = trainOn(texts);
const profile = biasedProfile(texts, 1_000, 2);
const mode = { how: 'drafts', drafts: 4 } as const;
let several: LanguageServer;
let single: LanguageServer;
let hostile: HostileServer;
beforeAll(async () => {
  several = await startLanguageServer({ model, tokenizer });
  single = await startLanguageServer({ model, tokenizer, takesSeveral: false });
  hostile = await startHostileServer();
});
afterAll(() => Promise.all([several.close(), single.close(), hostile.close()]));

const question = {
  model: 'ngram',
  messages: [{ role: 'user' as const, content: 'My fellow Americans' }],
  max_tokens: 30,
};
type Options = Partial<Parameters<typeof startOpenAiGateway>[0]>;
const start = (options: Options = {}) =>
  startOpenAiGateway({ origin: several.origin, profile, mode, ...options });

describe('among drafts', () => {
  test('the one that the key scores highest is served, and logged with their number', async () => {
    const { client, records, watermark } = await start();
    const asked = { ...question, seed: 5 };
    const reply = await client.chat.completions.create(asked);
    const { body } = several.received.at(-1)!;
    expect(body).toMatchObject({ n: 4, seed: 5 });
    expect(body.logit_bias).toBeUndefined();
    const all = await startOpenAiGateway({ origin: several.origin, profile, mode, unmarked: [{ prefix: '/all', tenants: ['acme'] }] }); // biome-ignore format: one row
    const plain = await all.post('/all/v1/chat/completions', { ...asked, n: 4 });
    const { choices } = (await plain.json()) as typeof reply;
    const drafts = choices.map(({ message }) => ({ text: message.content ?? '' }));
    const { index } = chooseDraft(watermark, drafts, { tokenizer });
    expect(reply.choices).toMatchObject([{ index: 0, message: { content: drafts[index]!.text } }]);
    expect(await records()).toMatchObject([
      { texts: [drafts[index]!.text], marks: { text: 'drafts', drafts: 4 } },
    ]);
  });

  test('usage counts what is served, not what it cost', async () => {
    const { client } = await start();
    const { usage, choices } = await client.chat.completions.create(question);
    const served = tokenizer.encode(choices[0]?.message.content ?? '').length;
    expect(usage?.completion_tokens).toBe(served);
    expect(usage?.total_tokens).toBe(served + usage!.prompt_tokens);
  });

  test('one is chosen for each answer that the client asks for', async () => {
    const asked: number[] = [];
    const { client, records } = await start({ onDrafts: (drafts) => asked.push(drafts) });
    const reply = await client.chat.completions.create({ ...question, n: 2 });
    expect([several.received.at(-1)?.body.n, ...asked]).toEqual([8, 8]);
    expect(reply.choices.map(({ index }) => index)).toEqual([0, 1]);
    const said = reply.choices.map(({ message }) => message.content);
    expect(await records()).toMatchObject([{ texts: said }]);
    const many = client.chat.completions.create({ ...question, n: 33 });
    await expect(many).rejects.toThrow(/ask for fewer answers/);
  });

  test('a server that knows no `n` is asked as often, with the seeds that follow', async () => {
    const { client } = await start({ origin: single.origin });
    await client.chat.completions.create({ ...question, seed: 7 });
    await client.completions.create({ model: 'ngram', prompt: 'We', max_tokens: 5 });
    const asked = single.received.map(({ body: { n, seed } }) => [n, seed]);
    expect(asked).toEqual([[4, 7], [1, 8], [1, 9], [1, 10], [1, undefined], [1, undefined], [1, undefined], [1, undefined]]); // biome-ignore format: one row
  });

  test('or that refuses it', async () => {
    hostile.play((response, request) => {
      const { n } = JSON.parse(request.body);
      const reply = { choices: [{ index: 0, message: { role: 'assistant', content: 'Hi' } }] };
      say(n > 1 ? { error: { message: 'one choice' } } : reply, n > 1 ? 400 : 200)(
        response,
        request,
      );
    });
    const { client } = await start({ origin: hostile.origin });
    const reply = await client.chat.completions.create(question);
    expect(reply.choices[0]?.message.content).toBe('Hi');
    expect(hostile.received).toHaveLength(5);
    hostile.play(say({ error: { message: 'no such role' } }, 400));
    await expect(client.chat.completions.create(question)).rejects.toThrow(/no such role/);
  });

  test('there is no choice at temperature 0: one is asked for, and it is unmarked', async () => {
    const { client, records } = await start();
    const greedy = { ...question, temperature: 0 };
    await client.chat.completions.create(greedy);
    expect(several.received.at(-1)?.body.n).toBeUndefined();
    const stream = await client.chat.completions.create({ ...greedy, stream: true });
    for await (const _ of stream);
    expect(await records()).toMatchObject([{ marks: { text: false } }, { marks: { text: false } }]);
  });

  test('tools are called as often as the model would, and texts chosen among texts', async () => {
    const call = { id: 'c', type: 'function', function: { name: 'f', arguments: '{}' } };
    const spoken = (content: string) => ({
      message: { role: 'assistant', content },
      finish_reason: 'stop',
    });
    const calling = { message: { role: 'assistant', content: null, tool_calls: [call] }, finish_reason: 'tool_calls' }; // biome-ignore format: one row
    const { client, records } = await start({ origin: hostile.origin });
    hostile.play(say({ choices: [calling, spoken('a'), spoken('b'), spoken('c')] }));
    const first = await client.chat.completions.create(question);
    expect(first.choices[0]).toMatchObject({
      finish_reason: 'tool_calls',
      message: { tool_calls: [call] },
    });
    hostile.play(say({ choices: [spoken('a'), calling, calling, calling] }));
    const second = await client.chat.completions.create(question);
    expect(second.choices[0]?.message.content).toBe('a');
    expect(await records()).toMatchObject([{ texts: [''] }, { texts: ['a'] }]);
    hostile.play(say({ choices: [calling, calling, calling, calling] }));
    const stream = client.chat.completions.stream({ ...question, tools: [{ type: 'function', function: { name: 'f', parameters: {} } }] }); // biome-ignore format: one row
    expect(await stream.finalMessage()).toMatchObject({ tool_calls: [call] });
  });
});

test('the chosen draft comes as a stream to clients that want one', async () => {
  const { client, records } = await start();
  const include = { stream: true, stream_options: { include_usage: true } } as const;
  let [said, reason] = ['', ''];
  let completionTokens = 0;
  for await (const { choices, usage } of await client.chat.completions.create({
    ...question,
    ...include,
  })) {
    said += choices[0]?.delta.content ?? '';
    reason += choices[0]?.finish_reason ?? '';
    completionTokens = usage?.completion_tokens ?? 0;
  }
  expect(several.received.at(-1)?.body).toMatchObject({ n: 4 });
  expect(several.received.at(-1)?.body.stream).toBeUndefined();
  expect([reason, completionTokens]).toEqual(['length', tokenizer.encode(said).length]);
  let completed = '';
  const asked = { model: 'ngram', prompt: 'We', max_tokens: 5, stream: true } as const;
  for await (const { choices } of await client.completions.create(asked))
    completed += choices[0]?.text;
  expect(await records()).toMatchObject([{ texts: [said] }, { texts: [completed] }]);
});

describe('while the log fails', () => {
  const full = new TouchmarkError('STORE_FULL', 'no room');
  const failing = { log: () => ({ append: () => Promise.reject(full) }) };

  test.each([
    mode,
    { how: 'logit-bias', limit: 1_000 } as const,
  ])('a policy that fails closed gives no answer: %j', async (mode) => {
    const { client, failures } = await start({ ...failing, mode });
    await expect(client.chat.completions.create(question)).rejects.toMatchObject({ status: 503 });
    expect(failures).toEqual([full]);
  });

  test.each([
    mode,
    { how: 'logit-bias', limit: 1_000 } as const,
  ])('one that fails open has the model asked again, without the mark: %j', async (mode) => {
    const alarms: string[] = [];
    const policy = { ...failClosed, ifLogFails: 'fail-open' } as const;
    const { client } = await start({
      ...failing,
      mode,
      marking: { policy, onAlarm: (alarm) => alarms.push(alarm) },
    });
    const before = several.received.length;
    await client.chat.completions.create(question);
    const [marked, plain, ...more] = several.received.slice(before).map(({ body }) => body);
    expect(more).toEqual([]);
    expect(mode.how === 'drafts' ? marked?.n : marked?.logit_bias).toBeDefined();
    expect([plain?.n, plain?.logit_bias]).toEqual([undefined, undefined]);
    expect(alarms).toEqual(['unrecorded']);
  });
});

describe('a profile that cannot be carried so', () => {
  const gumbel = parseTextProfile(
    { ...profile, scheme: { name: 'gumbel' }, prf: { name: 'native', contextWidth: 4 } },
    'a test',
  );
  const green = apiProfile({ name: 'fixed-green-list', gamma: 0.25, delta: 2 });
  test.each([
    ['a mark that depends on what came before', gumbel, 300, /cannot carry gumbel/],
    [
      'a list longer than the limit',
      profile,
      300,
      /biases 1000 tokens, and the upstream takes 300/,
    ],
    ['a fixed green list', green, 1_024, /biases 12565 tokens/],
  ])('%s: the gateway does not start', async (_, given, limit, message) => {
    await expect(start({ profile: given, mode: { how: 'logit-bias', limit } })).rejects.toThrow(
      message,
    );
  });

  test('drafts without the tokenizer', () => {
    const marking = {
      profile,
      tokenizer: undefined,
      policy: failClosed,
      begin: () => {
        throw full;
      },
    };
    const full = new Error('never asked');
    expect(() => openAiProxy({ upstream: undefined as never, basePath: '/v1', marking, mode })).toThrow(/without the profile's tokenizer/); // biome-ignore format: one row
  });
});
