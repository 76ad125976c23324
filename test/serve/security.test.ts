import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { connect, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { describe, expect, it, onTestFinished } from 'vitest';
import { TouchmarkError } from '../../src/errors.ts';
import { openClassifier } from '../../src/models/adapters/registry.ts';
import type { Front } from '../../src/serve/front.ts';
import { plainJsonFront } from '../../src/serve/fronts/plain-json.ts';
import type { Marking } from '../../src/serve/marking.ts';
import { createPipeline } from '../../src/serve/pipeline.ts';
import { openInferenceProxy } from '../../src/serve/proxy/open-inference.ts';
import { tensorFlowServingProxy } from '../../src/serve/proxy/tensorflow-serving.ts';
import { servingFloor, toDistribution } from '../../src/watermark/probability/distribution.ts';
import { lettersModel, type ProxyParts, startMarkedGateway, tokens } from './marked-gateway.ts';
import { type Asked, letterProbabilities, startModelServer } from './model-server.ts';

const model = '/v2/models/letters';
const infer = `${model}/infer`;
const predict = '/v1/models/letters:predict';

const question = (text: unknown) => ({
  inputs: [{ name: 'text', datatype: 'BYTES', shape: [1], data: [text] }],
});

/** Answers as either server, and describes itself at length. */
function letters({ method, url, body }: Asked): object {
  if (method === 'GET') return { name: 'letters', about: 'x'.repeat(2 ** 20) };
  const document = JSON.parse(body);
  if (url === predict)
    return { predictions: document.instances.map(textOf).map(letterProbabilities) };
  const rows: number[][] = document.inputs[0].data.map(letterProbabilities);
  const data = rows.flat();
  const probabilities = { name: 'probabilities', datatype: 'FP32', shape: [rows.length, 4], data };
  return { model_name: 'letters', outputs: [probabilities] };
}

/** An instance is a text, or an object that names it. */
function textOf(instance: string | Readonly<Record<string, string>>): string {
  return typeof instance === 'string' ? instance : Object.values(instance)[0]!;
}

function bothFronts(parts: ProxyParts): Front {
  const fronts = [
    openInferenceProxy({ ...parts, path: model }),
    tensorFlowServingProxy({ ...parts, path: '/v1/models/letters' }),
  ];
  return {
    asks: `POST ${infer}`,
    add: (scope, limits) => {
      for (const front of fronts) front.add(scope, limits);
    },
  };
}

async function start(settings: Parameters<typeof startMarkedGateway>[2] = {}) {
  const { url, asked } = await startModelServer(letters);
  const gateway = await startMarkedGateway(url, bothFronts, settings);
  const open = () => connect(Number(new URL(gateway.address).port), '127.0.0.1');
  /** Sends bytes, and after them a request that ends the connection if the two ends still agree. */
  const exchange = async (bytes: string | Buffer) => {
    const socket = open();
    asked.length = 0;
    socket.write(bytes);
    socket.write('GET /health/live HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n');
    const text = await received(socket);
    const statuses = [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status));
    return { text, statuses, questions: asked.map(({ body }) => textIn(body)) };
  };
  return { ...gateway, asked, open, exchange };
}

function textIn(body: string): string {
  const document = JSON.parse(body);
  return document.inputs?.[0].data[0] ?? document.instances[0];
}

async function received(socket: Socket): Promise<string> {
  let text = '';
  socket.setEncoding('latin1');
  socket.on('data', (piece) => {
    text += piece;
  });
  socket.on('error', () => socket.destroy());
  await once(socket, 'close');
  return text;
}

const body = JSON.stringify(question('first'));
const size = body.length;
const chunk = `${size.toString(16)}\r\n${body}\r\n0\r\n\r\n`;
const known = `host: h\r\nauthorization: Bearer ${tokens.acme}\r\ncontent-type: application/json\r\n`;
const post = (headers: string, content: string, line = `POST ${infer} HTTP/1.1`) =>
  `${line}\r\n${known}${headers}\r\n\r\n${content}`;
