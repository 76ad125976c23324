import { Ajv } from 'ajv';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Input } from '../../../src/contracts.ts';
import { openClassifier } from '../../../src/models/adapters/registry.ts';
import type { RemoteOptions } from '../../../src/models/adapters/remote.ts';
import { bearer, keywordAnswering, startGateway } from '../../serve/keyword-answering.ts';
import published from '../../vectors/open-inference-rest.json' with { type: 'json' };
import { type HostileServer, say, startHostileServer } from './hostile-server.ts';

/** Validates against the published OpenAPI document of the Open Inference Protocol. */
const ajv = new Ajv({ strict: true, allErrors: true });
ajv.addSchema({ $id: 'protocol', components: published.components }, 'protocol');
ajv.addKeyword('components');
type SchemaName = keyof typeof published.components.schemas;
function misfits(name: SchemaName, document: unknown): unknown {
  const validate = ajv.compile({ $ref: `protocol#/components/schemas/${name}` });
  return validate(document) ? [] : validate.errors;
}

let server: HostileServer;
beforeAll(async () => {
  server = await startHostileServer();
});
afterAll(() => server.close());

const signal = new AbortController().signal;
const labels = ['en', 'no', 'de'];
const tensor = (name: string, datatype: string, shape: readonly number[], data: unknown[]) => ({
  ...{ name, datatype, shape, data },
});
const about = (datatype: string) => ({
  name: 'm',
  versions: ['1'],
  platform: 'test',
  inputs: [{ name: 'x', datatype, shape: [-1, 2, 2] }],
  outputs: [
    { name: 'probabilities', datatype: 'FP32', shape: [-1, 3] },
    { name: 'label', datatype: 'BYTES', shape: [-1] },
  ],
});
const square = { shape: [2, 2], data: Float32Array.of(1, 2, 3, 0.5) };

describe('requests', () => {
  test.each<[string, Input, Partial<RemoteOptions>]>([
    ['text', 'a\u0000\ud800"', {}],
    ['tensors', square, {}],
    ['labels only', 'a', { labelsOnly: true }],
  ])('of %s are what the protocol allows', async (_, input, options) => {
    server.play((response, request) =>
      say(
        request.method === 'GET'
          ? about(typeof input === 'string' ? 'BYTES' : 'FP32')
          : { model_name: 'm', outputs: [tensor('label', 'BYTES', [2], ['en', 'no'])] },
      )(response, request),
    );
    const classifier = openClassifier(`kserve:${server.origin}/v2/models/m`, {
      labels,
      ...options,
    });
    await classifier.classify([input, input], { signal });
    const sent = server.received.filter(({ method }) => method === 'POST');
    expect(sent).toHaveLength(1);
    expect(misfits('inference_request', JSON.parse(sent[0]!.body))).toEqual([]);
    await classifier.close();
  });
});

describe('responses', () => {
  const rows = [0.5, 0.25, 0.25, 0, 0.75, 0.25];
  test.each<[string, object]>([
    ['flat data', { outputs: [tensor('probabilities', 'FP32', [2, 3], rows)] }],
    [
      'nested data',
      { outputs: [tensor('probabilities', 'FP64', [2, 3], [rows.slice(0, 3), rows.slice(3)])] },
    ],
    [
      'every optional part',
      {
        model_version: '1',
        id: 'x',
        parameters: { a: { b: 1 } },
        outputs: [
          { ...tensor('other', 'BOOL', [1], [true]), parameters: { c: 1 } },
          tensor('label', 'BYTES', [2], ['en', 'no']),
          tensor('probabilities', 'FP32', [2, 3], rows),
        ],
      },
    ],
  ])('with %s are in the protocol and are read', async (_, more) => {
    const reply = { model_name: 'm', ...more };
    expect(misfits('inference_response', reply)).toEqual([]);
    expect(misfits('metadata_model_response', about('BYTES'))).toEqual([]);
    server.play((response, request) =>
      say(request.method === 'GET' ? about('BYTES') : reply)(response, request),
    );
    const classifier = openClassifier(`kserve:${server.origin}/v2/models/m`, { labels });
    expect(await classifier.classify(['a', 'b'], { signal })).toEqual([
      { answer: { label: 'en', probabilities: rows.slice(0, 3) } },
      { answer: { label: 'no', probabilities: rows.slice(3) } },
    ]);
    await classifier.close();
  });

  test('of errors are read as such', async () => {
    const reply = { error: 'unsupported datatype' };
    expect(misfits('inference_error_response', reply)).toEqual([]);
    server.play((response, request) =>
      request.method === 'GET'
        ? say(about('BYTES'))(response, request)
        : say(reply, 400)(response, request),
    );
    const classifier = openClassifier(`kserve:${server.origin}/v2/models/m`, { labels });
    expect(await classifier.classify(['a'], { signal })).toEqual([{ missing: 'unsupported' }]);
    await classifier.close();
  });
});

test('what our own gateway says is in the protocol, and its own client reads it', async () => {
  const { gateway, ask, address } = await startGateway(keywordAnswering());
  try {
    const inputs = [tensor('text', 'BYTES', [2], ['the', 'der'])];
    const replies: [SchemaName, string, object][] = [
      ['metadata_server_response', '/v2', {}],
      ['metadata_model_response', '/v2/models/words', {}],
      ['inference_response', '/v2/models/words/infer', { json: { id: '1', inputs } }],
      ['inference_error_response', '/v2/models/words/infer', { json: { inputs: [] } }],
    ];
    for (const [schema, path, init] of replies) {
      const { body } = await ask(path, init);
      expect([path, misfits(schema, body)]).toEqual([path, []]);
    }
    const classifier = openClassifier(`kserve:${address}/v2/models/words`, { labels, bearer });
    expect(await classifier.describe({ signal })).toMatchObject({
      name: 'words',
      gives: ['labels', 'probabilities'],
    });
    await classifier.close();
  } finally {
    await gateway.close();
  }
});

test('the published schemas refuse what is not in the protocol', () => {
  expect(misfits('inference_request', { inputs: [{ name: 'x' }] })).not.toEqual([]);
  expect(misfits('inference_response', { outputs: [] })).not.toEqual([]);
  const refusal = { model_name: 'm', outputs: [tensor('label', 'BYTES', [1], [null])] };
  expect(misfits('inference_response', refusal)).not.toEqual([]);
});
