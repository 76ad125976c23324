import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { readSuspectFile } from '../../../src/config/suspect-files.ts';
import type { OAuthClient } from '../../../src/models/adapters/credentials-token.ts';
import { openClassifier } from '../../../src/models/adapters/registry.ts';
import type { RemoteOptions } from '../../../src/models/adapters/remote.ts';
import { type Behaviour, type HostileServer, say, startHostileServer } from './hostile-server.ts';

const secret = 'sentinel/secret+123';
const signal = new AbortController().signal;
let server: HostileServer;
let directory: string;
beforeAll(async () => {
  server = await startHostileServer();
  directory = await mkdtemp(join(tmpdir(), 'touchmark-credentials-'));
});
afterAll(async () => {
  await server.close();
  await rm(directory, { recursive: true });
});

let granted = 0;
let valid = new Set<string>();
beforeEach(() => {
  granted = 0;
  valid = new Set();
});

/** Grants tokens at /token and answers whoever brings one that it still takes. */
const guard =
  (grant: object = { expires_in: 3600 }): Behaviour =>
  (response, request) => {
    if (request.path === '/token') {
      granted += 1;
      valid = new Set([`token-${granted}`]);
      const token = { access_token: `token-${granted}`, token_type: 'Bearer', ...grant };
      return say(token)(response, request);
    }
    const token = request.headers.authorization?.replace('Bearer ', '') ?? '';
    if (!valid.has(token)) return say({ error: `${token} is not valid` }, 401)(response, request);
    return say({ answers: ['en'] })(response, request);
  };

const open = (oauth: Partial<OAuthClient> = {}, options: Partial<RemoteOptions> = {}) =>
  openClassifier(
    {
      kind: 'http',
      url: `${server.origin}/classify`,
      oauth: {
        tokenUrl: `${server.origin}/token`,
        clientId: 'a client:1',
        clientSecretEnvironment: 'CLIENT_SECRET',
        ...oauth,
      },
    },
    {
      labels: ['en', 'no'],
      retryDelayMilliseconds: 5,
      environment: { CLIENT_SECRET: secret },
      readFile: readSuspectFile,
      ...options,
    },
  );
const paths = () => server.received.map(({ path }) => path);

