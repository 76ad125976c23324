import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import { TouchmarkError } from '../../src/errors.ts';
import { createGateway } from '../../src/serve/gateway.ts';
import {
  bearer,
  keywordAnswering,
  type RunningGateway,
  startGateway,
} from './keyword-answering.ts';

const running: RunningGateway[] = [];
const start = async (...given: Parameters<typeof startGateway>): Promise<RunningGateway> => {
  const gateway = await startGateway(...given);
  running.push(gateway);
  return gateway;
};
afterEach(async () => {
  await Promise.all(running.splice(0).map(({ gateway }) => gateway.close()));
});

const json = { inputs: ['the'] };
const refusal = { error: 'unknown tenant: send a valid Authorization: Bearer token' };

describe('tenants', () => {
  test.each([
    '',
    'Bearer',
    'Bearer wrong',
    `Basic ${bearer}`,
    `Bearer ${bearer} more`,
  ])('the authorization "%s" is refused in the same words, before the body is read', async (authorization) => {
    const { ask } = await start(keywordAnswering());
    for (const init of [{ json }, { body: '{malformed' }, { body: '', headers: {} }]) {
      const reply = await ask('/classify', { ...init, headers: { authorization } });
      expect([reply.status, reply.body]).toEqual([401, refusal]);
      expect(reply.headers.get('www-authenticate')).toBe('Bearer');
    }
    for (const path of ['/v2', '/v2/models/words', '/v2/models/x', '/nowhere']) {
      const reply = await ask(path, { headers: { authorization } });
      expect([reply.status, reply.body]).toEqual([401, refusal]);
    }
  });

  test('health needs no token', async () => {
    const { address } = await start(keywordAnswering());
    for (const path of ['/health', '/v2/health']) {
      expect((await fetch(`${address}${path}/live`)).status).toBe(200);
      const response = await fetch(`${address}${path}/ready`);
      expect([response.status, await response.json()]).toEqual([200, { ready: true }]);
    }
  });

  test('a model that is not ready says 503', async () => {
    const { ask } = await start(keywordAnswering('text', { ready: async () => false }));
    for (const path of ['/health/ready', '/v2/health/ready', '/v2/models/words/ready']) {
      const reply = await ask(path);
      expect([reply.status, reply.body.ready]).toEqual([503, false]);
    }
  });
});

describe('requests that no route can take', () => {
  test('unknown route', async () => {
    const { ask } = await start(keywordAnswering());
    const reply = await ask('/classify?secret=1');
    const error = 'no route GET /classify; use POST /classify or POST /v2/models/NAME/infer';
    expect([reply.status, reply.body]).toEqual([404, { error }]);
  });

  test('undecodable path', async () => {
    const { ask } = await start(keywordAnswering());
    const reply = await ask('/v2/models/%E0%A4%A');
    const error = 'the path is no valid percent-encoded UTF-8; encode it';
    expect([reply.status, reply.body]).toEqual([400, { error }]);
  });

  test.each([
    'text/plain',
    'application/octet-stream',
    'application/x-www-form-urlencoded',
  ])('content type %s', async (type) => {
    const { ask } = await start(keywordAnswering());
    const reply = await ask('/classify', { json, headers: { 'content-type': type } });
    const error = 'the body has no or another content type; send content-type: application/json';
    expect([reply.status, reply.body]).toEqual([415, { error }]);
  });

  test('too large a body', async () => {
    const answering = keywordAnswering();
    const { ask } = await start(answering, { maxBodyBytes: 100 });
    const reply = await ask('/classify', { json: { inputs: ['x'.repeat(200)] } });
    const error = 'the body is too large; send fewer or shorter inputs';
    expect([reply.status, reply.body]).toEqual([413, { error }]);
    expect(answering.requests).toEqual([]);
  });
});

describe('failures behind the gateway', () => {
  const secret = '/var/lib/keys of alice at http://10.0.0.1';
  test.each([
    ['UPSTREAM_FAILED', 503, 'the model behind this gateway does not answer now; try again later'],
    ['UPSTREAM_ANSWER_INVALID', 502, 'the model behind this gateway gave an unusable answer'],
    [
      'STORE_FULL',
      503,
      'this gateway cannot record answers now and so gives none; try again later',
    ],
    ['KEY_RING_INVALID', 500, 'internal error'],
  ] as const)('%s becomes %d without details', async (code, status, error) => {
    const failure = new TouchmarkError(code, secret, { cause: new Error(secret) });
    const { ask, failures } = await start(
      keywordAnswering('text', { answer: () => Promise.reject(failure) }),
    );
    const reply = await ask('/classify', { json });
    expect([reply.status, reply.body]).toEqual([status, { error }]);
    expect(failures).toEqual([failure]);
  });

  test('a bug becomes 500 without details, and the next request is answered', async () => {
    let calls = 0;
    const { ask, failures } = await start(
      keywordAnswering('text', {
        answer: async () => {
          calls += 1;
          if (calls === 1) throw new RangeError(secret);
          return [{ label: 0, probabilities: [1, 0, 0] }];
        },
      }),
    );
    const reply = await ask('/classify', { json });
    expect([reply.status, reply.body]).toEqual([500, { error: 'internal error' }]);
    expect(failures).toHaveLength(1);
    expect((await ask('/classify', { json })).status).toBe(200);
  });

  test('no answer in time is 503, and the signal tells the model to stop', async () => {
    let stopped = false;
    const { ask } = await start(
      keywordAnswering('text', {
        answer: (_, { signal }) =>
          new Promise((_resolve, reject) => {
            signal.addEventListener('abort', () => {
              stopped = true;
              reject(signal.reason);
            });
          }),
      }),
      { answerMilliseconds: 100 },
    );
    const reply = await ask('/classify', { json });
    const error = 'no answer was ready in time; send fewer inputs or try again later';
    expect([reply.status, reply.body]).toEqual([503, { error }]);
    expect(stopped).toBe(true);
  });
});

