import { gzipSync } from 'node:zlib';
import { type Exchange, type Hostility, pour, raw, say } from './suspect.ts';

const chunk = Buffer.alloc(65_536, 0x20);
/** 10 GB of spaces in some 10 MB: members of a gzip file may follow one another. */
const bomb = () => {
  const member = gzipSync(Buffer.alloc(100_000_000, 0x20), { level: 9 });
  return Buffer.concat(Array.from({ length: 100 }, () => member));
};
let packed: Buffer | undefined;

const status =
  (
    code: number,
    body: unknown = { error: 'no' },
    headers: Record<string, string> = {},
  ): Hostility =>
  (exchange) =>
    say(exchange, body, code, headers);
const throttle = (retryAfter: string): Hostility => status(429, {}, { 'retry-after': retryAfter });
const redirect = (code: number, to: (exchange: Exchange) => string): Hostility => {
  return (exchange) => say(exchange, '', code, { location: to(exchange) });
};
const head = 'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n';
const chunked = `${head}transfer-encoding: chunked\r\n\r\n`;

/** Suspects that break HTTP, or wear out who asks. */
export const transportKinds: Readonly<Record<string, Hostility>> = {
  '429 without Retry-After': status(429),
  '429, Retry-After 0': throttle('0'),
  '429, Retry-After 1': throttle('1'),
  '429, Retry-After -5': throttle('-5'),
  '429, Retry-After huge': throttle('999999999'),
  '429, Retry-After of 40 digits': throttle('9'.repeat(40)),
  '429, Retry-After 1e99': throttle('1e99'),
  '429, Retry-After long past': throttle('Thu, 01 Jan 1970 00:00:00 GMT'),
  '429, Retry-After in the year 9999': throttle('Fri, 31 Dec 9999 23:59:59 GMT'),
  '429, Retry-After in the year 275760': throttle('+275760-09-12T00:00:00Z'),
  '429 between answers': (exchange) =>
    exchange.number % 2 === 0
      ? say(exchange, {}, 429, { 'retry-after': '0' })
      : say(exchange, exchange.honest),
  'quota exhausted': status(429, { error: { code: 'insufficient_quota', message: '\u001b[2J' } }),
  'payment required': status(402),
  'hostile error object': status(429, '{"error":{"code":{"toString":1},"__proto__":{"code":"x"}}}'),
  '500 storm': status(500),
  '500 now and then': (exchange) =>
    exchange.number % 3 === 0 ? say(exchange, {}, 500) : say(exchange, exchange.honest),
  '502 storm': status(502),
  '503 storm': status(503),
  '503, Retry-After 1': status(503, {}, { 'retry-after': '1' }),
  '400 to everything': status(400),
  '401 with escape codes': status(401, '\u001b]0;owned\u0007\u001b[31mred'),
  '404 as a page': status(404, '<html><script>alert(1)</script>'),
  'status 999': (exchange) => raw(exchange, 'HTTP/1.1 999 Odd\r\ncontent-length: 2\r\n\r\n{}'),
  'never answers': () => undefined,
  'one byte a second': async (exchange) => {
    raw(exchange, chunked);
    await pour(exchange, () => '1\r\n \r\n', 1000);
  },
  'one byte of a header a second': async (exchange) => {
    raw(exchange, head);
    await pour(exchange, () => 'x', 1000);
  },
  'half-closed before the answer': (exchange) => raw(exchange, '', true),
  'half-closed in the answer': (exchange) =>
    raw(exchange, `${head}content-length: 1000\r\n\r\n{"answers": [`, true),
  'reset before the answer': ({ response }) => void response.socket?.resetAndDestroy(),
  'reset in the answer': (exchange) => {
    raw(exchange, `${head}content-length: 1000\r\n\r\n{"answers": [`);
    setTimeout(() => exchange.response.socket?.resetAndDestroy(), 20);
  },
  '10 GB in chunks': async (exchange) => {
    raw(exchange, chunked);
    await pour(exchange, () =>
      Buffer.concat([Buffer.from('10000\r\n'), chunk, Buffer.from('\r\n')]),
    );
  },
  '10 GB as announced': async (exchange) => {
    raw(exchange, `${head}content-length: 10000000000\r\n\r\n`);
    await pour(exchange, () => chunk);
  },
  '10 GB without a length': async (exchange) => {
    raw(exchange, `${head}connection: close\r\n\r\n`);
    await pour(exchange, () => chunk);
  },
  '10 GB in a gzip bomb': (exchange) => {
    packed ??= bomb();
    say(exchange, packed, 200, { 'content-encoding': 'gzip' });
  },
  '10 GB of an error': async (exchange) => {
    raw(exchange, 'HTTP/1.1 500 No\r\ntransfer-encoding: chunked\r\n\r\n');
    await pour(exchange, () =>
      Buffer.concat([Buffer.from('10000\r\n'), chunk, Buffer.from('\r\n')]),
    );
  },
  'headers without end': async (exchange) => {
    raw(exchange, head);
    await pour(exchange, () => `x-${'y'.repeat(1000)}: ${'z'.repeat(60_000)}\r\n`);
  },
  'small headers without end': async (exchange) => {
    raw(exchange, head);
    await pour(exchange, () => 'a: b\r\n'.repeat(100));
  },
  'trailers without end': async (exchange) => {
    raw(exchange, `${head}transfer-encoding: chunked\r\ntrailer: a\r\n\r\n2\r\n{}\r\n0\r\n`);
    await pour(exchange, () => 'a: b\r\n'.repeat(100));
  },
  'a chunk extension without end': async (exchange) => {
    raw(exchange, `${chunked}1;`);
    await pour(exchange, () => chunk);
  },
  'early hints without end': (exchange) =>
    pour(exchange, () => 'HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n'.repeat(100)),
  'switches protocols': (exchange) =>
    raw(exchange, 'HTTP/1.1 101 Switching\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n'),
  'two answers to one question': (exchange) => {
    const first = Buffer.from(JSON.stringify(exchange.honest));
    const second = Buffer.from(`{"answers": [${exchange.texts.map(() => '"smuggled"')}]}`);
    for (const body of [first, second]) {
      raw(
        exchange,
        Buffer.concat([Buffer.from(`${head}content-length: ${body.length}\r\n\r\n`), body]),
      );
    }
  },
  'two lengths': (exchange) =>
    raw(exchange, `${head}content-length: 2\r\ncontent-length: 3\r\n\r\n{}1`),
  'a length and chunks': (exchange) =>
    raw(
      exchange,
      `${head}content-length: 9\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n`,
    ),
  'a negative length': (exchange) => raw(exchange, `${head}content-length: -1\r\n\r\n{}`),
  'no HTTP': (exchange) => raw(exchange, '\u001b[2J\u0000SSH-2.0-OpenSSH\r\n', true),
  'no content': status(204, ''),
  'redirects to link-local': redirect(307, () => 'http://169.254.169.254/latest/meta-data/'),
  'redirects to another port': redirect(308, ({ trap, bearer }) => `${trap}/steal?token=${bearer}`),
  'redirects with the token in the path': redirect(302, ({ trap, bearer }) => `${trap}/${bearer}`),
  'redirects to a file': redirect(301, () => 'file:///etc/passwd'),
  'redirects to itself': redirect(307, () => '/classify'),
  'redirects to nowhere': status(302, ''),
  'redirects with escape codes': (exchange) =>
    raw(exchange, 'HTTP/1.1 302 F\r\nlocation: /\u001b[2J\u0007\r\ncontent-length: 0\r\n\r\n'),
  'refresh and links': (exchange) =>
    say(exchange, exchange.honest, 200, {
      refresh: `0; url=${exchange.trap}`,
      link: `<${exchange.trap}>; rel=preload`,
      'alt-svc': `h2="${exchange.trap.slice(7)}"`,
      'set-cookie': 'a=b',
    }),
};
