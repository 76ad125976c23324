import { expect, test } from 'vitest';
import { openClassifier } from '../../../src/models/adapters/registry.ts';

const failure = (code: string, message: string) =>
  expect.objectContaining({ code, message, hint: expect.stringMatching(/\w/) });

test.each([
  [
    'grpc:http://host',
    'the suspect\'s address names the unknown protocol "grpc"; known are kserve, http',
  ],
  [
    'constructor:x',
    'the suspect\'s address names the unknown protocol "constructor"; known are kserve, http',
  ],
  ['', 'the suspect\'s address names the unknown protocol ""; known are kserve, http'],
  ['http://host/classify', "the suspect's address names no protocol; known are kserve, http"],
  ['https://host/classify', "the suspect's address names no protocol; known are kserve, http"],
  ['http:ftp://host', '"ftp://host" is no http address'],
  ['kserve:http://me:secret@host', 'the address http://host/ carries a user name or password'],
])('openClassifier refuses %j', (specification, message) => {
  expect(() => openClassifier(specification, { labels: ['en'] })).toThrow(
    failure('USAGE', message),
  );
});