const hidden = JSON.stringify(question('hidden'));
const second = post(`content-length: ${hidden.length}`, hidden);

const chunked = 'transfer-encoding: chunked';
const length = `content-length: ${size}`;

describe('requests that two servers may read differently', () => {
  const refused: Readonly<Record<string, string>> = {
    'a length and chunks': post(`${length}\r\n${chunked}`, `0\r\n\r\n${second}`),
    'chunks and a length': post(`${chunked}\r\ncontent-length: 4`, chunk),
    'two lengths': post(`${length}\r\ncontent-length: 0`, body),
    'the same length twice': post(`${length}\r\n${length}`, body),
    'a list of lengths': post(`${length}, ${size}`, body),
    'a length with a sign': post(`content-length: +${size}`, body),
    'a length in hexadecimal': post(`content-length: 0x${size.toString(16)}`, body),
    'a length below 0': post('content-length: -1', body),
    'a length beyond 64 bits': post('content-length: 99999999999999999999', body),
    'a length that is empty': post('content-length: ', body),
    'chunks, then identity': post('transfer-encoding: chunked, identity', `0\r\n\r\n${second}`),
    'two transfer encodings': post(`${chunked}\r\ntransfer-encoding: identity`, second),
    'an unknown transfer encoding': post('transfer-encoding: xchunked', `0\r\n\r\n${second}`),
    'a vertical tab before chunked': post('transfer-encoding: \x0bchunked', chunk),
    'a folded transfer encoding': post('transfer-encoding:\r\n chunked', chunk),
    'a folded header': post(`x: a\r\n b\r\n${length}`, body),
    'a space before the colon': post(`content-length : ${size}`, body),
    'a space before the name': post(` ${length}`, body),
    'lines that end in LF': post(length, body).replaceAll('\r\n', '\n'),
    'one line that ends in LF': post(`x: a\n${chunked}\r\n${length}`, body),
    'a lone CR': post(`x: a\rcontent-length: 0\r\n${length}`, body),
    'a null byte in a header': post(`x: a\0b\r\n${length}`, body),
    'an extension that ends in LF': post(chunked, chunk.replace('\r\n', ';a\n')),
    'an extension with a lone CR': post(chunked, chunk.replace('\r\n', ';a\rb\r\n')),
    'an extension of 20 kB': post(chunked, chunk.replace('\r\n', `;${'a'.repeat(20_000)}\r\n`)),
    'chunks whose lines end in LF': post(chunked, chunk.replaceAll('\r\n', '\n')),
    'a space after the size of a chunk': post(chunked, chunk.replace('\r\n', ' \r\n')),
    'a chunk of 0x': post(chunked, `0x${chunk}`),
    'a chunk of a size below 0': post(chunked, `-${chunk}`),
    'a chunk beyond 64 bits': post(chunked, `fffffffffffffffff\r\n${body}`),
    'a chunk longer than it says': post(chunked, chunk.replace('}\r\n0', '}0')),
    'HTTP/1.2': post(length, body, `POST ${infer} HTTP/1.2`),
    'HTTP/2 unasked': 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    'the begin of TLS': '\x16\x03\x01\x00\xc8\x01\x00\x00\xc4\x03\x03',
    'no host': post(length, body).replace('host: h\r\n', ''),
    'a path that is no ASCII': post(length, body, `POST ${infer}\u00e9 HTTP/1.1`),
    'a path of an authority': post(length, body, 'POST evil.example:80 HTTP/1.1'),
  };
  it('are refused, and nothing after them is read', async () => {
    const { exchange, records } = await start();
    for (const [name, bytes] of Object.entries(refused)) {
      const { statuses, questions } = await exchange(bytes);
      expect({ name, statuses, questions }).toEqual({ name, statuses: [400], questions: [] });
    }
    const over = await exchange(post(`x: ${'a'.repeat(20_000)}\r\n${length}`, body));
    expect(over.statuses).toEqual([431]);
    expect((await exchange(`CONNECT 127.0.0.1:80 HTTP/1.1\r\n${known}\r\n`)).statuses).toEqual([]);
    await expect(records()).rejects.toMatchObject({ code: 'TENANT_UNKNOWN' });
  });

  const read: Readonly<Record<string, readonly [string, ...(readonly number[])]>> = {
    'two in one piece': [post(length, body) + second, 200, 200, 200],
    'chunks with extensions': [post(chunked, chunk.replace('\r\n', ';a=b;c="d"\r\n')), 200, 200],
    'trailers, which count for nothing': [
      post(chunked, chunk.replace(/\r\n$/, `authorization: Bearer ${tokens.bolt}\r\n\r\n`)),
      ...[200, 200],
    ],
    'chunks by a tab': [post('transfer-encoding:\tchunked', chunk), 200, 200],
    'HTTP/1.0 that is kept': [
      post(`connection: keep-alive\r\n${length}`, body, `POST ${infer} HTTP/1.0`),
      ...[200, 200],
    ],
    'an upgrade to a web socket, which is not taken, and no more': [
      post(`connection: upgrade\r\nupgrade: websocket\r\n${length}`, body),
      200,
    ],
    'an upgrade to HTTP/2, which is not taken, and no more': [
      post(`connection: upgrade, http2-settings\r\nupgrade: h2c\r\n${length}`, body),
      200,
    ],
    'a promise that is kept': [post(`expect: 100-continue\r\n${length}`, body), 100, 200, 200],
    'a body where none belongs': [
      post(`content-length: ${second.length}`, second, 'GET /health/live HTTP/1.1'),
      ...[200, 200],
    ],
    TRACE: [`TRACE ${infer} HTTP/1.1\r\n${known}cookie: a\r\n\r\n`, 404, 200],
    'three thousand headers': [post(`${'a:\r\n'.repeat(3000)}${length}`, body), 200, 200],
  };
  it('are read as the standard says, each once', async () => {
    const { exchange } = await start();
    for (const [name, [bytes, ...expected]] of Object.entries(read)) {
      const { text, statuses, questions } = await exchange(bytes);
      const answered = expected.filter((status) => status === 200).length;
      expect({ name, statuses }).toEqual({ name, statuses: expected });
      expect(questions.filter((each) => each === 'hidden')).toHaveLength(
        name.startsWith('two') ? 1 : 0,
      );
      expect(questions.length).toBeLessThanOrEqual(answered);
      expect(text).not.toContain('cookie');
    }
  });
});

