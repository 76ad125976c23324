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
const open = (options: Partial<RemoteOptions> = {}) =>
  openClassifier(`http:${server.origin}/classify`, {
    labels: ['en', 'no', 'de'],
    retryDelayMilliseconds: 5,
    ...options,
  });
const inputsOf = (body: string): string[] => JSON.parse(body).inputs;
const asked = () => server.received.map(({ body }) => inputsOf(body).length);

/** Answers `en` to everything. */
const english: Behaviour = (response, request) => {
  const answers = inputsOf(request.body).map(() => 'en');
  say({ answers })(response, request);
};

describe('asking', () => {
  test('splits into batches and keeps the order', async () => {
    const echo: Behaviour = (response, request) =>
      say({ answers: inputsOf(request.body) })(response, request);
    server.play(echo);
    const classifier = open({ batchSize: 3 });
    const inputs = ['a0', 'a1', 'a2', 'a3', 'a4', 'a5', 'a6'];
    const outcomes = await classifier.classify(inputs, { signal });
    expect(outcomes).toEqual(inputs.map((label) => ({ answer: { label } })));
    expect(asked()).toEqual([3, 3, 1]);
    expect(classifier.counts()).toEqual({
      requests: 3,
      retries: 0,
      outside: { answers: 7, mass: 0 },
    });
    expect(await classifier.classify([], { signal })).toEqual([]);
    expect(asked()).toEqual([3, 3, 1]);
    await classifier.close();
  });

  test('sends 64 inputs at once by default', async () => {
    server.play(english);
    const classifier = open();
    await classifier.classify(Array.from({ length: 130 }, String), { signal });
    expect(asked()).toEqual([64, 64, 2]);
    await classifier.close();
  });

  test('sends tensors as nested arrays, one shape to a request', async () => {
    server.play(english);
    const classifier = open();
    const square = { shape: [2, 2], data: Float32Array.from([1, 2, 3, 0.5]) };
    const pair = { shape: [2], data: Float32Array.from([7, -8]) };
    await classifier.classify([square, square, pair, 'text'], { signal });
    expect(server.received.map(({ body }) => JSON.parse(body).inputs)).toEqual([
      [
        [
          [1, 2],
          [3, 0.5],
        ],
        [
          [1, 2],
          [3, 0.5],
        ],
      ],
      [[7, -8]],
      ['text'],
    ]);
    await classifier.close();
  });

  test.each([0, 1.5, Number.NaN])('refuses the batch size %d', (batchSize) => {
    const message = `the batch size ${batchSize} is no whole number of at least 1`;
    expect(() => open({ batchSize })).toThrow(expect.objectContaining({ code: 'USAGE', message }));
  });
});

describe('describe', () => {
  test('learns from one answer, without counting it', async () => {
    server.play(say({ labels: ['fr', 'en'], probabilities: [[0.9, 0.1]] }));
    const classifier = open();
    expect(await classifier.describe({ signal })).toEqual({
      name: `${server.origin}/classify`,
      labels: ['fr', 'en'],
      gives: ['labels', 'probabilities'],
    });
    expect(classifier.counts().outside).toEqual({ answers: 0, mass: 0 });
    await classifier.close();
  });

  test('says when there are labels only', async () => {
    server.play(say({ answers: ['en'] }));
    const classifier = open({ example: { shape: [1], data: Float32Array.of(1) } });
    expect(await classifier.describe({ signal })).toEqual({
      name: `${server.origin}/classify`,
      gives: ['labels'],
    });
    expect(server.received[0]?.body).toBe('{"inputs":[[1]]}');
    await classifier.close();
  });
});

describe('a stranger that sends only part of the protocol', () => {
  const both = async (answer: Behaviour, options: Partial<RemoteOptions> = {}) => {
    server.play(answer);
    const classifier = open(options);
    try {
      const { gives, labels } = await classifier.describe({ signal });
      return { gives, labels, outcomes: await classifier.classify(['a', 'b'], { signal }) };
    } finally {
      await classifier.close();
    }
  };
  const rows =
    (row: readonly number[], more: (inputs: number) => object = () => ({})): Behaviour =>
    (response, request) => {
      const { length } = inputsOf(request.body);
      const probabilities = Array.from({ length }, () => row);
      say({ probabilities, ...more(length) })(response, request);
    };
  const answers = (label: string) => (length: number) => ({ answers: Array(length).fill(label) });

  test('as many probabilities as we have labels are read in our order', async () => {
    const answer = { label: 'no', probabilities: [0.2, 0.7, 0.1] };
    expect(await both(rows([0.2, 0.7, 0.1]))).toEqual({
      gives: ['labels', 'probabilities'],
      labels: undefined,
      outcomes: [{ answer }, { answer }],
    });
  });

  test('labels without probabilities are answers', async () => {
    const perInput: Behaviour = (response, request) =>
      say({ labels: inputsOf(request.body).map(() => 'deu') })(response, request);
    expect(await both(perInput)).toEqual({
      gives: ['labels'],
      labels: undefined,
      outcomes: [{ answer: { label: 'de' } }, { answer: { label: 'de' } }],
    });
  });

  test.each([
    ['another number of columns', rows([0.5, 0.5], answers('en'))],
    ['labels that contradict our order', rows([0.2, 0.7, 0.1], answers('en'))],
  ])('%s leave the labels', async (_, behaviour) => {
    expect(await both(behaviour)).toEqual({
      gives: ['labels'],
      labels: undefined,
      outcomes: [{ answer: { label: 'en' } }, { answer: { label: 'en' } }],
    });
  });

  test('another number of columns alone asks for suspectLabels, which then name them', async () => {
    await expect(both(rows([0.25, 0.75]))).rejects.toMatchObject({
      code: 'SUSPECT_ANSWER_INVALID',
      message: `the answer of the model at ${server.origin}/classify holds 2 probabilities for each input but not the labels they belong to`,
      hint: expect.stringContaining('audit.suspectLabels in touchmark.yaml'),
    });
    const answer = { label: 'en', probabilities: [0.75, 0.25, 0] };
    expect(await both(rows([0.25, 0.75]), { suspectLabels: ['no', 'en'] })).toEqual({
      gives: ['labels', 'probabilities'],
      labels: ['no', 'en'],
      outcomes: [{ answer }, { answer }],
    });
  });

  test('one that offers nothing to read is told so with the forms that are', async () => {
    await expect(both(say({ predictions: ['en'] }))).rejects.toMatchObject({
      code: 'SUSPECT_ANSWER_INVALID',
      message: `the answer of the model at ${server.origin}/classify holds neither probabilities nor answers, only "predictions"`,
      hint: expect.stringContaining('{"answers": [...]}'),
    });
  });

  test('one that refuses the example is judged by what it sent', async () => {
    const refusing: Behaviour = (response, request) => {
      const probabilities = inputsOf(request.body).map(() => null);
      say({ labels: ['en', 'no'], probabilities })(response, request);
    };
    expect(await both(refusing)).toMatchObject({
      gives: ['labels', 'probabilities'],
      outcomes: [{ missing: 'refused' }, { missing: 'refused' }],
    });
  });
});

