import { once } from 'node:events';
import { createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Input } from '../../../src/contracts.ts';
import { openClassifier } from '../../../src/models/adapters/registry.ts';
import type { RemoteOptions } from '../../../src/models/adapters/remote.ts';
import { type Behaviour, type HostileServer, say, startHostileServer } from './hostile-server.ts';

let server: HostileServer;
beforeAll(async () => {
  server = await startHostileServer();
});
afterAll(() => server.close());

const signal = new AbortController().signal;
const open = (options: Partial<RemoteOptions> = {}, origin = server.origin) =>
  openClassifier(`kserve:${origin}/v2/models/m`, {
    labels: ['en', 'no', 'de'],
    retryDelayMilliseconds: 5,
    retries: 1,
    ...options,
  });

const probabilities = (inputs: number, row: readonly number[]) => ({
  name: 'probabilities',
  datatype: 'FP32',
  shape: [inputs, row.length],
  data: Array(inputs).fill(row).flat(),
});
const label = (inputs: number, name: string) => ({
  name: 'label',
  datatype: 'BYTES',
  shape: [inputs],
  data: Array(inputs).fill(name),
});
type Outputs = (inputs: number) => readonly object[];
const three: Outputs = (n) => [probabilities(n, [0.2, 0.7, 0.1])];

interface Routes {
  readonly ready?: Behaviour;
  readonly model?: Behaviour;
  readonly outputs?: Outputs;
}

const missing = say('not here', 404);

/** Serves inference, and of the rest what is given. */
function play({ ready = missing, model = missing, outputs = three }: Routes): void {
  server.play((response, request) => {
    if (request.path.endsWith('/ready')) return ready(response, request);
    if (request.method === 'GET') return model(response, request);
    const inputs = JSON.parse(request.body).inputs[0].shape[0];
    say({ outputs: outputs(inputs) })(response, request);
  });
}

async function both(routes: Routes, options: Partial<RemoteOptions> = {}, input: Input = 'a') {
  play(routes);
  const classifier = open(options);
  try {
    const { name, gives } = await classifier.describe({ signal });
    const outcomes = await classifier.classify([input], { signal });
    return { name, gives, outcome: outcomes[0] };
  } finally {
    await classifier.close();
  }
}
const posted = () =>
  server.received.filter(({ method }) => method === 'POST').map(({ body }) => JSON.parse(body));

const read = {
  gives: ['labels', 'probabilities'],
  outcome: { answer: { label: 'no', probabilities: [0.2, 0.7, 0.1] } },
};
const metadata = (outputs: readonly object[], more: object = {}) =>
  say({
    name: 'stranger',
    inputs: [{ name: 'question', datatype: 'BYTES', shape: [-1] }],
    outputs,
    ...more,
  });

describe('readiness', () => {
  test.each([400, 404, 405, 429, 501])('status %d does not stop an audit', async (status) => {
    expect(await both({ ready: say('no', status) })).toMatchObject(read);
  });

  test.each(['', 'OK', '<html>'])('the answer %j is as good as any', async (text) => {
    expect(await both({ ready: say(text) })).toMatchObject(read);
  });

  test.each([
    [401, 'SUSPECT_REFUSED'],
    [403, 'SUSPECT_REFUSED'],
    [500, 'SUSPECT_UNREACHABLE'],
    [503, 'SUSPECT_UNREACHABLE'],
  ])('status %d stops it', async (status, code) => {
    await expect(both({ ready: say('no', status) })).rejects.toMatchObject({ code });
  });
});

describe('metadata', () => {
  test.each<[string, Behaviour]>([
    ['status 404', missing],
    ['status 405', say('no', 405)],
    ['status 501', say('no', 501)],
    ['no JSON', say('<html>')],
    ['no object', say([1])],
    ['an empty object', say({})],
  ])('that is %s is replaced by one question', async (_, model) => {
    expect(await both({ model })).toEqual({ name: `${server.origin}/v2/models/m`, ...read });
    const sent = (text: string) => ({
      inputs: [{ name: 'text', datatype: 'BYTES', shape: [1], data: [text] }],
    });
    expect(posted()).toEqual([sent('The quick brown fox.'), sent('a')]);
  });

  test('is missed for tensors too', async () => {
    const example = { shape: [2], data: Float32Array.of(1, -2) };
    expect(await both({}, { example }, example)).toMatchObject(read);
    const input = { name: 'input', datatype: 'FP32', shape: [1, 2], data: [1, -2] };
    expect(posted()).toEqual([{ inputs: [input] }, { inputs: [input] }]);
  });

  test.each([401, 403, 429, 500, 503])('status %d is no sign of absence', async (status) => {
    await expect(both({ model: say('no', status) })).rejects.toMatchObject({
      message: expect.stringContaining(`with status ${status}`),
    });
    expect(posted()).toEqual([]);
  });

  test('keeps what can be read of it', async () => {
    const outputs = [{ name: 'probabilities', parameters: { content_type: 'np' } }];
    const model = metadata(outputs, { versions: null, parameters: { labels: 'a,b' } });
    expect(await both({ model })).toEqual({ name: 'stranger', ...read });
    expect(posted()[0].inputs[0].name).toBe('question');
  });

  test('that names labels needs no question', async () => {
    const outputs = [
      { name: 'probabilities', parameters: { labels: ['no', 'en', 'de'] } },
      { name: 'label', parameters: {} },
    ];
    expect(await both({ model: metadata(outputs) })).toEqual({
      name: 'stranger',
      gives: ['labels', 'probabilities'],
      outcome: { answer: { label: 'en', probabilities: [0.7, 0.2, 0.1] } },
    });
    expect(posted()).toHaveLength(1);
  });
});

