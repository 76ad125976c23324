import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  keywordAnswering,
  keywordLabels,
  keywordProbabilities,
  type RunningGateway,
  startGateway,
} from './keyword-answering.ts';

const answering = keywordAnswering();
let running: RunningGateway;
let tensors: RunningGateway;
beforeAll(async () => {
  running = await startGateway(answering, { maxBatch: 4 });
  tensors = await startGateway(keywordAnswering({ tensor: [2, 2] }));
});
afterAll(async () => {
  await running.gateway.close();
  await tensors.gateway.close();
});

const infer = '/v2/models/words/infer';
const text = (data: readonly unknown[], more: object = {}) => ({
  inputs: [{ name: 'input', datatype: 'BYTES', shape: [data.length], data, ...more }],
});

describe('Open Inference Protocol v2', () => {
  test('publishes metadata with the labels', async () => {
    expect((await running.ask('/v2')).body).toMatchObject({ name: 'touchmark', extensions: [] });
    const { body } = await running.ask('/v2/models/words');
    expect(body).toMatchObject({
      name: 'words',
      versions: ['1'],
      inputs: [{ name: 'input', datatype: 'BYTES', shape: [-1] }],
      outputs: [
        { name: 'probabilities', datatype: 'FP32', shape: [-1, 3] },
        { name: 'label', datatype: 'BYTES', shape: [-1] },
      ],
      parameters: { labels: keywordLabels },
    });
    expect((await running.ask('/v2/models/words/versions/1')).body).toEqual(body);
    expect((await tensors.ask('/v2/models/words')).body.inputs).toEqual([
      { name: 'input', datatype: 'FP32', shape: [-1, 2, 2] },
    ]);
    const ready = await running.ask('/v2/models/words/ready');
    expect([ready.status, ready.body]).toEqual([200, { name: 'words', ready: true }]);
  });

  test('infers probabilities and labels from texts', async () => {
    const data = ['the cat', 'og jeg'];
    const { body } = await running.ask(infer, { json: { id: 'q-1', ...text(data) } });
    expect(body).toEqual({
      model_name: 'words',
      model_version: '1',
      id: 'q-1',
      outputs: [
        {
          name: 'probabilities',
          datatype: 'FP32',
          shape: [2, 3],
          data: data.flatMap(keywordProbabilities),
        },
        { name: 'label', datatype: 'BYTES', shape: [2], data: ['en', 'no'] },
      ],
    });
    const versioned = await running.ask('/v2/models/words/versions/1/infer', { json: text(data) });
    expect(versioned.body.outputs).toEqual(body.outputs);
  });

  test('selects outputs, and asks for no probabilities when only labels are wanted', async () => {
    const json = { ...text(['the']), outputs: [{ name: 'label' }] };
    const { body } = await running.ask(infer, { json });
    expect(body.outputs).toEqual([{ name: 'label', datatype: 'BYTES', shape: [1], data: ['en'] }]);
    expect(answering.requests.at(-1)?.wants).toEqual({ probabilities: false });
  });

  test.each([
    ['flat', [1, 1, 0, 0, 0, 0, 3, 0]],
    [
      'nested',
      [
        [
          [1, 1],
          [0, 0],
        ],
        [
          [0, 0],
          [3, 0],
        ],
      ],
    ],
  ])('infers from %s tensors', async (_, data) => {
    const tensor = { name: 'input', datatype: 'FP32', shape: [2, 2, 2], data };
    const { body } = await tensors.ask(infer, { json: { inputs: [tensor] } });
    expect(body.outputs).toMatchObject([{ shape: [2, 2] }, { data: ['upper', 'lower'] }]);
  });
});

describe('bad input is named together with its fix', () => {
  const tensor = (more: object) => ({
    inputs: [{ name: 'input', datatype: 'FP32', shape: [1, 2, 2], data: [1, 2, 3, 4], ...more }],
  });
  const cases: readonly [name: string, json: object, error: string][] = [
    ['no inputs', {}, 'inputs: Invalid input: expected array, received undefined'],
    ['no tensor', { inputs: [] }, 'inputs: must hold exactly one tensor'],
    ['an empty batch', text([]), 'the batch is empty; send at least one input'],
    [
      'too large a batch',
      text(['', '', '', '', '']),
      'the batch holds 5 inputs; send at most 4 in one request',
    ],
    [
      'another datatype',
      text(['a'], { datatype: 'FP32' }),
      'inputs[0].datatype is "FP32"; this model takes BYTES',
    ],
    [
      'a shape that the data does not fill',
      text(['a', 'b'], { shape: [3] }),
      'inputs[0].data holds 2 entries and does not fill the shape [3]; make them agree',
    ],
    [
      'a shape of another rank',
      text(['a', 'b'], { shape: [1, 2] }),
      'inputs[0].shape is [1,2]; this model takes [n]',
    ],
    ['a negative shape', text(['a'], { shape: [-1] }), 'inputs[0].shape[0]: must not be negative'],
    ['a number', text([7]), 'inputs[0].data[0] is 7; this model takes texts'],
    [
      'binary data',
      {
        inputs: [
          { name: 'input', datatype: 'BYTES', shape: [1], parameters: { binary_data_size: 9 } },
        ],
      },
      'inputs[0].data: must be an array; binary tensor data is not supported',
    ],
    [
      'an unknown output',
      { ...text(['a']), outputs: [{ name: 'logits' }] },
      'outputs[0].name is "logits"; this model has probabilities and label',
    ],
  ];
  test.each(cases)('%s', async (_, json, error) => {
    const reply = await running.ask(infer, { json });
    expect([reply.status, reply.body]).toEqual([400, { error }]);
  });

  test.each([
    [tensor({ shape: [2, 2] }), 'inputs[0].shape is [2,2]; this model takes [n, 2, 2]'],
    [
      tensor({ data: [1, 2, 3] }),
      'inputs[0].data holds 3 entries and does not fill the shape [1,2,2]; make them agree',
    ],
    [tensor({ data: [1, 2, null, 4] }), 'inputs[0].data[2] is null; every value must be a number'],
  ])('in a tensor: %#', async (json, error) => {
    const reply = await tensors.ask(infer, { json });
    expect([reply.status, reply.body]).toEqual([400, { error }]);
  });

  test('1e999 in a tensor', async () => {
    const body = JSON.stringify(tensor({})).replace(',3,', ',1e999,');
    const reply = await tensors.ask(infer, { body });
    expect([reply.status, reply.body]).toEqual([
      400,
      { error: 'inputs[0].data[2] is Infinity; send finite numbers that fit 32 bits' },
    ]);
  });

  test.each([
    ['/v2/models/other/infer', 'unknown model "other"; this is "words"'],
    ['/v2/models/words/versions/9/infer', 'unknown version "9" of "words"; this is "1"'],
  ])('%s is not here', async (path, error) => {
    const reply = await running.ask(path, { json: text(['a']) });
    expect([reply.status, reply.body]).toEqual([404, { error }]);
  });
});
