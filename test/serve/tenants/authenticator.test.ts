import { createHmac, createPublicKey, type JsonWebKey } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Fastify from 'fastify';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { jwtSchema } from '../../../src/config/access.ts';
import { clientError } from '../../../src/serve/failures.ts';
import { authenticateBy } from '../../../src/serve/tenants/admission.ts';
import { createAuthenticator } from '../../../src/serve/tenants/authenticator.ts';
import { openTokenCheck, type TokenOptions } from '../../../src/serve/tenants/tokens.ts';
import { VerifiedTokens } from '../../../src/serve/tenants/verified-tokens.ts';
import { hashApiKey, TenantTable } from '../../../src/store/api-keys.ts';
import { temporaryDirectory } from '../../store/directory.ts';
import { goodClaims, type Issuer, issuedAt, startIssuer } from './issuer.ts';

const apiKeys = new TenantTable([
  { tenant: 'acme', apiKeySha256: hashApiKey('tmk_acme') },
  { tenant: 'by-token' },
]);
const tenants = new Set(['acme', 'by-token']);

interface Scene {
  now: number;
  readonly failures: unknown[];
  readonly authenticate: ReturnType<typeof createAuthenticator>;
}

async function sceneOf(
  jwt: Record<string, unknown>,
  environment: TokenOptions['environment'] = {},
): Promise<Scene> {
  const scene = { now: (issuedAt + 60) * 1000, failures: [] as unknown[] };
  const tokens = await openTokenCheck({
    jwt: jwtSchema.parse({ audience: 'touchmark', issuer: 'https://id.test', ...jwt }),
    ...{ tenants, environment },
    clock: () => scene.now,
    onFailure: (error) => scene.failures.push(error),
  });
  return Object.assign(scene, { authenticate: createAuthenticator({ apiKeys, tokens }) });
}

const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');

describe('API keys', () => {
  const authenticate = createAuthenticator({ apiKeys });

  it('come as bearer tokens or in headers of their own, and are found at once', () => {
    expect(authenticate('Bearer tmk_acme')).toBe('acme');
    expect(authenticate('bearer  tmk_acme ')).toBe('acme');
    expect(authenticate(undefined, 'tmk_acme')).toBe('acme');
  });

  it.each([
    [undefined, undefined],
    ['', undefined],
    ['Bearer', undefined],
    ['Bearer tmk_other', undefined],
    ['Bearer tmk_acme tmk_acme', undefined],
    ['Basic tmk_acme', undefined],
    ['Basic tmk_acme', 'tmk_acme'],
    ['Bearer tmk_other', 'tmk_acme'],
    [undefined, 'tmk_acme, tmk_acme'],
    [undefined, ''],
    [`Bearer ${'a'.repeat(9000)}`, undefined],
    [`Bearer ${hashApiKey('tmk_acme')}`, undefined],
  ])('are refused when they are not whole or not alone (%#)', (authorization, apiKey) => {
    expect(authenticate(authorization, apiKey)).toBeUndefined();
  });
});

