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
const open = (path: string, options: Partial<RemoteOptions> = {}) =>
  openClassifier(`tfserving:${server.origin}${path}`, {
    labels: ['en', 'no', 'de'],
    retryDelayMilliseconds: 5,
    ...options,
  });

/** The form of metadata that TensorFlow Serving documents. */
const metadata = (dtype: string) => ({
  model_spec: { name: 'm', signature_name: '', version: '7' },
  metadata: {
    signature_def: {
      signature_def: {
        serving_default: {
          inputs: { x: { dtype, tensor_shape: { dim: [{ size: '-1' }], unknown_rank: false } } },
          outputs: { y: { dtype: 'DT_FLOAT' } },
          method_name: 'tensorflow/serving/predict',
        },
      },
    },
  },
});
const serve =
  (answer: unknown, about: unknown = metadata('DT_STRING')): Behaviour =>
  (response, request) =>
    say(request.method === 'GET' ? about : answer)(response, request);
const asked = () =>
  server.received
    .filter(({ method }) => method === 'POST')
    .map(({ path, body }) => [path, JSON.parse(body)]);

async function classify(answer: unknown, options: Partial<RemoteOptions> = {}, inputs = ['a']) {
  server.play(serve(answer));
  const classifier = open('/v1/models/m', options);
  try {
    return await classifier.classify(inputs, { signal });
  } finally {
    await classifier.close();
  }
}

