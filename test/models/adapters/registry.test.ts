import { describe, expect, test } from 'vitest';
import { displaySpecification, openClassifier } from '../../../src/models/adapters/registry.ts';
import { splitCommand } from '../../../src/models/adapters/suspect-command.ts';
import type { SuspectForm } from '../../../src/models/adapters/suspect-forms.ts';
import { resolveSuspect } from '../../../src/models/adapters/suspect-names.ts';

const failure = (code: string, message: string | RegExp) =>
  expect.objectContaining({
    code,
    message: expect.stringMatching(message),
    hint: expect.stringMatching(/\w/),
  });

test.each([
  ['grpc:http://host', /names the unknown protocol "grpc"; known are kserve, http, /],
  ['constructor:x', /names the unknown protocol "constructor"; known are kserve, http, /],
  ['', /names the unknown protocol ""; known are kserve, http, /],
  ['http://host/classify', /address names no protocol; known are kserve, http, /],
  ['https://host/classify', /address names no protocol; known are kserve, http, /],
  ['http:ftp://host', /^"ftp:\/\/host" is no http address$/],
  ['kserve:http://me:secret@host', /^the address http:\/\/host\/ carries a user name or password$/],
  [
    'tfserving:http://host/v2/models/m',
    /^the address http:\/\/host\/v2\/models\/m names no model$/,
  ],
  ['onnx:', /^the suspect "onnx:" says no more than its kind$/],
  ['exec: ', /^the suspect "exec:" says no more than its kind$/],
  ['exec:""', /^the suspect is an empty command$/],
])('openClassifier refuses %j', (specification, message) => {
  expect(() => openClassifier(specification, { labels: ['en'] })).toThrow(
    failure('USAGE', message),
  );
});

describe('displaySpecification', () => {
  test.each([
    ['kserve:https://host/v2/models/m?key=hidden', 'kserve:https://host/v2/models/m?…'],
    ['http:http://host:80/a', 'http:http://host/a'],
    ['tfserving:http://host/v1/models/m:predict', 'tfserving:http://host/v1/models/m:predict'],
    ['openai:http://host/v1?model=m', 'openai:http://host/v1?…'],
    ['tfjs:models/a b/model.json', 'tfjs:models/a b/model.json'],
    ['onnx:/srv/\u001b[31mx.onnx', 'onnx:/srv/ [31mx.onnx'],
    ['replay:runs/1', 'replay:runs/1'],
    ['exec:python3 ./classify.py --top 3', 'exec:python3 ./classify.py --top 3'],
    ['exec:ask --api-key hidden --n 2', 'exec:ask --api-key … --n 2'],
    ['exec:ask --token=hidden "API_KEY=hid den"', 'exec:ask --token=… API_KEY=…'],
    ['exec:ask sk-abcdefghij1234567890KLMN', 'exec:ask …'],
    ['exec:ask http://me:hidden@host/x?k=hidden', 'exec:ask http://…@host/x?…'],
    ['exec:ask /opt/model2/abcdefghijklmnopqrstu', 'exec:ask /opt/model2/abcdefghijklmnopqrstu'],
  ])('%s', (specification, shown) => {
    expect(displaySpecification(specification)).toBe(shown);
  });

  test('shows forms like the texts that mean the same, without their secrets', () => {
    const form: SuspectForm = {
      kind: 'http',
      url: 'https://host/x?k=hidden',
      headers: { 'x-api-key': 'hidden' },
      request: { q: '{input}', key: 'hidden' },
    };
    expect(displaySpecification(form)).toBe('http:https://host/x?…');
    expect(displaySpecification({ kind: 'exec', command: ['a', '--token', 'hidden'] })).toBe(
      'exec:a --token …',
    );
  });
});

test('a command is split at blanks; quotes keep words together, also within one', () => {
  expect(splitCommand(`a  "b c" 'd "e"' --f="g h" ""`)).toEqual([
    ...['a', 'b c', 'd "e"', '--f=g h', ''],
  ]);
});

describe('resolveSuspect', () => {
  const suspects = { rival: { kind: 'onnx', path: 'x.onnx' } as const, old: 'replay:runs/1' };

  test('finds names before it reads texts', () => {
    expect(resolveSuspect('rival', suspects)).toBe(suspects.rival);
    expect(resolveSuspect('old', suspects)).toBe('replay:runs/1');
    expect(resolveSuspect('http:https://host/x', suspects)).toBe('http:https://host/x');
  });

  test.each(['rivals', 'toString', ''])('refuses %j and lists the known names', (name) => {
    const message = /^there is no suspect called ".*"; touchmark.yaml names rival, old$/;
    expect(() => resolveSuspect(name, suspects)).toThrow(failure('USAGE', message));
  });
});
