import type { ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import { inferenceReply } from './model.ts';

/** A question that the model server answers wrongly. */
export interface FaultyExchange {
  readonly texts: readonly string[];
  readonly response: ServerResponse;
}

/** What the gateway says: the model does not answer, or says nonsense; or the first if time is up. */
export type Expected = '502' | '503' | '502 or 503';

interface Fault {
  readonly expected: Expected;
  answer(exchange: FaultyExchange): unknown;
}

const head = 'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n';

function raw(text: string, end: 'fin' | 'reset' | 'never', expected: Expected): Fault {
  return {
    expected,
    answer: ({ response }) => {
      const { socket } = response;
      if (end === 'fin') socket?.end(text);
      else socket?.write(text, () => void (end === 'reset' && socket.resetAndDestroy()));
    },
  };
}

function said(
  change: (reply: ReplyDocument, texts: readonly string[]) => unknown,
  expected: Expected = '502',
): Fault {
  return {
    expected,
    answer: ({ texts, response }) => {
      const changed = change(inferenceReply(texts) as ReplyDocument, texts);
      response.setHeader('content-type', 'application/json');
      response.end(typeof changed === 'string' ? changed : JSON.stringify(changed));
    },
  };
}

interface ReplyDocument {
  readonly outputs: [{ shape: number[]; data: unknown[] }];
}

/** Returns a document with another tensor of probabilities. */
function tensor(change: (data: unknown[], shape: number[]) => [unknown[], number[]]) {
  return said((reply) => {
    const [output] = reply.outputs;
    const [data, shape] = change(output.data, output.shape);
    return { ...reply, outputs: [{ ...output, data, shape }] };
  });
}

function pour(response: ServerResponse, bytes: number, opening: string): void {
  const piece = Buffer.alloc(2 ** 18, ' ');
  const pieces = Array.from({ length: bytes / piece.length }, () => piece);
  Readable.from([Buffer.from(opening), ...pieces])
    .on('error', () => undefined)
    .pipe(response);
}

/** The ways in which the model server goes wrong. */
export const faults: Readonly<Record<string, Fault>> = {
  'closes without an answer': raw('', 'fin', '503'),
  'resets without an answer': raw('', 'reset', '503'),
  'never answers': { expected: '503', answer: () => undefined },
  'sends half a head, then FIN': raw('HTTP/1.1 200 O', 'fin', '503'),
  'sends a head, then nothing': raw(`${head}content-length: 90\r\n\r\n`, 'never', '503'),
  'sends a head, then FIN': raw(`${head}content-length: 90\r\n\r\n`, 'fin', '503'),
  'sends half a body, then FIN': raw(`${head}content-length: 90\r\n\r\n{"outputs"`, 'fin', '503'),
  'sends half a body, then resets': raw(`${head}content-length: 90\r\n\r\n{"out`, 'reset', '503'),
  'sends half a chunk, then FIN': raw(
    `${head}transfer-encoding: chunked\r\n\r\n50\r\n{"outputs"`,
    'fin',
    '503',
  ),
  'sends a byte now and then': {
    expected: '503',
    answer: async ({ response }) => {
      response.on('error', () => undefined);
      for (let sent = 0; sent < 100 && !response.destroyed; sent += 1) {
        response.write(' ');
        await pause(100);
      }
      response.end();
    },
  },
  'sends 70 MiB': {
    expected: '502 or 503',
    answer: ({ response }) => pour(response, 70 * 2 ** 20, '{"outputs":'),
  },
  'sends headers without end': raw(`${head}x: ${'a'.repeat(100_000)}`, 'never', '503'),
  'speaks no HTTP': raw('SSH-2.0-OpenSSH_9.2\r\n', 'fin', '503'),
  'says that more follows': raw(`${'HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(20)}`, 'never', '503'),
  'says 500': {
    expected: '503',
    answer: ({ response }) => response.writeHead(500).end('{"error":"at /srv/model.py"}'),
  },
  'says 500 with the question': {
    expected: '503',
    answer: ({ texts, response }) =>
      response.writeHead(500).end(JSON.stringify({ error: `cannot read ${texts}` })),
  },
  'says 401': { expected: '503', answer: ({ response }) => response.writeHead(401).end() },
  'says 302': {
    expected: '502 or 503',
    answer: ({ response }) => response.writeHead(302, { location: 'http://127.0.0.1:9/' }).end(),
  },
  'says 200 with a page': said(() => '<html>login</html>'),
  'says nothing with 200': said(() => ''),
  'says half a document': said((reply) => JSON.stringify(reply).slice(0, -9)),
  'says null': said(() => null),
  'says lists in lists': said(() => `${'['.repeat(1e6)}${']'.repeat(1e6)}`),
  'leaves out the probabilities': said((reply) => ({ ...reply, outputs: [] })),
  'says a row less': tensor((data, [rows, width]) => [data.slice(width), [rows! - 1, width!]]),
  'says a row more': tensor((data, [rows, width]) => [
    [...data, ...data.slice(-width!)],
    [rows! + 1, width!],
  ]),
  'says another shape than it fills': tensor((data, shape) => [data.slice(1), shape]),
  'says a label more': tensor((data, [rows, width]) => [
    [...data, ...data.slice(0, rows)],
    [rows!, width! + 1],
  ]),
  'says null for a probability': tensor((data, shape) => [data.with(0, null), shape]),
  'says a text for a probability': tensor((data, shape) => [data.with(0, '0.25'), shape]),
  'says the question for a probability': said((reply, texts) =>
    JSON.stringify(reply).replace(/"data":\[[^,\]]*/, `"data":["${texts[0]}"`),
  ),
  'says the question for everything': said((_, texts) => ({
    [texts[0]!]: texts,
    model_name: texts,
    outputs: [{ name: texts[0], datatype: texts[0], shape: texts, data: texts }],
  })),
  'says nothing but the question': said((_, texts) => texts.join()),
  'says a probability below 0': tensor((data, shape) => [data.with(0, -0.25), shape]),
  'says a probability of 1e999': said((reply) =>
    JSON.stringify(reply).replace(/"data":\[[^,\]]*/, '"data":[1e999'),
  ),
  'says nothing but 0': tensor((data, shape) => [data.map(() => 0), shape]),
  'says nothing but 1': tensor((data, shape) => [data.map(() => 1), shape]),
};