describe('tokens', () => {
  it.each([
    'RS256',
    'ES256',
    'ES512',
    'EdDSA',
  ])('of %s name the tenant, and the second time at once', async (algorithm) => {
    const issuer = await startIssuer();
    const sign = await issuer.addKey(algorithm, 'k1');
    const { authenticate } = await sceneOf({ jwks: issuer.address });
    const token = await sign();
    expect(await authenticate(`Bearer ${token}`)).toBe('acme');
    expect(authenticate(`Bearer ${token}`)).toBe('acme');
    expect(authenticate(undefined, token)).toBeUndefined();
    expect(authenticate('Bearer tmk_acme')).toBe('acme');
    expect(issuer.fetches).toBe(1);
  });

  it('are refused when any claim is wrong or missing', async () => {
    const issuer = await startIssuer();
    const sign = await issuer.addKey('ES256', 'k1');
    const scene = await sceneOf({ jwks: issuer.address, claim: 'tenant' });
    const claims = { ...goodClaims, tenant: 'by-token' };
    const ask = async (changed: object, removed?: keyof typeof claims) => {
      const all = Object.entries({ ...claims, ...changed }).filter(([name]) => name !== removed);
      return scene.authenticate(`Bearer ${await sign(Object.fromEntries(all))}`);
    };
    expect(await ask({})).toBe('by-token');
    expect(await ask({}, 'nbf')).toBe('by-token');
    expect(await ask({ aud: ['other', 'touchmark'] })).toBe('by-token');
    expect(await ask({ exp: issuedAt + 40 })).toBe('by-token');
    for (const wrong of [
      { exp: issuedAt + 29 },
      { nbf: issuedAt + 91 },
      { iss: 'https://evil.test' },
      { aud: 'other' },
      { aud: ['other'] },
      { tenant: 'nobody' },
      { tenant: ['by-token'] },
      { tenant: '' },
      { tenant: 'constructor' },
      { exp: '4102444800' },
    ]) {
      expect(await ask(wrong), JSON.stringify(wrong)).toBeUndefined();
    }
    for (const claim of ['exp', 'iss', 'aud', 'tenant'] as const) {
      expect(await ask({}, claim), claim).toBeUndefined();
    }
    expect(scene.failures).toEqual([]);
  });

  it('end when they expire, also when they were verified before', async () => {
    const issuer = await startIssuer();
    const sign = await issuer.addKey('EdDSA', 'k1');
    const scene = await sceneOf({ jwks: issuer.address });
    const token = `Bearer ${await sign({ ...goodClaims, exp: issuedAt + 120 })}`;
    expect(await scene.authenticate(token)).toBe('acme');
    scene.now = (issuedAt + 149) * 1000;
    expect(scene.authenticate(token)).toBe('acme');
    scene.now = (issuedAt + 150) * 1000;
    expect(await scene.authenticate(token)).toBeUndefined();
  });

  it('are refused when they are forged', async () => {
    const issuer = await startIssuer();
    const sign = await issuer.addKey('RS256', 'k1');
    const { authenticate } = await sceneOf({ jwks: issuer.address });
    const good = await sign();
    const [header = '', payload = '', signature = ''] = good.split('.');
    const [jwk] = issuer.keys as JsonWebKey[];
    const pem = createPublicKey({ key: jwk!, format: 'jwk' }).export({
      type: 'spki',
      format: 'pem',
    });
    const hmac = (head: object, secret: string | Buffer) => {
      const signed = `${part(head)}.${payload}`;
      return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
    };
    const thief = await generateKeyPair('RS256', { extractable: true });
    const thiefs = await exportJWK(thief.publicKey);
    const bring = (head: object) =>
      new SignJWT(goodClaims)
        .setProtectedHeader({ alg: 'RS256', kid: 'k1', ...head })
        .sign(thief.privateKey);
    const other = part({ ...goodClaims, sub: 'by-token' });
    for (const [what, token] of Object.entries({
      none: `${part({ alg: 'none' })}.${payload}.`,
      noneWithSignature: `${part({ alg: 'none', kid: 'k1' })}.${payload}.${signature}`,
      noneSpelt: `${part({ alg: 'nOnE' })}.${payload}.${signature}`,
      publicKeyAsSecret: hmac({ alg: 'HS256', kid: 'k1' }, String(pem)),
      modulusAsSecret: hmac({ alg: 'HS256' }, Buffer.from(jwk?.n ?? '', 'base64url')),
      emptySecret: hmac({ alg: 'HS256' }, ''),
      anotherKey: await bring({}),
      keyBrought: await bring({ jwk: thiefs }),
      keyPointedTo: await bring({ jku: `${issuer.address}?thief` }),
      unknownKey: await bring({ kid: '../../k1' }),
      anotherPayload: `${header}.${other}.${signature}`,
      anotherAlgorithm: `${part({ alg: 'PS256', kid: 'k1' })}.${payload}.${signature}`,
      critical: await sign(goodClaims, { crit: ['unheard-of'], 'unheard-of': 1 }),
      noSignature: `${header}.${payload}.`,
      twoParts: `${header}.${payload}`,
      fourParts: `${good}.${signature}`,
      noClaims: `${header}.${part([])}.${signature}`,
      nothing: '..',
    })) {
      expect(await authenticate(`Bearer ${token}`), what).toBeUndefined();
    }
    expect(await authenticate(`Bearer ${good}`)).toBe('acme');
  });

  it('need an algorithm that the configuration has', async () => {
    const issuer = await startIssuer();
    const [rsa, ed] = [await issuer.addKey('RS256', 'k1'), await issuer.addKey('EdDSA', 'k2')];
    const { authenticate } = await sceneOf({ jwks: issuer.address, algorithms: ['EdDSA'] });
    expect(await authenticate(`Bearer ${await rsa()}`)).toBeUndefined();
    expect(await authenticate(`Bearer ${await ed()}`)).toBe('acme');
  });

  it('that name no key are tried with those that fit', async () => {
    const issuer = await startIssuer();
    await issuer.addKey('ES256');
    const sign = await issuer.addKey('ES256');
    const { authenticate } = await sceneOf({ jwks: issuer.address });
    expect(await authenticate(`Bearer ${await sign()}`)).toBe('acme');
    expect(await authenticate(`Bearer ${await sign({ ...goodClaims, exp: 1 })}`)).toBeUndefined();
  });

  it('are signed by a secret of ours alone where the configuration says so', async () => {
    const secret = 'a secret of more than thirty-two bytes';
    const { authenticate } = await sceneOf({ secretEnvironment: 'SECRET' }, { SECRET: secret });
    const signed = (algorithm: string, key: string) =>
      new SignJWT(goodClaims).setProtectedHeader({ alg: algorithm }).sign(Buffer.from(key));
    expect(await authenticate(`Bearer ${await signed('HS256', secret)}`)).toBe('acme');
    expect(await authenticate(`Bearer ${await signed('HS512', secret.repeat(2))}`)).toBeUndefined();
    expect(await authenticate(`Bearer ${await signed('HS256', `${secret}!`)}`)).toBeUndefined();
    for (const environment of [{}, { SECRET: 'SENTINEL' }]) {
      const error = await sceneOf({ secretEnvironment: 'SECRET' }, environment).catch(String);
      expect(error).toMatch(/variable SECRET (is not set|holds 8 bytes)/);
      expect(error).not.toContain('SENTINEL');
    }
  });
});

