import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { HttpTemplate } from '../../../src/models/adapters/http-template.ts';
import { atPointer } from '../../../src/models/adapters/http-template-pointer.ts';
import { openClassifier } from '../../../src/models/adapters/registry.ts';
import { type Behaviour, type HostileServer, say, startHostileServer } from './hostile-server.ts';

let server: HostileServer;
beforeAll(async () => {
  server = await startHostileServer();
});
afterAll(() => server.close());

const signal = new AbortController().signal;
const open = (template: HttpTemplate, more: object = {}) =>
  openClassifier(
    { kind: 'http', url: `${server.origin}/api`, ...template, ...more },
    { labels: ['en', 'no', 'de'], retryDelayMilliseconds: 5 },
  );
const bodies = () => server.received.map(({ body }) => JSON.parse(body));

/** What RFC 6901 section 5 says of its own example. */
const rfc = {
  ...{ foo: ['bar', 'baz'], '': 0, 'a/b': 1, 'c%d': 2, 'e^f': 3, 'g|h': 4 },
  ...{ 'i\\j': 5, 'k"l': 6, ' ': 7, 'm~n': 8 },
};
test.each<[string, unknown]>([
  ['', rfc],
  ['/foo', ['bar', 'baz']],
  ['/foo/0', 'bar'],
  ['/', 0],
  ['/a~1b', 1],
  ['/c%d', 2],
  ['/e^f', 3],
  ['/g|h', 4],
  ['/i\\j', 5],
  ['/k"l', 6],
  ['/ ', 7],
  ['/m~0n', 8],
  ['/foo/01', undefined],
  ['/foo/-', undefined],
  ['/foo/2', undefined],
  ['/foo/length', undefined],
  ['/constructor', undefined],
  ['/__proto__', undefined],
  ['/foo/0/0', undefined],
])('the pointer %j', (pointer, value) => {
  expect(atPointer(rfc, pointer)).toEqual(value);
});

describe('one question to a request', () => {
  const template: HttpTemplate = {
    request: { documents: [{ text: '{input}', options: { mode: 'x', n: [1, null, true] } }] },
    answers: { label: '/documents/0/language/code', probabilities: '/documents/0/scores' },
  };
  const answer: Behaviour = (response, request) => {
    const { text } = JSON.parse(request.body).documents[0];
    const scores = { eng: 0.5, nob: 0.375 };
    const code = text === 'secret' ? null : 'nob';
    say({ documents: [{ language: { code }, scores }] })(response, request);
  };

  test('fills the template and reads where the pointers lead', async () => {
    server.play(answer);
    const classifier = open(template);
    expect(await classifier.describe({ signal })).toEqual({
      name: `${server.origin}/api`,
      gives: ['labels', 'probabilities'],
    });
    expect(await classifier.classify(['"quoted"', 'secret'], { signal })).toEqual([
      { answer: { label: 'no', probabilities: [0.5, 0.375, 0] } },
      { missing: 'refused' },
    ]);
    expect(bodies()[1]).toEqual({
      documents: [{ text: '"quoted"', options: { mode: 'x', n: [1, null, true] } }],
    });
    expect(classifier.counts()).toMatchObject({ requests: 3, outside: { mass: 0.125 } });
    await classifier.close();
  });

  test('may stand within a longer text, also when the question looks like a template', async () => {
    server.play(say({ label: 'en' }));
    const classifier = open({
      request: ['Which language: {input}? $&'],
      answers: { label: '/label' },
    });
    await classifier.classify(['{input} $1'], { signal });
    expect(bodies()).toEqual([['Which language: {input} $1? $&']]);
    const tensor = { shape: [1], data: Float32Array.of(1) };
    await expect(classifier.classify([tensor], { signal })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining('within the text "Which language: {input}? $&"'),
    });
    await classifier.close();
  });

  test('reads scored labels as APIs list them, and names beside numbers', async () => {
    const outcome = { answer: { label: 'de', probabilities: [0.25, 0, 0.75] } };
    const read = async (reply: unknown, answers: HttpTemplate['answers']) => {
      server.play(say(reply));
      const classifier = open({ request: '{input}', ...(answers && { answers }) });
      const outcomes = await classifier.classify(['a'], { signal });
      await classifier.close();
      return outcomes;
    };
    const scored = [
      { label: 'deu', score: 0.75 },
      { label: 'eng', score: 0.25 },
    ];
    expect(await read([scored], { probabilities: '/0' })).toEqual([outcome]);
    expect(
      await read(
        [
          ['deu', 0.75],
          ['eng', 0.25],
        ],
        { probabilities: '' },
      ),
    ).toEqual([outcome]);
    const split = { names: ['eng', 'deu'], p: [0.25, 0.75] };
    expect(await read(split, { probabilities: '/p', classNames: '/names' })).toEqual([outcome]);
  });
});