describe('who asks, and where', () => {
  it('is told by the first credential alone, and never by a second one', async () => {
    const { exchange, records } = await start();
    await exchange(post(`authorization: Bearer ${tokens.bolt}\r\n${length}`, body));
    await exchange(post(`x-api-key: ${tokens.bolt}\r\n${length}`, body));
    expect(await records('acme')).toHaveLength(2);
    const keys = [tokens.acme, tokens.bolt].map((token) => `x-api-key: ${token}\r\n`).join('');
    const twice = `POST ${infer} HTTP/1.1\r\nhost: h\r\n${keys}${length}\r\n\r\n${body}`;
    expect((await exchange(twice)).statuses).toEqual([401, 200]);
    await expect(records('bolt')).rejects.toMatchObject({ code: 'TENANT_UNKNOWN' });
  });

  const nowhere = [
    ...['//v2/models/letters/infer', `${infer}/`, '/V2/models/letters/infer', `${infer};x=1`],
    ...['/v2/models/letters%2finfer', '/v2/models/../models/letters/infer', `${infer}%00`],
    ...[
      '/v2/./models/letters/infer',
      '/v2\\models\\letters\\infer',
      `${infer}%20`,
      '*',
      '/metrics',
    ],
    ...['/health/live/../../v2/models/letters/infer', '/health/live%2f..%2f..%2fmetrics'],
    ...['http://h/../v2/models/letters/infer', '/v1/models/letters%3Apredict', '/%2576%32'],
    ...['/a%0d%0ax-injected:%201', '/__proto__', '/constructor/prototype'],
    ...[`/safety/..${infer}`, `//safety${infer}`, `/safety%2f..${infer}`, `/safety${infer}`],
  ];
  it('leads nowhere by other spellings of a path, with a key and without', async () => {
    const unmarked = [{ prefix: '/safety', tenants: ['bolt'] }];
    const { exchange } = await start({ gateway: { unmarked } });
    for (const path of nowhere) {
      const line = `POST ${path} HTTP/1.1`;
      const { text, statuses, questions } = await exchange(post(length, body, line));
      expect({ path, statuses, questions }).toEqual({ path, statuses: [404, 200], questions: [] });
      expect(text).not.toMatch(/^x-injected/m);
      const stranger = await exchange(`GET ${path} HTTP/1.1\r\nhost: h\r\n\r\n`);
      expect({ path, statuses: stranger.statuses }).toEqual({ path, statuses: [401, 200] });
    }
  });

  it('is one path of the upstream, however it is written', async () => {
    const { exchange, asked } = await start();
    const ways = ['/v2/models/%6cetters/infer', `http://evil.example${infer}`];
    for (const path of [`${infer}?x=1`, `${infer}#x`, ...ways]) {
      const { statuses } = await exchange(post(length, body, `POST ${path} HTTP/1.1`));
      expect(statuses).toEqual([200, 200]);
      expect(asked.map(({ url, headers }) => [url, headers.authorization])).toEqual([
        [infer, 'Bearer secret-of-the-owner'],
      ]);
    }
  });

  it('takes no longer to refuse a key that is nearly right', async () => {
    const { address } = await start();
    const near = `${tokens.acme.slice(0, -1)}X`;
    const far = 'Z'.repeat(tokens.acme.length);
    const times: Record<string, number[]> = { [near]: [], [far]: [] };
    for (let turn = 0; turn < 80; turn += 1) {
      for (const token of [near, far]) {
        const begun = performance.now();
        const { status } = await fetch(address + model, {
          headers: { authorization: `Bearer ${token}` },
        });
        times[token]!.push(performance.now() - begun);
        expect(status).toBe(401);
      }
    }
    const [first, last] = [near, far].map((token) => median(times[token]!));
    expect(Math.abs(first! - last!)).toBeLessThan(0.5 * Math.max(first!, last!));
  });
});