describe('key sets', () => {
  const tokenOf = async (issuer: Issuer, kid: string) => {
    const sign = await issuer.addKey('ES256', kid);
    let signed = 0;
    return async () => {
      signed += 1;
      return `Bearer ${await sign({ ...goodClaims, exp: issuedAt + 9000, jti: String(signed) })}`;
    };
  };

  it('are read from a file, and secret keys in it are refused', async () => {
    const path = join(temporaryDirectory(), 'keys.json');
    const { publicKey, privateKey } = await generateKeyPair('EdDSA', { extractable: true });
    writeFileSync(path, JSON.stringify({ keys: [await exportJWK(publicKey)] }));
    const { authenticate } = await sceneOf({ jwks: path });
    const token = await new SignJWT(goodClaims)
      .setProtectedHeader({ alg: 'EdDSA' })
      .sign(privateKey);
    expect(await authenticate(`Bearer ${token}`)).toBe('acme');
    for (const text of [
      JSON.stringify({ keys: [await exportJWK(privateKey)] }),
      JSON.stringify({ keys: [{ kty: 'oct', k: 'c2VjcmV0' }] }),
      '{"keys": 4}',
      '{',
    ]) {
      writeFileSync(path, text);
      await expect(sceneOf({ jwks: path })).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
    }
    await expect(sceneOf({ jwks: `${path}.absent` })).rejects.toThrow(/There is no key set/);
  });

  it('are fetched for a new key every half minute at most, and outlast an hour without them', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: issuedAt * 1000 });
    onTestFinished(() => void vi.useRealTimers());
    const issuer = await startIssuer();
    const first = await tokenOf(issuer, 'k1');
    const scene = await sceneOf({ jwks: issuer.address });
    const pass = (seconds: number) => {
      vi.setSystemTime(Date.now() + 1000 * seconds);
      scene.now = Date.now();
    };
    pass(0);
    expect(await scene.authenticate(await first())).toBe('acme');
    const second = await tokenOf(issuer, 'k2');
    for (let ask = 0; ask < 5; ask += 1) {
      expect(await scene.authenticate(await second())).toBeUndefined();
    }
    expect(issuer.fetches).toBe(1);
    pass(31);
    expect(await scene.authenticate(await second())).toBe('acme');
    expect(issuer.fetches).toBe(2);
    issuer.answer = (response) => response.writeHead(503).end();
    pass(900);
    for (let ask = 0; ask < 5; ask += 1) {
      expect(await scene.authenticate(await first())).toBe('acme');
    }
    expect([issuer.fetches, scene.failures.length]).toEqual([3, 1]);
    pass(3600);
    expect(await scene.authenticate(await first())).toBeUndefined();
  });

  it.each([
    ['too large', (response) => response.end(`{"keys": [], "x": "${'x'.repeat(1_100_000)}"}`)],
    ['elsewhere', (response) => response.writeHead(302, { location: '/other' }).end()],
    ['an error', (response) => response.writeHead(500).end('{"keys": []}')],
    ['no JSON', (response) => response.end('<html>')],
    ['cut off', (response) => response.destroy()],
    ['secret', (response) => response.end('{"keys": [{"kty": "oct", "k": "AAAA"}]}')],
  ] as [
    string,
    NonNullable<Issuer['answer']>,
  ][])('that are %s let nobody in, are told of once, and soon tried again', async (_, answer) => {
    const issuer = await startIssuer();
    const token = await tokenOf(issuer, 'k1');
    issuer.answer = answer;
    const scene = await sceneOf({ jwks: issuer.address });
    for (let ask = 0; ask < 4; ask += 1) {
      expect(await scene.authenticate(await token())).toBeUndefined();
    }
    expect([issuer.fetches, scene.failures.length]).toEqual([1, 1]);
    issuer.answer = undefined;
    scene.now += 5000;
    expect(await scene.authenticate(await token())).toBe('acme');
  });
});