describe('a batch to a request', () => {
  test('reads columns', async () => {
    server.play(
      say({
        out: {
          best: ['eng', null],
          all: [
            [0.75, 0.25],
            [0, 1],
          ],
          names: ['en', 'de'],
        },
      }),
    );
    const classifier = open({
      request: { instances: '{inputs}', k: 2 },
      answers: { labels: '/out/best', probabilities: '/out/all', classNames: '/out/names' },
    });
    expect(await classifier.classify(['a', 'b'], { signal })).toEqual([
      { answer: { label: 'en', probabilities: [0.75, 0, 0.25] } },
      { missing: 'refused' },
    ]);
    expect(bodies()).toEqual([{ instances: ['a', 'b'], k: 2 }]);
    await classifier.close();
  });

  test('reads rows, whatever the order of their labels', async () => {
    const row = (classes: string[], p: number[]) => ({ result: { classes, p } });
    server.play(
      say({ data: [row(['en', 'de'], [0.75, 0.25]), row(['de', 'en'], [0.5, 0.5]), null] }),
    );
    const classifier = open({
      answers: { rows: '/data', probabilities: '/result/p', classNames: '/result/classes' },
    });
    expect(await classifier.classify(['a', 'b', 'c'], { signal })).toEqual([
      { answer: { label: 'en', probabilities: [0.75, 0, 0.25] } },
      { answer: { label: 'de', probabilities: [0.5, 0, 0.5] } },
      { missing: 'refused' },
    ]);
    expect(bodies()).toEqual([{ inputs: ['a', 'b', 'c'] }]);
    await classifier.close();
  });
});

describe('an answer that is not where it should be', () => {
  const answers = { labels: '/labels' };
  test.each<[string, HttpTemplate['answers'], unknown, RegExp]>([
    ['nothing', answers, {}, /has nothing at "\/labels"$/],
    ['no list', answers, { labels: { a: 1 } }, /has an object at "\/labels"$/],
    ['no label', answers, { labels: [['en']] }, /does not fit the protocol/],
    ['too few', answers, { labels: [] }, /holds 0 rows of answers for 1 inputs$/],
    [
      'no numbers',
      { probabilities: '/p' },
      { p: ['x'] },
      /gives "x" in the place of probabilities$/,
    ],
    [
      'other forms',
      { probabilities: '' },
      [{ en: 1 }, [1, 0, 0]],
      /with labels and others without$/,
    ],
    [
      'twice',
      { probabilities: '' },
      [
        [
          ['en', 1],
          ['en', 0],
        ],
      ],
      /gives "en" twice in one row$/,
    ],
    ['long labels', { labels: '' }, ['x'.repeat(300)], /does not fit the protocol/],
  ])('%s', async (_, pointers, reply, message) => {
    server.play(say(reply));
    const classifier = open(pointers ? { answers: pointers } : {});
    await expect(classifier.classify(['a'], { signal })).rejects.toMatchObject({
      code: 'SUSPECT_ANSWER_INVALID',
      message: expect.stringMatching(message),
    });
    await classifier.close();
  });
});

test.each<[HttpTemplate, RegExp]>([
  [{ request: { text: 'none' } }, /has no place for questions$/],
  [{ request: ['{input}', '{inputs}'] }, /holds both "\{input\}" and "\{inputs\}"$/],
  [{ request: '{input}', answers: {} }, /lead to no answer$/],
  [{ request: '{input}', answers: { labels: '/a' } }, /lead to no answer$/],
  [{ request: '{input}', answers: { rows: '/a', label: '/b' } }, /lead to no answer$/],
  [{ answers: { label: '/a' } }, /lead to no answer$/],
  [{ answers: { rows: '/a', labels: '/b' } }, /lead to no answer$/],
  [{ answers: { classNames: '/a' } }, /lead to no answer$/],
])('refuses the template %j', (template, message) => {
  expect(() => open(template)).toThrow(
    expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.stringMatching(message) }),
  );
});

test('labels and label map of a form go before those of the audit', async () => {
  server.play(say({ probabilities: [[0.75, 0.25]] }));
  const classifier = openClassifier(
    { kind: 'http', url: server.origin, labels: ['a', 'b'], labelMap: { a: 'de', b: 'no' } },
    { labels: ['en', 'no', 'de'], suspectLabels: ['en', 'no'], labelMap: { a: 'en' } },
  );
  expect(await classifier.classify(['x'], { signal })).toEqual([
    { answer: { label: 'de', probabilities: [0, 0.25, 0.75] } },
  ]);
  await classifier.close();
});
