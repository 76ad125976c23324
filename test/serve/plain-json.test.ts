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
  running = await startGateway(answering, { maxBatch: 4, maxTextLength: 40 });
  tensors = await startGateway(keywordAnswering({ tensor: [2, 2] }));
});
afterAll(async () => {
  await running.gateway.close();
  await tensors.gateway.close();
});

describe('POST /classify', () => {
  test('answers with labels and probabilities, in order', async () => {
    const inputs = ['the cat and the dog', 'der Hund und', ''];
    const { status, body } = await running.ask('/classify', { json: { inputs } });
    expect(status).toBe(200);
    expect(body).toEqual({
      labels: keywordLabels,
      probabilities: inputs.map(keywordProbabilities),
    });
    expect(answering.requests.at(-1)).toEqual({
      tenant: 'alice',
      marked: true,
      inputs,
      wants: { probabilities: true },
    });
  });

  test.each([
    ['in the body', '/classify', { inputs: ['jeg er ikke'], answers: 'labels' }],
    ['in the query', '/classify?answers=labels', { inputs: ['jeg er ikke'] }],
  ])('answers with labels only when asked %s', async (_, path, json) => {
    expect((await running.ask(path, { json })).body).toEqual({ answers: ['no'] });
    expect(answering.requests.at(-1)?.wants).toEqual({ probabilities: false });
  });

  test('takes tensors as nested arrays', async () => {
    const json = {
      inputs: [
        [
          [1, 1],
          [0, 0],
        ],
        [
          [0, 0],
          [3, 0],
        ],
      ],
      answers: 'labels',
    };
    expect((await tensors.ask('/classify', { json })).body).toEqual({
      answers: ['upper', 'lower'],
    });
  });

  test('keeps a __proto__ member away from everything', async () => {
    const body = '{"inputs":["the"],"__proto__":{"answers":"labels","polluted":true}}';
    const reply = await running.ask('/classify', { body });
    expect(reply.status).toBe(200);
    expect(reply.body.probabilities).toBeDefined();
    expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false);
  });
});

describe('bad input gets 400 and a text that names the value and the fix', () => {
  const cases: readonly [name: string, body: string, error: string | RegExp][] = [
    ['malformed JSON', '{"inputs": [', /^the body is no JSON: .*; send a JSON object$/],
    ['no body', '', /^the body is no JSON: .*; send a JSON object$/],
    ['no object', '[]', /^the body: Invalid input: expected object, received array$/],
    ['inputs missing', '{}', 'inputs: must be an array'],
    ['inputs of another kind', '{"inputs": "the"}', 'inputs: must be an array'],
    ['an empty batch', '{"inputs": []}', 'the batch is empty; send at least one input'],
    [
      'too large a batch',
      '{"inputs": ["", "", "", "", ""]}',
      'the batch holds 5 inputs; send at most 4 in one request',
    ],
    ['a number for a text', '{"inputs": ["a", 7]}', 'inputs[1] is 7; this model takes texts'],
    ['null for a text', '{"inputs": [null]}', 'inputs[0] is null; this model takes texts'],
    [
      'a long text',
      `{"inputs": ["${'x'.repeat(41)}"]}`,
      'inputs[0] is 41 characters long; send at most 40',
    ],
    [
      'a lone surrogate',
      '{"inputs": ["ab\\ud800c"]}',
      'inputs[0] has the lone surrogate U+D800 at position 2; send well-formed Unicode',
    ],
    [
      'an unknown form of answer',
      '{"inputs": ["a"], "answers": "all"}',
      'answers: must be "labels" or be left out',
    ],
  ];
  test.each(cases)('%s', async (_, body, error) => {
    const reply = await running.ask('/classify', { body });
    expect(reply.status).toBe(400);
    expect(reply.body).toEqual({
      error: typeof error === 'string' ? error : expect.stringMatching(error),
    });
  });

  test('bytes that are no UTF-8', async () => {
    const body = Uint8Array.from([0x7b, 0xff, 0x7d]);
    const reply = await running.ask('/classify', { body });
    expect(reply.body).toEqual({ error: 'the body is no UTF-8; encode it as UTF-8' });
  });

  const tensorCases: readonly [name: string, body: string, error: string][] = [
    [
      'a wrong shape',
      '{"inputs": [[[1, 2], [3]]]}',
      'inputs[0] is an array of 2 and has not the shape [2,2]; reshape it',
    ],
    ['a text', '{"inputs": ["the"]}', 'inputs[0] is "the"; this model takes arrays of shape [2,2]'],
    [
      'an infinite number',
      '{"inputs": [[[1, 2], [1e999, 4]]]}',
      'inputs[0][2] is Infinity; send finite numbers that fit 32 bits',
    ],
    [
      'a number too large for 32 bits',
      '{"inputs": [[[1, 2], [3, -1e39]]]}',
      'inputs[0][3] is -1e+39; send finite numbers that fit 32 bits',
    ],
    [
      'null',
      '{"inputs": [[[null, 2], [3, 4]]]}',
      'inputs[0][0] is null; every value must be a number',
    ],
    [
      'a number as text',
      '{"inputs": [[[1, "2"], [3, 4]]]}',
      'inputs[0][1] is "2"; every value must be a number',
    ],
  ];
  test.each(tensorCases)('in a tensor: %s', async (_, body, error) => {
    const reply = await tensors.ask('/classify', { body });
    expect([reply.status, reply.body]).toEqual([400, { error }]);
  });

  test('NaN is no JSON', async () => {
    const reply = await tensors.ask('/classify', { body: '{"inputs": [[[NaN, 2], [3, 4]]]}' });
    expect(reply.status).toBe(400);
    expect(reply.body.error).toMatch(/^the body is no JSON: .*NaN/);
  });
});