describe('documents', () => {
  const wide = 8 * 2 ** 20 - 300;
  const rest = body.slice(1);
  const heavy: Readonly<Record<string, string>> = {
    'brackets without end': '['.repeat(wide),
    'lists in lists': `{"a":${'['.repeat(wide / 2)}${']'.repeat(wide / 2)},${rest}`,
    'objects in objects': `{"a":${'{"a":'.repeat(20_000)}1${'}'.repeat(20_000)},${rest}`,
    'empty lists': `{"a":[${'[],'.repeat(wide / 3 - 40)}[]],${rest}`,
    'a million keys': `{${Array.from({ length: 700_000 }, (_, at) => `"${at}":0,`).join('')}${rest}`,
    'one key a million times': `{${'"a":[],'.repeat(wide / 7 - 40)}${rest}`,
    'four million numbers': `{"inputs":[{"datatype":"BYTES","shape":[1],"data":[${'0,'.repeat(wide / 2 - 60)}0]}]}`,
  };
  it('that are too heavy are refused before they are parsed', async () => {
    const { post: send, asked } = await start();
    const begun = performance.now();
    for (const [name, text] of Object.entries(heavy)) {
      const reply = await send(infer, text);
      const error = 'the body is too deep, or of too many values; send fewer inputs, plainly';
      expect({ name, ...reply }).toMatchObject({ name, status: 400, body: { error } });
    }
    expect(performance.now() - begun).toBeLessThan(8_000);
    expect(asked).toEqual([]);
  });

  it('with endless numbers and texts are answered without what nobody asked for', async () => {
    const { post: send, asked } = await start();
    for (const value of [`1e${'9'.repeat(wide)}`, '9'.repeat(wide), `"${'a'.repeat(wide)}"`]) {
      expect((await send(infer, `{"a":${value},${rest}`)).status).toBe(200);
    }
    expect(asked.map(({ body: sent }) => sent.length)).toEqual([size, size, size]);
    expect((await send(infer, `{"id":"${'a'.repeat(wide)}",${rest}`)).status).toBe(400);
  });

  it('ask the upstream nothing but what the log has', async () => {
    const { post: send, asked, records } = await start();
    const [input] = question('logged').inputs;
    await send(infer, {
      inputs: [{ ...input, contents: ['other'], parameters: { content_type: 'str', x: 'other' } }],
      outputs: [{ name: 'probabilities', parameters: { classification: 1 } }],
      ...{
        parameters: { content_type: 'base64' },
        raw_input_contents: ['other'],
        instances: ['other'],
      },
    });
    await send(predict, { instances: ['logged'], inputs: ['other'], signature_name: 'mine' });
    expect(asked.map(({ body: sent }) => JSON.parse(sent))).toEqual([
      {
        inputs: [{ ...input, parameters: { content_type: 'str' } }],
        outputs: [{ name: 'probabilities' }],
      },
      { instances: ['logged'], signature_name: 'mine' },
    ]);
    expect((await records()).map(({ input: logged }) => logged)).toEqual(['logged', 'logged']);
    for (const content_type of ['base64', 'pd', 'json']) {
      const reply = await send(infer, { inputs: [{ ...input, parameters: { content_type } }] });
      expect(reply.status).toBe(400);
    }
  });

  it('cannot change what objects are', async () => {
    const { post: send, records } = await start();
    const poison =
      '"__proto__":{"polluted":1,"marked":false,"tenant":"bolt"},"constructor":{"prototype":{"polluted":1}}';
    const [input] = question('clean').inputs;
    const inner = JSON.stringify(input).slice(1);
    const statuses: number[] = [];
    for (const text of [
      `{${poison},${rest}`,
      `{"inputs":[{${poison},${inner}],"outputs":[{${poison},"name":"probabilities"}]}`,
      `{"inputs":[{"datatype":"BYTES","shape":[1],"data":[{${poison}}]}]}`,
      `{"inputs":{"__proto__":[],"length":1}}`,
    ]) {
      statuses.push((await send(infer, text)).status);
    }
    for (const text of [
      `{${poison},"instances":["clean"]}`,
      `{"instances":[{${poison},"x":"clean"}]}`,
      `{"instances":[{"__proto__":"clean"}]}`,
    ]) {
      statuses.push((await send(predict, text)).status);
    }
    expect(statuses).toEqual([200, 200, 400, 400, 200, 400, 200]);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
    const logged = await records('acme');
    expect(logged).toHaveLength(4);
    expect(logged.every(({ marks }) => marks.probability)).toBe(true);
  });

  it('of another form are refused in words', async () => {
    const { address, post: send } = await start();
    const headers = { authorization: `Bearer ${tokens.acme}`, 'content-type': 'application/json' };
    const statusOf = async (more: Record<string, string>, content: string | Uint8Array) =>
      (await fetch(address + infer, { method: 'POST', headers: { ...headers, ...more }, body: content })).status; // biome-ignore format: one row
    expect(await statusOf({ 'content-encoding': 'gzip' }, gzipSync(body))).toBe(415);
    expect(await statusOf({ 'content-encoding': 'gzip' }, body)).toBe(415);
    expect(await statusOf({ 'content-encoding': 'identity' }, body)).toBe(200);
    for (const type of ['text/plain', 'application/xml', 'application/jsonp', 'a', '']) {
      expect([type, await statusOf({ 'content-type': type }, body)]).toEqual([type, 415]);
    }
    expect(await statusOf({}, Buffer.from(body, 'utf16le'))).toBe(400);
    expect(await statusOf({}, gzipSync(body))).toBe(400);
    expect((await send(infer, `{"inputs":[{"datatype":"BYTES","shape":[1],"data":["\\ud800"]}]}`)).status).toBe(400); // biome-ignore format: one row
  });
});

