import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openClassifier } from '../../../src/models/adapters/registry.ts';
import type { RemoteOptions } from '../../../src/models/adapters/remote.ts';
import { type Behaviour, type HostileServer, say, startHostileServer } from './hostile-server.ts';

let server: HostileServer;
beforeAll(async () => {
  server = await startHostileServer();
});
afterAll(() => server.close());

const signal = new AbortController().signal;
const open = (path = '/v2/models/m', options: Partial<RemoteOptions> = {}) =>
  openClassifier(`kserve:${server.origin}${path}`, {
    labels: ['en', 'no', 'de'],
    retryDelayMilliseconds: 5,
    ...options,
  });

const metadata = (more: object = {}) => ({
  name: 'm',
  versions: ['1', '2'],
  inputs: [{ name: 'question', datatype: 'BYTES', shape: [-1] }],
  outputs: [
    {
      name: 'probabilities',
      datatype: 'FP32',
      shape: [-1, 2],
      parameters: { labels: ['nob', 'eng'] },
    },
    { name: 'label', datatype: 'BYTES', shape: [-1] },
  ],
  ...more,
});
const probabilities = (shape: readonly number[], data: readonly unknown[]) => ({
  outputs: [{ name: 'probabilities', datatype: 'FP32', shape, data }],
});

/** Serves metadata on GET and an answer on POST. */
const serve =
  (answer: unknown, model: unknown = metadata()): Behaviour =>
  (response, request) =>
    say(request.method === 'GET' ? model : answer)(response, request);

describe('addresses', () => {
  test.each([
    ['/v2/models/m', '/v2/models/m'],
    ['/v2/models/m/', '/v2/models/m'],
    ['/v2/models/m/infer', '/v2/models/m'],
    ['/v2/models/m/versions/3', '/v2/models/m/versions/3'],
    ['/team/v2/models/m?key=1', '/team/v2/models/m', '?key=1'],
    ['?model=m', '/v2/models/m'],
    ['/team/?model=m&key=1', '/team/v2/models/m', '?key=1'],
    ['?model=a%2Fb', '/v2/models/a%2Fb'],
  ])('%s asks %s', async (given, path, query = '') => {
    server.play(serve(probabilities([1, 2], [0.25, 0.75])));
    const classifier = open(given);
    await classifier.describe({ signal });
    await classifier.classify(['a'], { signal });
    const base = path.slice(0, path.indexOf('/v2/models/'));
    expect(server.received.map((request) => request.path)).toEqual([
      `${path}${query}`,
      `${base}/v2/health/ready${query}`,
      `${path}/infer${query}`,
    ]);
    await classifier.close();
  });

  test('one that names no model is refused with both forms', () => {
    expect(() => open('/v2')).toThrow(
      expect.objectContaining({
        code: 'USAGE',
        message: `the address ${server.origin}/v2 names no model`,
        hint: 'write kserve:http://host:port/v2/models/NAME or kserve:http://host:port?model=NAME',
      }),
    );
  });
});

describe('describe', () => {
  const described = async (model: object, options: Partial<RemoteOptions> = {}) => {
    server.play(serve(probabilities([1, 3], [1, 0, 0]), model));
    const classifier = open('/v2/models/m', options);
    try {
      return await classifier.describe({ signal });
    } finally {
      await classifier.close();
    }
  };
  const outputs = [{ name: 'probabilities', datatype: 'FP32', shape: [-1, 2] }];

  test('reads name, newest version, labels and outputs', async () => {
    expect(await described(metadata())).toEqual({
      name: 'm',
      version: '2',
      labels: ['nob', 'eng'],
      gives: ['labels', 'probabilities'],
    });
  });

  test('finds labels at the model, as JSON text, or in the settings', async () => {
    const atModel = metadata({ outputs, parameters: { labels: ['a', 'b'] } });
    expect((await described(atModel)).labels).toEqual(['a', 'b']);
    const asText = metadata({ outputs, parameters: { labels: '["a","b"]' } });
    expect((await described(asText)).labels).toEqual(['a', 'b']);
    const without = metadata({ outputs });
    expect((await described(without)).labels).toBeUndefined();
    expect((await described(without, { suspectLabels: ['c', 'd'] })).labels).toEqual(['c', 'd']);
  });

  test('a model that gives labels only says so', async () => {
    const model = metadata({ outputs: [{ name: 'label', datatype: 'BYTES', shape: [-1] }] });
    expect((await described(model)).gives).toEqual(['labels']);
    expect((await described(metadata(), { labelsOnly: true })).gives).toEqual(['labels']);
  });

  test('a server that is not ready is unreachable', async () => {
    const ready = `${server.origin}/v2/health/ready`;
    server.play(say(metadata()), say({ ready: false }, 503));
    const classifier = open('/v2/models/m', { retries: 0 });
    await expect(classifier.describe({ signal })).rejects.toMatchObject({
      code: 'SUSPECT_UNREACHABLE',
      message: `the model at ${ready} answered with status 503: {"ready":false}`,
    });
    await classifier.close();
  });
});