describe('verified tokens', () => {
  it('are few, soon forgotten, and last no longer when the clock is set back', () => {
    const tokens = new VerifiedTokens(3);
    for (const digest of ['a', 'b', 'c']) {
      tokens.keep(digest, digest, { now: 1000, expires: 10_000_000 });
    }
    expect(tokens.find('a', 2000)).toBe('a');
    tokens.keep('d', 'd', { now: 2000, expires: 3000 });
    expect([tokens.size, tokens.find('b', 2000), tokens.find('a', 2000)]).toEqual([
      3,
      undefined,
      'a',
    ]);
    expect([tokens.find('d', 2999), tokens.find('d', 3000)]).toEqual(['d', undefined]);
    expect([tokens.find('c', 300_999), tokens.find('c', 301_000)]).toEqual(['c', undefined]);
    expect(tokens.find('a', 999)).toBeUndefined();
    expect(tokens.size).toBe(0);
  });
});

it('answers every stranger with the same words, over HTTP', async () => {
  const issuer = await startIssuer();
  const sign = await issuer.addKey('ES256', 'k1');
  const { authenticate } = await sceneOf({ jwks: issuer.address });
  const app = Fastify();
  onTestFinished(() => app.close());
  app.decorateRequest('tenant', '');
  app.addHook('onRequest', authenticateBy(authenticate));
  app.setErrorHandler((error, _, reply) => {
    const { status, message } = clientError(error);
    return reply.code(status).send({ message });
  });
  app.get('/', async ({ tenant }) => ({ tenant }));
  const address = await app.listen({ host: '127.0.0.1', port: 0 });
  const ask = async (headers: [string, string][]) => {
    const response = await fetch(address, { headers });
    return `${response.status} ${response.headers.get('www-authenticate')} ${await response.text()}`;
  };
  const token = await sign();
  for (const headers of [
    [['authorization', `Bearer ${token}`]],
    [['authorization', 'Bearer tmk_acme']],
    [['x-api-key', 'tmk_acme']],
    [['api-key', 'tmk_acme']],
  ] as [string, string][][]) {
    expect(await ask(headers)).toBe('200 null {"tenant":"acme"}');
  }
  const refusals = [
    await ask([]),
    await ask([['authorization', 'Bearer tmk_wrong']]),
    await ask([['authorization', 'Basic dG1rOmFjbWU=']]),
    await ask([['x-api-key', token]]),
    await ask([['authorization', `Bearer ${await sign({ ...goodClaims, exp: 1 })}`]]),
    await ask([['authorization', `Bearer ${await sign({ ...goodClaims, sub: 'nobody' })}`]]),
    await ask([['authorization', 'Bearer a.b.c']]),
    await ask([
      ['x-api-key', 'tmk_acme'],
      ['x-api-key', 'tmk_acme'],
    ]),
  ];
  expect(new Set(refusals)).toEqual(
    new Set(['401 Bearer {"message":"unknown tenant: send a valid Authorization: Bearer token"}']),
  );
});