describe('clients that take their time', () => {
  it('are cut off, whether they say nothing, half a header or half a body', async () => {
    const { open, failures, address } = await start({
      gateway: { limits: { requestMilliseconds: 400, idleMilliseconds: 600, maxConnections: 12 } },
    });
    const [head, half] = [post(length, ''), body.slice(0, 20)];
    const slow = async (text: string) => {
      const socket = open();
      const said = received(socket);
      for (const byte of text) {
        if (socket.destroyed) break;
        socket.write(byte);
        await pause(20);
      }
      return said;
    };
    const begun = performance.now();
    const said = await Promise.all([
      ...Array.from({ length: 6 }, () => received(open())),
      ...Array.from({ length: 3 }, () => slow(head)),
      ...Array.from({ length: 3 }, async () => {
        const socket = open();
        const reply = received(socket);
        socket.write(head + half);
        return reply;
      }),
    ]);
    expect(performance.now() - begun).toBeLessThan(6_000);
    for (const text of said) expect(text).toMatch(/^(HTTP\/1.1 408 |$)/);
    expect(failures).toEqual([]);
    expect((await fetch(`${address}/health/live`)).status).toBe(200);
  });

  it('are cut off when they do not read, and hold up no more than a few answers', async () => {
    const { open, asked, address, gateway } = await start({
      gateway: { limits: { idleMilliseconds: 300 } },
    });
    const socket = open().pause();
    const ended = once(socket, 'close');
    socket.on('error', () => undefined);
    const many = 200;
    socket.write(`GET ${model} HTTP/1.1\r\n${known}\r\n`.repeat(many));
    await pause(2_500);
    expect(asked.length).toBeLessThanOrEqual(32);
    socket.resume();
    await ended;
    expect(socket.bytesRead).toBeLessThan(many * 2 ** 20);
    expect((await fetch(`${address}/health/live`)).status).toBe(200);
    const begun = performance.now();
    await gateway.close();
    expect(performance.now() - begun).toBeLessThan(5_000);
  });

  it('and break off are no failure of the gateway', async () => {
    const { open, failures, address } = await start();
    const socket = open();
    socket.write(post(length, body.slice(0, 20)));
    await pause(50);
    socket.destroy();
    await pause(50);
    expect((await fetch(`${address}/health/live`)).status).toBe(200);
    expect(failures).toEqual([]);
  });
});