describe(':predict', () => {
  test.each([
    ['/v1/models/m', '/v1/models/m', ''],
    ['/team/v1/models/m:predict', '/team/v1/models/m', ''],
    ['/v1/models/m/versions/3', '/v1/models/m/versions/3', ''],
    ['/v1/models/m/labels/stable:predict?key=1', '/v1/models/m/labels/stable', '?key=1'],
  ])('%s asks %s', async (given, path, query) => {
    server.play(serve({ predictions: [[0.5, 0.25, 0.25]] }));
    const classifier = open(given);
    expect(await classifier.describe({ signal })).toEqual({
      name: 'm',
      version: '7',
      gives: ['labels', 'probabilities'],
    });
    expect(server.received.map((request) => `${request.method} ${request.path}`)).toEqual([
      `GET ${path}/metadata${query}`,
      `POST ${path}:predict${query}`,
    ]);
    await classifier.close();
  });

  test('sends text as strings and tensors nested, of the kind the model takes', async () => {
    const square = { shape: [2, 2], data: Float32Array.of(1, 2, 3, 0.5) };
    const ask = async (dtype: string) => {
      server.play(serve({ predictions: ['en'] }, metadata(dtype)));
      const classifier = open('/v1/models/m?signature=serving_default');
      const outcomes = await classifier.classify(['a', square], { signal });
      await classifier.close();
      return [outcomes, asked()];
    };
    const en = { answer: { label: 'en' } };
    const request = (instance: unknown) => [
      '/v1/models/m:predict',
      { signature_name: 'serving_default', instances: [instance] },
    ];
    expect(await ask('DT_STRING')).toEqual([[en, { missing: 'unsupported' }], [request('a')]]);
    expect(await ask('DT_FLOAT')).toEqual([
      [{ missing: 'unsupported' }, en],
      [
        request([
          [1, 2],
          [3, 0.5],
        ]),
      ],
    ]);
  });

  test('asks a server without metadata all the same', async () => {
    server.play((response, request) =>
      request.method === 'GET'
        ? say({ error: 'no' }, 404)(response, request)
        : say({ predictions: [[0, 0, 1]] })(response, request),
    );
    const classifier = open('/v1/models/m');
    expect(await classifier.describe({ signal })).toMatchObject({
      name: `${server.origin}/v1/models/m`,
    });
    await classifier.close();
  });

  const both = [0.25, 0.75];
  const projected = { answer: { label: 'de', probabilities: [0.25, 0, 0.75] } };
  test.each<[string, readonly unknown[], readonly unknown[]]>([
    ['outputs by name', [{ probabilities: both, classes: ['eng', 'deu'] }], [projected]],
    ['an unknown name', [{ dense_3: both, all_classes: ['en', 'de'] }], [projected]],
    [
      'a label beside them',
      [{ scores: both, labels: ['en', 'de'], label: ['en'] }],
      [{ answer: { label: 'en', probabilities: [0.25, 0, 0.75] } }],
    ],
    ['labels only', [{ label: 'nob' }], [{ answer: { label: 'no' } }]],
    ['labels alone', ['nob'], [{ answer: { label: 'no' } }]],
    [
      'rows in other orders',
      [
        { scores: both, classes: ['en', 'de'] },
        { scores: both, classes: ['de', 'en'] },
      ],
      [projected, { answer: { label: 'en', probabilities: [0.75, 0, 0.25] } }],
    ],
  ])('reads %s', async (_, predictions, outcomes) => {
    expect(await classify({ predictions }, {}, predictions.map(String))).toEqual(outcomes);
  });

  test('reads rows without names by the configured labels', async () => {
    const outcomes = await classify({ predictions: [both] }, { suspectLabels: ['en', 'de'] });
    expect(outcomes).toEqual([projected]);
  });

  test.each<[unknown, RegExp]>([
    [{}, /does not fit the protocol \(predictions: /],
    [{ predictions: [] }, /holds neither probabilities nor answers|holds 0 rows/],
    [
      { predictions: [{ '\u001b[31m': 'x'.repeat(9), b: [[1]] }] },
      /neither probabilities nor a label, only "\[31m", "b"$/,
    ],
    [{ predictions: [[0.51, 0.2, 0.2]] }, /sum to 0\.9/],
    [
      {
        predictions: [
          [1, 0, 0],
          [1, 0, 0],
        ],
      },
      /holds 2 rows of probabilities for 1 inputs$/,
    ],
  ])('refuses %j', async (reply, message) => {
    await expect(classify(reply)).rejects.toMatchObject({
      code: 'SUSPECT_ANSWER_INVALID',
      message: expect.stringMatching(message),
    });
  });
});

describe(':classify', () => {
  test.each(['results', 'result'])('reads %s of labels and scores', async (name) => {
    server.play(
      serve({
        [name]: [
          [
            ['eng', 0.75],
            ['nob', 0.125],
          ],
          [
            ['deu', 0.5],
            ['eng', 0.5],
          ],
        ],
      }),
    );
    const classifier = open('/v1/models/m:classify');
    expect(await classifier.classify(['a', 'b'], { signal })).toEqual([
      { answer: { label: 'en', probabilities: [0.75, 0.125, 0] } },
      { answer: { label: 'de', probabilities: [0.5, 0, 0.5] } },
    ]);
    expect(asked()).toEqual([
      ['/v1/models/m:classify', { examples: [{ text: 'a' }, { text: 'b' }] }],
    ]);
    expect(classifier.counts().outside.mass).toBe(0.125);
    await classifier.close();
  });

  test('sends features flat and by the configured name', async () => {
    server.play(serve({ results: [[['en', 1]]] }));
    const classifier = open('/v1/models/m:classify?feature=x&signature=s');
    const square = { shape: [1, 2], data: Float32Array.of(1, 2) };
    await classifier.classify([square], { signal });
    expect(asked()).toEqual([
      ['/v1/models/m:classify', { signature_name: 's', examples: [{ x: [1, 2] }] }],
    ]);
    await classifier.close();
  });

  test('refuses classes without labels', async () => {
    server.play(
      serve({
        results: [
          [
            ['', 0.5],
            ['', 0.5],
          ],
        ],
      }),
    );
    const classifier = open('/v1/models/m:classify');
    await expect(classifier.classify(['a'], { signal })).rejects.toThrow(
      'has classes without a label',
    );
    await classifier.close();
  });
});