describe('one indigestible input', () => {
  const poisoned =
    (status: number): Behaviour =>
    (response, request) =>
      inputsOf(request.body).includes('poison')
        ? say('cannot', status)(response, request)
        : english(response, request);

  test.each([
    [400, 'unsupported'],
    [413, 'unsupported'],
    [422, 'unsupported'],
    [500, 'failed'],
  ])('answered with %d is %s, and the others are answered', async (status, missing) => {
    server.play(poisoned(status));
    const classifier = open({ batchSize: 8 });
    const outcomes = await classifier.classify(['a', 'b', 'poison', 'c', 'd'], { signal });
    const fine = { answer: { label: 'en' } };
    expect(outcomes).toEqual([fine, fine, { missing }, fine, fine]);
    const answered = server.received.map(({ body }) => inputsOf(body));
    expect(
      answered
        .filter((inputs) => !inputs.includes('poison'))
        .flat()
        .sort(),
    ).toEqual(['a', 'b', 'c', 'd']);
    await classifier.close();
  });

  test('a 500 that passes costs nothing', async () => {
    server.play(say('oops', 500), english);
    const classifier = open();
    const outcomes = await classifier.classify(['a', 'b'], { signal });
    expect(outcomes).toEqual([{ answer: { label: 'en' } }, { answer: { label: 'en' } }]);
    await classifier.close();
  });

  test('eight failures in a row are an outage and end the asking', async () => {
    server.play(say('oops', 500));
    const classifier = open();
    const inputs = Array.from({ length: 64 }, String);
    await expect(classifier.classify(inputs, { signal })).rejects.toMatchObject({
      code: 'SUSPECT_UNREACHABLE',
      message: `the model at ${server.origin}/classify answered with status 500: oops`,
    });
    expect(server.received.length).toBeLessThan(25);
    await classifier.close();
  });
});

describe('an answer that does not fit the protocol', () => {
  const misfit = 'does not fit the protocol';
  const flood = JSON.stringify({ labels: Array(70_000).fill('x'), probabilities: [[1]] });
  test.each<[string, unknown, string]>([
    ['text', '"en"', `${misfit} (Invalid input: expected object, received string)`],
    ['null', 'null', `${misfit} (Invalid input: expected object, received null)`],
    [
      'rows without brackets',
      { labels: ['en'], probabilities: [1] },
      `${misfit} (probabilities[0]: Invalid input: expected array, received number)`,
    ],
    [
      'numbers for labels',
      { answers: [3] },
      `${misfit} (answers[0]: Invalid input: expected string, received number)`,
    ],
    [
      'an endless label',
      { answers: ['x'.repeat(300)] },
      `${misfit} (answers[0]: Too big: expected string to have <=256 characters)`,
    ],
    [
      'a flood of labels',
      flood,
      `${misfit} (labels: Too big: expected array to have <=65536 items)`,
    ],
    ['a wrong number of rows', { answers: ['en', 'en'] }, 'holds 2 rows of answers for 1 inputs'],
    [
      'an infinite number',
      '{"labels":["en"],"probabilities":[[1e999]]}',
      'gives Infinity as the probability of "en" in row 0',
    ],
    [
      'a prototype',
      '{"__proto__": {"answers": ["en"]}}',
      'holds neither probabilities nor answers, only "__proto__"',
    ],
    [
      'another form',
      { predictions: ['en'], model: 'm' },
      'holds neither probabilities nor answers, only "predictions", "model"',
    ],
    [
      'class names alone, more than inputs',
      { labels: ['en', 'no', 'de'] },
      'holds 3 rows of answers for 1 inputs',
    ],
  ])('%s', async (_, answer, what) => {
    server.play(say(answer));
    const classifier = open();
    await expect(classifier.classify(['a'], { signal })).rejects.toMatchObject({
      code: 'SUSPECT_ANSWER_INVALID',
      message: `the answer of the model at ${server.origin}/classify ${what}`,
    });
    expect(server.received).toHaveLength(1);
    await classifier.close();
  });

  test('a __proto__ among good members changes nothing', async () => {
    server.play(say('{"answers": ["__proto__"], "__proto__": {"polluted": true}}'));
    const classifier = open();
    const outcomes = await classifier.classify(['a'], { signal });
    expect(outcomes).toEqual([{ answer: { label: '__proto__' } }]);
    expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false);
    await classifier.close();
  });
});