describe('columns without labels', () => {
  test('that labels contradict are left aside', async () => {
    const outputs: Outputs = (n) => [...three(n), label(n, 'de')];
    const expected = { gives: ['labels'], outcome: { answer: { label: 'de' } } };
    expect(await both({ outputs })).toMatchObject(expected);
  });

  test('in another number leave the labels, or ask for suspectLabels', async () => {
    const two: Outputs = (n) => [probabilities(n, [0.25, 0.75])];
    const expected = { gives: ['labels'], outcome: { answer: { label: 'de' } } };
    expect(await both({ outputs: (n) => [...two(n), label(n, 'de')] })).toEqual({
      name: `${server.origin}/v2/models/m`,
      ...expected,
    });
    const model = metadata([{ name: 'probabilities' }]);
    await expect(both({ model, outputs: two })).rejects.toMatchObject({
      code: 'SUSPECT_ANSWER_INVALID',
      message: `the answer of the model at ${server.origin}/v2/models/m holds 2 probabilities for each input but not the labels they belong to`,
      hint: expect.stringContaining('audit.suspectLabels in touchmark.yaml'),
    });
    const named = await both({ model, outputs: two }, { suspectLabels: ['no', 'en'] });
    expect(named.outcome).toEqual({ answer: { label: 'en', probabilities: [0.75, 0.25, 0] } });
  });
});

describe('a suspect that offers nothing', () => {
  test('to read is told so with its outputs and the accepted ones', async () => {
    const outputs: Outputs = (n) => [{ ...probabilities(n, [1]), name: 'scores' }];
    for (const model of [missing, metadata([{ name: 'scores' }])]) {
      await expect(both({ model, outputs })).rejects.toMatchObject({
        code: 'SUSPECT_ANSWER_INVALID',
        message: `the answer of the model at ${server.origin}/v2/models/m holds neither probabilities nor answers, only "output scores"`,
        hint: expect.stringContaining('outputs "probabilities" FP32 [n, K] and/or "label"'),
      });
    }
  });

  test('for our kind of input is told so', async () => {
    const inputs = [{ name: 'image', datatype: 'FP32' }];
    const model = metadata([{ name: 'probabilities' }], { inputs });
    await expect(both({ model })).rejects.toMatchObject({
      code: 'SUSPECT_ANSWER_INVALID',
      message: `the model at ${server.origin}/v2/models/m takes FP32 input, and the example is text`,
    });
    expect(posted()).toEqual([]);
  });

  test('at all, not even inference, is unreachable by its path', async () => {
    server.play(missing);
    const classifier = open();
    await expect(classifier.describe({ signal })).rejects.toMatchObject({
      code: 'SUSPECT_UNREACHABLE',
      message: `the model at ${server.origin}/v2/models/m/infer answered with status 404: not here`,
      hint: 'check the path and the name of the model',
    });
    await classifier.close();
  });

  test('because it does not run: the address is told, and that nothing was asked', async () => {
    const closed = createServer().listen(0, '127.0.0.1');
    await once(closed, 'listening');
    const bound = closed.address();
    const origin = `http://127.0.0.1:${typeof bound === 'object' ? bound?.port : ''}`;
    closed.close();
    const classifier = open({}, origin);
    await expect(classifier.describe({ signal })).rejects.toMatchObject({
      code: 'SUSPECT_UNREACHABLE',
      message: `the model at ${origin}/v2/models/m cannot be reached: ECONNREFUSED (2 attempts); nothing was asked yet`,
      hint: 'check that the address is right and that the server runs',
    });
    await classifier.close();
  });
});