describe('connections', () => {
  test('the signal is quiet while a client waits and aborts when it goes away', async () => {
    let gone = () => {};
    const left = new Promise<void>((resolve) => {
      gone = resolve;
    });
    const before: boolean[] = [];
    const { address, failures } = await start(
      keywordAnswering('text', {
        answer: async (_, { signal }) => {
          await pause(100);
          before.push(signal.aborted);
          signal.addEventListener('abort', gone);
          return new Promise(() => {});
        },
      }),
    );
    const client = new AbortController();
    const pending = fetch(`${address}/classify`, {
      method: 'POST',
      body: JSON.stringify(json),
      headers: { authorization: `Bearer ${bearer}`, 'content-type': 'application/json' },
      signal: client.signal,
    });
    setTimeout(() => client.abort(), 250);
    await expect(pending).rejects.toThrow();
    await left;
    expect(before).toEqual([false]);
    expect(failures).toEqual([]);
  });

  test('a client that sends its request too slowly is cut off', async () => {
    const { gateway } = await start(keywordAnswering(), { requestMilliseconds: 200 });
    const socket = connect(Number(new URL(gateway.address!).port), '127.0.0.1');
    socket.write('POST /classify HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n');
    socket.write(`authorization: Bearer ${bearer}\r\ncontent-length: 900\r\n\r\n{"inputs`);
    const started = performance.now();
    expect(await received(socket)).toMatch(/^HTTP\/1.1 408 /);
    expect(performance.now() - started).toBeLessThan(3_000);
  });

  test('connections over the limit are closed', async () => {
    const { gateway } = await start(keywordAnswering(), { maxConnections: 2 });
    const port = Number(new URL(gateway.address!).port);
    const held = [connect(port, '127.0.0.1'), connect(port, '127.0.0.1')];
    await Promise.all(held.map((socket) => once(socket, 'connect')));
    await pause(50);
    expect(await received(connect(port, '127.0.0.1'))).toBe('');
    for (const socket of held) socket.destroy();
  });

  test('closing lets a request under way finish and takes no new one', async () => {
    let release = () => {};
    const entered = new Promise<void>((resolveEntered) => {
      release = resolveEntered;
    });
    const { ask, gateway, address } = await start(
      keywordAnswering('text', {
        answer: async () => {
          release();
          await pause(200);
          return [{ label: 0, probabilities: [1, 0, 0] }];
        },
      }),
    );
    const pending = ask('/classify', { json });
    await entered;
    const closed = gateway.close();
    expect((await pending).status).toBe(200);
    await closed;
    await expect(fetch(`${address}/health/live`)).rejects.toThrow();
    expect(gateway.address).toBeUndefined();
  });

  test('closing cuts off what does not finish within the grace time', async () => {
    let entered = () => {};
    const asked = new Promise<void>((resolve) => {
      entered = resolve;
    });
    const { ask, gateway } = await start(
      keywordAnswering('text', {
        answer: () => {
          entered();
          return new Promise(() => {});
        },
      }),
      { graceMilliseconds: 100 },
    );
    const pending = expect(ask('/classify', { json })).rejects.toThrow();
    await asked;
    await gateway.close();
    await pending;
  });

  test('a port in use is a usage error that names it', async () => {
    const { gateway } = await start(keywordAnswering());
    const port = Number(new URL(gateway.address!).port);
    const second = createGateway({
      service: keywordAnswering(),
      fronts: [],
      authenticator: () => undefined,
    });
    await expect(second.listen({ host: '127.0.0.1', port })).rejects.toMatchObject({
      code: 'USAGE',
      message: `cannot listen on 127.0.0.1 port ${port}: EADDRINUSE`,
    });
    await second.close();
  });
});

async function received(socket: Socket): Promise<string> {
  const chunks: Buffer[] = [];
  socket.on('data', (chunk) => chunks.push(chunk));
  socket.on('error', () => socket.destroy());
  await once(socket, 'close');
  return Buffer.concat(chunks).toString();
}