it('too many answers to record at once are refused for a moment', async () => {
  const busy = new TouchmarkError('STORE_BUSY', 'wait in /the/log');
  const append = () => Promise.reject(busy);
  const { post: send } = await start({ marking: { log: { append } } });
  const { status, body: said, headers } = await send(infer, question('abba'));
  expect([status, headers.get('retry-after')]).toEqual([503, '1']);
  expect(JSON.stringify(said)).not.toContain('the/log');
});

describe('one tenant and another', () => {
  it('have marks, records and quotas of their own', async () => {
    const texts = ['abba', 'dad', 'a cab', 'feed', 'cccc', 'bad cab'];
    const spent = new Map<string, number>();
    const {
      post: send,
      records,
      markerOf,
    } = await start({
      gateway: {
        quotas: {
          take(tenant, answers) {
            const sum = (spent.get(tenant) ?? 0) + answers;
            if (sum > 6) return { allowed: false, retryAfterSeconds: 9 };
            spent.set(tenant, sum);
            return { allowed: true };
          },
        },
      },
    });
    const asked = { inputs: [{ datatype: 'BYTES', shape: [6], data: texts }] };
    for (const tenant of ['acme', 'bolt'] as const) {
      const { body: answer } = await send(infer, asked, tenant);
      const marker = markerOf(tenant);
      const expected = texts.map((text) =>
        marker.mark(text, toDistribution(letterProbabilities(text), servingFloor)),
      );
      expect(answer.outputs[0].data).toEqual(expected.flatMap(({ served }) => [...served]));
      expect((await records(tenant)).map(({ tenant: whose }) => whose)).toEqual(
        Array(6).fill(tenant),
      );
    }
    const [acme, bolt] = [await records('acme'), await records('bolt')];
    expect(acme.map(({ served }) => served)).not.toEqual(bolt.map(({ served }) => served));
    const over = await send(infer, asked);
    expect(over.headers.get('retry-after')).toBe('9');
    expect([over.status, over.body]).toEqual([
      429,
      { error: 'the quota is used up; try again in 9 s' },
    ]);
  });

  it('learn nothing of each other, or of keys and machinery, from any error', async () => {
    const { address, post: send, failures } = await start();
    const replies = [
      await send(infer, question('private'.repeat(9_999))),
      await send(infer, '{"inputs": [private'),
      await send(predict, { instances: [{ b64: 'private' }] }),
      await send('/v2/models/bolt/infer', question('x')),
      await send(`${infer}?tenant=bolt`, { ...question('x'), tenant: 'bolt', epoch: 'e1', outputs: [{ name: 'clean' }] }), // biome-ignore format: one row
    ];
    const said = JSON.stringify(replies);
    for (const secret of [...Object.values(tokens), 'bolt', 'secret-of-the-owner', '/tmp']) {
      expect(said.replace('/v2/models/bolt/infer', '')).not.toContain(secret);
    }
    expect(said).not.toMatch(/"clean"/);
    expect(failures).toEqual([]);
    expect((await fetch(`${address}/metrics`)).status).toBe(401);
  });
});

