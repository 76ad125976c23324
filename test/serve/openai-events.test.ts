import fc from 'fast-check';
import { expect, test } from 'vitest';
import { EventReader } from '../../src/serve/proxy/openai/server-sent-events.ts';

function read(...pieces: readonly string[]): unknown[] {
  const reader = new EventReader();
  return pieces.flatMap((piece) => reader.push(piece));
}
const event = (data: string) => ({ kind: 'event', data });

test.each([
  ['lines that end in LF', 'data: a\n\ndata: b\n\n', [event('a'), event('b')]],
  ['lines that end in CRLF', 'data: a\r\n\r\n', [event('a')]],
  ['lines that end in CR', 'data: a\r\rdata: b\r\r', [event('a'), event('b')]],
  ['data in several lines', 'data: a\ndata:b\ndata\n\n', [event('a\nb\n')]],
  ['one blank taken off, no more', 'data:  a\n\n', [event(' a')]],
  ['other fields', 'event: x\nid: 1\nretry: 2\ndata: a\n\n', [event('a')]],
  ['no data, no event', 'event: x\n\n\n\n', []],
  ['an event without its end', 'data: a\n', []],
  ['a comment', ': waiting\n\ndata: a\n\n', [{ kind: 'comment' }, event('a')]],
  ['an error by its type', 'event: error\ndata: x\n\n', [{ kind: 'error', data: 'x' }]],
  ["llama.cpp's errors", 'error: {"code":500}\n\n', [{ kind: 'error', data: '{"code":500}' }]],
])('%s', (_, text, events) => {
  expect(read(text)).toEqual(events);
});

test('a text says the same however it is cut', () => {
  const parts = fc.constantFrom(
    'data',
    ':',
    ' ',
    'a',
    '\n',
    '\r',
    '\r\n',
    'event: error',
    '\u{1f337}',
  );
  fc.assert(
    fc.property(
      fc.array(parts, { maxLength: 40 }),
      fc.array(fc.nat(60), { maxLength: 6 }),
      (words, cuts) => {
        const text = words.join('');
        const places = [0, ...cuts.map((cut) => Math.min(cut, text.length)), text.length].sort(
          (a, b) => a - b,
        );
        const pieces = places.slice(1).map((to, index) => text.slice(places[index], to));
        expect(read(...pieces)).toEqual(read(text));
      },
    ),
  );
});

test('an event without end is given up, in time linear in its length', () => {
  const reader = new EventReader();
  const begun = performance.now();
  const pour = () => {
    for (let piece = 0; piece < 2 ** 20; piece++) reader.push('data!');
  };
  expect(pour).toThrow(expect.objectContaining({ code: 'UPSTREAM_ANSWER_INVALID' }));
  expect(performance.now() - begun).toBeLessThan(5_000);
});