describe('OAuth 2 client credentials', () => {
  test('one token serves every request, also those at the same time', async () => {
    server.play(guard());
    const classifier = open({ scope: 'read ask' });
    await Promise.all(['a', 'b', 'c'].map((input) => classifier.classify([input], { signal })));
    await classifier.classify(['d'], { signal });
    expect(paths()).toEqual(['/token', ...Array(4).fill('/classify')]);
    const [request] = server.received;
    expect(request).toMatchObject({
      method: 'POST',
      body: 'grant_type=client_credentials&scope=read+ask',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
    });
    const pair = 'a+client%3A1:sentinel%2Fsecret%2B123';
    expect(request?.headers.authorization).toBe(`Basic ${Buffer.from(pair).toString('base64')}`);
    expect(classifier.counts()).toMatchObject({ requests: 4, retries: 0 });
    await classifier.close();
  });

  test('a token is fetched again before it ends', async () => {
    server.play(guard({ expires_in: 0.2 }));
    const classifier = open();
    await classifier.classify(['a'], { signal });
    await classifier.classify(['b'], { signal });
    await new Promise((resolve) => setTimeout(resolve, 200));
    await classifier.classify(['c'], { signal });
    expect(paths()).toEqual(['/token', '/classify', '/classify', '/token', '/classify']);
    await classifier.close();
  });

  test('a token that is no longer taken is fetched again, once', async () => {
    server.play(guard());
    const classifier = open();
    await classifier.classify(['a'], { signal });
    valid = new Set();
    expect(await classifier.classify(['b'], { signal })).toEqual([{ answer: { label: 'en' } }]);
    expect(paths()).toEqual(['/token', '/classify', '/classify', '/token', '/classify']);
    server.play((response, request) =>
      request.path === '/token'
        ? guard()(response, request)
        : say({ error: 'never' }, 401)(response, request),
    );
    await expect(classifier.classify(['c'], { signal })).rejects.toMatchObject({
      code: 'SUSPECT_REFUSED',
    });
    expect(paths()).toEqual(['/classify', '/token', '/classify']);
    await classifier.close();
  });

  test('the secret may stand in a file, and goes before a bearer token of the audit', async () => {
    server.play(guard());
    const path = join(directory, 'secret');
    await writeFile(path, `${secret}\n`);
    const client: OAuthClient = {
      tokenUrl: `${server.origin}/token`,
      clientId: 'c',
      clientSecretFile: path,
    };
    const classifier = openClassifier(
      { kind: 'http', url: `${server.origin}/classify`, oauth: client },
      { labels: ['en', 'no'], bearer: 'other-token', readFile: readSuspectFile },
    );
    await classifier.classify(['a'], { signal });
    expect(server.received[0]?.headers.authorization).toBe(
      `Basic ${Buffer.from('c:sentinel%2Fsecret%2B123').toString('base64')}`,
    );
    expect(server.received[1]?.headers.authorization).toBe('Bearer token-1');
    await classifier.close();
  });

  test.each<[string, Behaviour, string, RegExp]>([
    [
      'refuses',
      say({ error: 'invalid_client', error_description: `not ${secret}` }, 401),
      'SUSPECT_REFUSED',
      /\(status 401\): invalid_client, not …$/,
    ],
    ['fails', say('oops', 503), 'SUSPECT_UNREACHABLE', /\(status 503\)$/],
    [
      'redirects',
      say('', 302, { location: 'http://169.254.169.254/' }),
      'SUSPECT_REFUSED',
      /\(status 302\)$/,
    ],
    [
      'grants something else',
      say({ access_token: 'x', token_type: 'mac' }),
      'SUSPECT_REFUSED',
      /\(status 200\)$/,
    ],
    [
      'grants what is no header',
      say({ access_token: 'x\r\ny: z', token_type: 'bearer' }),
      'SUSPECT_REFUSED',
      /\(status 200\)$/,
    ],
    ['floods', say('x'.repeat(100_000)), 'SUSPECT_ANSWER_INVALID', /answered with too much$/],
    [
      'breaks off',
      (response) => response.destroy(),
      'SUSPECT_UNREACHABLE',
      /cannot be reached: UND_ERR_SOCKET$/,
    ],
  ])('a token server that %s', async (_, behaviour, code, message) => {
    server.play(behaviour);
    const classifier = open();
    const failure = await classifier.classify(['a'], { signal }).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code, message: expect.stringMatching(message), exitCode: 3 });
    expect(inspected(failure)).not.toContain(secret);
    expect(paths()).toEqual(['/token']);
    await classifier.close();
  });

  test('asks again after a failure', async () => {
    server.play(say('oops', 503), guard());
    const classifier = open();
    await expect(classifier.classify(['a'], { signal })).rejects.toThrow('granted no token');
    expect(await classifier.classify(['a'], { signal })).toHaveLength(1);
    await classifier.close();
  });

  test('refuses to send a secret in the clear, or to go without one', async () => {
    expect(() => open({ tokenUrl: 'http://example.test/token' })).toThrow(
      expect.objectContaining({ code: 'USAGE', message: expect.stringContaining('in the clear') }),
    );
    const classifier = open({}, { environment: {} });
    await expect(classifier.classify(['a'], { signal })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: 'the environment variable CLIENT_SECRET is not set',
    });
    await classifier.close();
  });
});

test('a bearer token comes from the variable that a suspect names', async () => {
  server.play(say({ answers: ['en'] }));
  const form = { kind: 'http', url: server.origin, bearerEnvironment: 'TOKEN' } as const;
  const options = { labels: ['en', 'no'], bearer: 'of-the-audit' };
  const classifier = openClassifier(form, { ...options, environment: { TOKEN: 'of-the-suspect' } });
  await classifier.classify(['a'], { signal });
  expect(server.received[0]?.headers.authorization).toBe('Bearer of-the-suspect');
  await classifier.close();
  expect(() => openClassifier(form, { ...options, environment: {} })).toThrow(
    'the environment variable TOKEN is not set',
  );
});

function inspected(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return [error.stack, JSON.stringify(error), error.cause && inspected(error.cause)].join('\n');
}
