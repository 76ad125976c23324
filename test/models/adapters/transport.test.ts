import { once } from 'node:events';
import { createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { TouchmarkError } from '../../../src/errors.ts';
import { Transport, type TransportOptions } from '../../../src/models/adapters/transport.ts';
import {
  type Behaviour,
  breakOff,
  drip,
  flood,
  type HostileServer,
  hang,
  say,
  startHostileServer,
} from './hostile-server.ts';

let server: HostileServer;
beforeAll(async () => {
  server = await startHostileServer();
});
afterAll(() => server.close());

const quick = { retryDelayMilliseconds: 5, timeoutMilliseconds: 5_000 };
const never = new AbortController().signal;

async function post(options: TransportOptions, ...script: readonly Behaviour[]) {
  server.play(...script);
  const transport = new Transport({ ...quick, ...options });
  const url = new URL('/classify?key=hidden', server.origin);
  try {
    const reply = await transport.post(url, { inputs: ['a'] }, never);
    return { reply, counts: transport.counts };
  } catch (error) {
    if (!TouchmarkError.isInstance(error)) throw error;
    return { error, counts: transport.counts };
  } finally {
    await transport.close();
  }
}

const at = () => `the model at ${server.origin}/classify?…`;

describe('a request', () => {
  test('carries the token in its header, and nothing that names this program', async () => {
    const { reply } = await post({ bearer: 'secret-token' }, say({ fine: true }));
    expect(reply).toEqual({ fine: true });
    const [{ headers, body } = { headers: {}, body: '' }] = server.received;
    expect(JSON.parse(body)).toEqual({ inputs: ['a'] });
    expect(headers).toMatchObject({
      authorization: 'Bearer secret-token',
      'content-type': 'application/json',
      'accept-encoding': 'identity',
    });
    expect(headers['user-agent']).toBeUndefined();
  });

  test.each(['', 'two words', 'line\nend', 'über'])('refuses the token %j', (bearer) => {
    expect(() => new Transport({ bearer })).toThrow(
      expect.objectContaining({
        code: 'USAGE',
        message: 'the bearer token is empty or holds spaces or line ends',
      }),
    );
  });
});

describe('large answers', () => {
  const long = 'é'.repeat(2 ** 20);

  test('come whole, however many at once', async () => {
    server.play(say({ long }));
    const transport = new Transport({ ...quick, connections: 8 });
    const url = new URL(server.origin);
    const asked = Array.from({ length: 8 }, () => transport.post(url, {}, never));
    expect(new Set((await Promise.all(asked)).map((each) => JSON.stringify(each)))).toEqual(
      new Set([JSON.stringify({ long })]),
    );
    await transport.close();
  });
});

describe('is repeated', () => {
  test.each([408, 429, 502, 503, 504])('after status %d', async (status) => {
    const { reply, counts } = await post({}, say('busy', status), say('busy', status), say([1]));
    expect([reply, counts]).toEqual([[1], { requests: 3, retries: 2 }]);
  });

  test('after a connection that broke off, and after half an answer', async () => {
    const reset: Behaviour = (response) => response.destroy();
    const { reply, counts } = await post({}, reset, breakOff, say([1]));
    expect([reply, counts]).toEqual([[1], { requests: 3, retries: 2 }]);
  });

  test('no sooner than Retry-After says', async () => {
    await post({}, say('slow down', 429, { 'retry-after': '1' }), say([1]));
    const [first, second] = server.received;
    expect(second!.at - first!.at).toBeGreaterThanOrEqual(990);
  });

  test('at most four times', async () => {
    const { error, counts } = await post({ retries: 99 }, say('down', 503));
    expect(counts).toEqual({ requests: 5, retries: 4 });
    expect(error).toMatchObject({
      code: 'SUSPECT_UNREACHABLE',
      message: `${at()} answered with status 503: down (5 attempts)`,
      hint: 'run again to resume',
    });
  });

  test.each([200, 400, 404, 500, 501])('never after status %d', async (status) => {
    const { counts } = await post({}, say('no', status));
    expect(counts).toEqual({ requests: 1, retries: 0 });
  });

  test('not when Retry-After asks for more patience than allowed', async () => {
    const { error, counts } = await post({}, say('no', 429, { 'retry-after': '3600' }));
    expect(counts).toEqual({ requests: 1, retries: 0 });
    expect(error).toMatchObject({
      code: 'SUSPECT_UNREACHABLE',
      hint: 'wait 3600 s as it asks, then run again to resume',
    });
  });
});

describe('what goes wrong is told with the address, without its secrets', () => {
  const cases: readonly [string, TransportOptions, Behaviour, object][] = [
    [
      '401',
      {},
      say({ error: 'who are you' }, 401),
      {
        code: 'SUSPECT_REFUSED',
        message: 'refused the request with status 401: {"error":"who are you"}',
        hint: 'give a valid bearer token by environment variable or file',
      },
    ],
    [
      '403',
      {},
      say('', 403),
      { code: 'SUSPECT_REFUSED', message: 'refused the request with status 403' },
    ],
    [
      'a redirect',
      {},
      say('', 302, { location: 'http://elsewhere.example/login?token=abc' }),
      {
        code: 'SUSPECT_ANSWER_INVALID',
        message: 'redirects with status 302 to "http://elsewhere.example/login"',
        hint: 'redirects are not followed: give the final address',
      },
    ],
    [
      'no such path',
      {},
      say('nothing here', 404),
      {
        code: 'SUSPECT_UNREACHABLE',
        message: 'answered with status 404: nothing here',
        hint: 'check the path and the name of the model',
      },
    ],
    [
      'a rejected request',
      {},
      say('bad', 422),
      { code: 'SUSPECT_ANSWER_INVALID', message: 'rejected the request with status 422: bad' },
    ],
    [
      'a server error with a page full of control characters',
      {},
      say(`\u001b[31mred\u0000\u202e${'x'.repeat(500)}`, 500),
      {
        code: 'SUSPECT_UNREACHABLE',
        message: `answered with status 500: [31mred ${'x'.repeat(111)}…`,
      },
    ],
    [
      'HTML',
      {},
      say('<html><body>Please log in</body></html>'),
      {
        code: 'SUSPECT_ANSWER_INVALID',
        message: 'answered with something that is no JSON: <html><body>Please log in</body></html>',
        hint: 'check the path, and that no login page or proxy answers in its place',
      },
    ],
    [
      'truncated JSON',
      {},
      say('{"answers": ["en"'),
      {
        code: 'SUSPECT_ANSWER_INVALID',
        message: 'answered with something that is no JSON: {"answers": ["en"',
      },
    ],
    [
      'nothing',
      {},
      say('', 204),
      {
        code: 'SUSPECT_ANSWER_INVALID',
        message: 'answered with something that is no JSON: an empty body',
      },
    ],
    ['JSON nested without end', {}, say('['.repeat(1_000_000)), { code: 'SUSPECT_ANSWER_INVALID' }],
    [
      'silence',
      { timeoutMilliseconds: 100 },
      hang,
      { code: 'SUSPECT_UNREACHABLE', message: 'gave no answer within 100 ms' },
    ],
    [
      'one byte at a time',
      { timeoutMilliseconds: 200 },
      drip,
      {
        code: 'SUSPECT_UNREACHABLE',
        message: 'gave no answer within 200 ms',
        hint: 'raise the timeout or lower the batch size, then run again to resume',
      },
    ],
    [
      'a body without end',
      { responseLimitBytes: 2 ** 20 },
      flood,
      {
        code: 'SUSPECT_ANSWER_INVALID',
        message: 'answered with a body over the size limit (status 200)',
        hint: 'lower the batch size, or raise the response limit',
      },
    ],
    [
      'an error without end',
      {},
      (response) => {
        response.writeHead(400);
        const more = () => {
          while (!response.destroyed && response.write('x'.repeat(65_536)));
        };
        response.on('drain', more);
        more();
      },
      { message: `rejected the request with status 400: ${'x'.repeat(119)}…` },
    ],
    [
      'a token in the path of a redirect',
      { bearer: 'secret-token' },
      say('', 302, { location: 'http://127.0.0.1:1/secret-token' }),
      { message: 'redirects with status 302 to "http://127.0.0.1:1/…"' },
    ],
    [
      'a token sent back',
      { bearer: 'secret-token' },
      say('unknown key secret-token', 401),
      { message: 'refused the request with status 401: unknown key …' },
    ],
  ];
  test.each(cases)('%s', async (_, options, behaviour, expected) => {
    const { error, counts } = await post(options, behaviour);
    const message = 'message' in expected ? { message: `${at()} ${expected.message}` } : {};
    expect(error).toMatchObject({ ...expected, ...message });
    expect(counts.requests).toBe(1);
    expect(JSON.stringify([error?.message, String(error?.cause)])).not.toMatch(
      /hidden|secret-token/,
    );
  });

  test('no server', async () => {
    const closed = createServer().listen(0, '127.0.0.1');
    await once(closed, 'listening');
    const bound = closed.address();
    const port = typeof bound === 'object' ? bound?.port : undefined;
    closed.close();
    const transport = new Transport(quick);
    const url = new URL(`http://127.0.0.1:${port}/x`);
    await expect(transport.get(url, never)).rejects.toMatchObject({
      code: 'SUSPECT_UNREACHABLE',
      exitCode: 3,
      message: `the model at http://127.0.0.1:${port}/x cannot be reached: ECONNREFUSED (5 attempts); nothing was asked yet`,
      hint: 'check that the address is right and that the server runs',
    });
  });

  test('a server that goes away after something was asked', async () => {
    const leaving = await startHostileServer();
    leaving.play(say({ fine: true }));
    const transport = new Transport({ ...quick, retries: 0 });
    const url = new URL(`${leaving.origin}/x`);
    await transport.post(url, {}, never);
    await leaving.close();
    await expect(transport.post(url, {}, never)).rejects.toMatchObject({
      code: 'SUSPECT_UNREACHABLE',
      message: expect.not.stringContaining('nothing was asked'),
      hint: expect.stringMatching(/run again to resume$/),
    });
    await transport.close();
  });

  test('something that does not speak HTTP', async () => {
    const odd = createServer((socket) => socket.end('SSH-2.0-OpenSSH_9.2\r\n')).listen(
      0,
      '127.0.0.1',
    );
    await once(odd, 'listening');
    const bound = odd.address();
    const port = typeof bound === 'object' ? bound?.port : undefined;
    const transport = new Transport(quick);
    await expect(transport.get(new URL(`http://127.0.0.1:${port}`), never)).rejects.toMatchObject({
      code: 'SUSPECT_UNREACHABLE',
      message: expect.not.stringContaining('nothing was asked'),
    });
    odd.close();
  });
});

test('an abort ends the wait with its own reason, during a request and between two', async () => {
  for (const behaviour of [hang, say('later', 503, { 'retry-after': '30' })]) {
    server.play(behaviour);
    const transport = new Transport(quick);
    const controller = new AbortController();
    const reason = new TouchmarkError('INTERRUPTED', 'stop');
    setTimeout(() => controller.abort(reason), 100);
    const pending = transport.get(new URL(server.origin), controller.signal);
    await expect(pending).rejects.toBe(reason);
    await transport.close();
  }
});