describe('a model that repeats questions in the place of answers', () => {
  it.each([
    ['no JSON', (text: string) => text, 'gave an unusable answer'],
    ['a text for a probability', (text: string) => ({ labels: [...'abcd'], probabilities: [[text, 0, 0, 0]] }), 'gave an unusable answer'], // biome-ignore format: one row
    ['a status', (text: string, response: ServerResponse) => { response.statusCode = 403; return { error: text }; }, 'did not answer'], // biome-ignore format: one row
  ] as const)('by %s does not bring them to those who run the gateway', async (_, answer, words) => {
    const { url } = await startModelServer(({ body: sent }, response) =>
      answer(JSON.parse(sent).inputs[0], response),
    );
    const upstream = openClassifier(`http:${url}classify`, { labels: [...'abcd'], retries: 0 });
    onTestFinished(() => upstream.close());
    const { post: send, failures } = await startMarkedGateway(url, ({ model: letters, marking }) =>
      plainJsonFront(createPipeline({ upstream, model: letters, marking })),
    );
    const { status, body: told } = await send('/classify', { inputs: ['a canarybird'] });
    expect(status).toBeGreaterThan(501);
    const [failure] = failures;
    expect(String(failure)).toContain(words);
    for (const text of [JSON.stringify(told), String(failure)])
      expect(text).not.toContain('canary');
  });

  it('is not ready when it does not even refuse', async () => {
    const describe = ({ signal }: { readonly signal: AbortSignal }) =>
      new Promise<never>((_, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason), { once: true });
      });
    const upstream = { describe, classify: async () => [] };
    const marking = {} as Marking;
    expect(await createPipeline({ upstream, model: lettersModel, marking }).ready()).toBe(false);
  });
});

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
}
