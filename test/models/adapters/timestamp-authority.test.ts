import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { timestampRequest, verifyTimestampToken } from '../../../src/keys/timestamp.ts';
import { fetchTimestamp } from '../../../src/models/adapters/timestamp-authority.ts';
import fixture from '../../vectors/timestamp.json' with { type: 'json' };

const { signal } = new AbortController();
const digest = Buffer.from('ab'.repeat(32), 'hex');
const token = Buffer.from(fixture.token, 'base64');

async function authorityOf(answer: RequestListener): Promise<URL> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/tsa`);
}

/** A granted answer around a token whose length takes two bytes. */
function granted(content: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from('3003020100', 'hex'), content]);
  const head = Buffer.from([0x30, 0x82, body.length >> 8, body.length & 0xff]);
  return Buffer.concat([head, body]);
}

describe('a timestamp authority', () => {
  it('is sent a request, and its token is taken as it is', async () => {
    const asked: { type: string | undefined; body: Buffer }[] = [];
    const address = await authorityOf(async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk);
      asked.push({ type: request.headers['content-type'], body: Buffer.concat(chunks) });
      response.end(granted(token));
    });
    const found = await fetchTimestamp(address, digest, signal);
    expect(found).toEqual(token);
    const [{ type, body } = { type: '', body: Buffer.alloc(0) }] = asked;
    expect(type).toBe('application/timestamp-query');
    const expected = timestampRequest(digest, Buffer.alloc(8));
    expect(body).toHaveLength(expected.length);
    expect(body.subarray(0, 56)).toEqual(expected.subarray(0, 56));
    expect(() => verifyTimestampToken(found, digest, [fixture.root])).toThrow(/another digest/);
  });

  it.each([
    ['an error', 500, '', /status 500/],
    ['a redirect', 302, '', /status 302/],
    ['a flood', 200, 'x'.repeat(300_000), /more than 262144 bytes/],
    ['a page', 200, '<html>', /is malformed/],
  ])('that answers with %s gives no token', async (_, status, body, message) => {
    const address = await authorityOf((_request, response) => {
      response.writeHead(status, { location: 'http://127.0.0.1:9/' });
      response.end(body);
    });
    await expect(fetchTimestamp(address, digest, signal)).rejects.toThrow(message);
  });

  it('is left when the caller stops, or when it is not there', async () => {
    const stop = new AbortController();
    const address = await authorityOf(() => stop.abort(new Error('stopped')));
    await expect(fetchTimestamp(address, digest, stop.signal)).rejects.toThrow('stopped');
    const nowhere = new URL('http://127.0.0.1:1/');
    await expect(fetchTimestamp(nowhere, digest, signal)).rejects.toMatchObject({
      code: 'SUSPECT_UNREACHABLE',
    });
  });
});