describe('inference', () => {
  const classify = async (
    inputs: Parameters<ReturnType<typeof open>['classify']>[0],
    answer: unknown,
    model: object = metadata(),
    options: Partial<RemoteOptions> = {},
  ) => {
    server.play(serve(answer, model));
    const classifier = open('/v2/models/m', options);
    try {
      return await classifier.classify(inputs, { signal });
    } finally {
      await classifier.close();
    }
  };
  const sent = () => JSON.parse(server.received.at(-1)!.body);

  test('sends texts as BYTES under the name that the metadata gives', async () => {
    const outcomes = await classify(['a', 'b'], probabilities([2, 2], [0.25, 0.75, 1, 0]));
    expect(sent()).toEqual({
      inputs: [{ name: 'question', datatype: 'BYTES', shape: [2], data: ['a', 'b'] }],
    });
    expect(outcomes).toEqual([
      { answer: { label: 'en', probabilities: [0.75, 0.25, 0] } },
      { answer: { label: 'no', probabilities: [0, 1, 0] } },
    ]);
  });

  test('takes nested data, and labels with refusals', async () => {
    const nested = await classify(
      ['a', 'b'],
      probabilities(
        [2, 2],
        [
          [0.25, 0.75],
          [1, 0],
        ],
      ),
    );
    expect(nested).toMatchObject([{ answer: { label: 'en' } }, { answer: { label: 'no' } }]);
    const label = { name: 'label', datatype: 'BYTES', shape: [2], data: ['deu', null] };
    expect(await classify(['a', 'b'], { outputs: [label] })).toEqual([
      { answer: { label: 'de' } },
      { missing: 'refused' },
    ]);
  });

  test('asks for labels only on request', async () => {
    const label = { name: 'label', datatype: 'BYTES', shape: [1], data: ['en'] };
    await classify(['a'], { outputs: [label] }, metadata(), { labelsOnly: true });
    expect(sent().outputs).toEqual([{ name: 'label' }]);
  });

  test('sends tensors as FP32; a kind that the model does not take is unsupported', async () => {
    const model = metadata({ inputs: [{ name: 'image', datatype: 'FP32', shape: [-1, 2] }] });
    const tensor = (...data: number[]) => ({ shape: [2], data: Float32Array.from(data) });
    const answer = probabilities([2, 2], [0.25, 0.75, 1, 0]);
    const outcomes = await classify([tensor(1, 2), tensor(3, -0.5), 'text'], answer, model);
    expect(sent()).toEqual({
      inputs: [{ name: 'image', datatype: 'FP32', shape: [2, 2], data: [1, 2, 3, -0.5] }],
    });
    expect(outcomes[2]).toEqual({ missing: 'unsupported' });
    expect(await classify([tensor(1, 2)], answer)).toEqual([{ missing: 'unsupported' }]);
  });

  test('reads the metadata once', async () => {
    server.play(serve(probabilities([1, 2], [0.25, 0.75])));
    const classifier = open('/v2/models/m', { batchSize: 1 });
    await classifier.classify(['a', 'b', 'c'], { signal });
    expect(server.received.map(({ method }) => method)).toEqual(['GET', 'POST', 'POST', 'POST']);
    await classifier.close();
  });

  test.each<[string, readonly number[], readonly unknown[]]>([
    ['a row less', [1, 2], [0.5, 0.5]],
    ['a row more', [3, 2], [1, 0, 1, 0, 1, 0]],
    ['another rank', [4], [1, 0, 1, 0]],
    ['too little data', [2, 2], [1, 0, 1]],
    ['ragged data', [2, 2], [[1, 0, 0], [1]]],
    ['a shape like a bomb', [1_000_000_000_000, 0], []],
  ])('%s is named with its shape', async (_, shape, data) => {
    await expect(classify(['a', 'b'], probabilities(shape, data))).rejects.toMatchObject({
      code: 'SUSPECT_ANSWER_INVALID',
      message: `the answer of the model at ${server.origin}/v2/models/m holds output "probabilities" of shape [${shape}] and ${data.length} values for 2 inputs`,
      hint: 'its shape must be [n, K] and its data must fill it',
    });
  });

  test.each<[string, unknown, string]>([
    ['no output', { outputs: [] }, 'holds neither probabilities nor answers'],
    [
      'a width that is not that of the labels',
      probabilities([1, 3], [1, 0, 0]),
      'holds 3 probabilities in row 0 for 2 labels',
    ],
    [
      'a sum that is not 1',
      probabilities([1, 2], [0.5, 0.25]),
      'gives probabilities that sum to 0.75 in row 0',
    ],
    [
      'no outputs',
      {},
      'does not fit the protocol (outputs: Invalid input: expected array, received undefined)',
    ],
  ])('%s is named', async (_, answer, what) => {
    await expect(classify(['a'], answer)).rejects.toMatchObject({
      code: 'SUSPECT_ANSWER_INVALID',
      message: `the answer of the model at ${server.origin}/v2/models/m ${what}`,
    });
  });
});
