import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose';
import { onTestFinished } from 'vitest';

export interface Issuer {
  /** Where the public keys are. */
  readonly address: string;
  readonly keys: object[];
  fetches: number;
  /** Another answer than the keys. */
  answer: ((response: ServerResponse) => void) | undefined;
  /** Publishes a key of an algorithm and returns what signs with it. */
  addKey(algorithm: string, kid?: string): Promise<Sign>;
}

export type Sign = (claims?: JWTPayload, header?: object) => Promise<string>;

/** Seconds since 1970. */
export const issuedAt = Date.UTC(2026, 4, 20, 12) / 1000;

export const goodClaims = {
  ...{ iss: 'https://id.test', aud: 'touchmark', sub: 'acme' },
  ...{ iat: issuedAt, nbf: issuedAt, exp: issuedAt + 3600 },
};

/** A small identity provider on this machine. */
export async function startIssuer(): Promise<Issuer> {
  const keys: object[] = [];
  const server = createServer((_, response) => {
    issuer.fetches += 1;
    if (issuer.answer) issuer.answer(response);
    else response.end(JSON.stringify({ keys }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const issuer: Issuer = {
    address: `http://127.0.0.1:${port}/keys`,
    keys,
    fetches: 0,
    answer: undefined,
    async addKey(algorithm, kid) {
      const { publicKey, privateKey } = await generateKeyPair(algorithm, { extractable: true });
      keys.push({ ...(await exportJWK(publicKey)), ...(kid && { kid }) });
      return (claims = goodClaims, header = {}) =>
        new SignJWT(claims)
          .setProtectedHeader({ alg: algorithm, ...(kid && { kid }), ...header })
          .sign(privateKey, { crit: { 'unheard-of': true } });
    },
  };
  return issuer;
}
