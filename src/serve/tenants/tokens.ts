import { errors, type JWTVerifyGetKey, type JWTVerifyOptions, jwtVerify } from 'jose';
import type { JwtConfig } from '../../config/access.ts';
import { TouchmarkError } from '../../errors.ts';
import { openKeySet } from './key-set.ts';
import { VerifiedTokens } from './verified-tokens.ts';

/** Keys tried for a token that does not name its own. */
const mostKeysTried = 8;
/** HS256 needs a secret as long as its hash (RFC 7518, section 3.2). */
const fewestSecretBytes = 32;

export interface TokenOptions {
  readonly jwt: JwtConfig;
  /** The tenants that there are. */
  readonly tenants: { has(tenant: string): boolean };
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
  /** Hears that the issuer's keys could not be had; a token that is wrong is no failure. */
  readonly onFailure: (error: unknown) => void;
}

/** Knows tenants by signed tokens. */
export interface TokenCheck {
  /**
   * Returns the tenant of a token; undefined for any that is not valid now. At once for one that was
   * verified in the last five minutes.
   *
   * @param digest SHA-256 of the token
   */
  find(token: string, digest: string): string | undefined | Promise<string | undefined>;
}

/**
 * Opens the check of JSON Web Tokens (RFC 7519): signed by a key of the issuer's with an algorithm of
 * the configuration (never `none`, and HS256 only by a secret of ours), for our audience, from our
 * issuer if one is named, not expired (`exp` is required), valid already (`nbf`, where it is there),
 * and naming a configured tenant. Keys that a token brings along, or points to, are not looked at.
 *
 * @throws TouchmarkError CONFIG_INVALID for a secret that is missing or short, and as `openKeySet`
 */
export async function openTokenCheck(options: TokenOptions): Promise<TokenCheck> {
  const { jwt, tenants, clock } = options;
  const verify = await openVerification(options);
  const verified = new VerifiedTokens();
  const check = async (token: string, digest: string): Promise<string | undefined> => {
    const payload = await verify(token);
    const tenant = payload?.[jwt.claim];
    if (typeof tenant !== 'string' || !tenants.has(tenant)) return undefined;
    const expires = ((payload?.exp ?? 0) + jwt.clockToleranceSeconds) * 1000;
    verified.keep(digest, tenant, { now: clock(), expires });
    return tenant;
  };
  return { find: (token, digest) => verified.find(digest, clock()) ?? check(token, digest) };
}

async function openVerification({ jwt, environment, clock, onFailure }: TokenOptions) {
  const { secretEnvironment, jwks, audience, issuer, claim } = jwt;
  const secret = secretEnvironment && readSecret(secretEnvironment, environment);
  const keys = secret || (await openKeySet(jwks ?? '', { clock, onFailure }));
  const settings: JWTVerifyOptions = {
    algorithms: secret ? ['HS256'] : jwt.algorithms,
    audience,
    ...(issuer !== undefined && { issuer }),
    requiredClaims: ['exp', claim],
    clockTolerance: jwt.clockToleranceSeconds,
  };
  return async (token: string) => {
    const now = { ...settings, currentDate: new Date(clock()) };
    try {
      if (typeof keys !== 'function') return (await jwtVerify(token, keys, now)).payload;
      return await verifyByAnyKey(token, keys, now);
    } catch {
      return undefined;
    }
  };
}

/** A token that names no key is tried with all of the set that fit. */
async function verifyByAnyKey(token: string, keys: JWTVerifyGetKey, settings: JWTVerifyOptions) {
  try {
    return (await jwtVerify(token, keys, settings)).payload;
  } catch (cause) {
    if (!(cause instanceof errors.JWKSMultipleMatchingKeys)) throw cause;
    let tried = 0;
    for await (const key of cause) {
      tried += 1;
      if (tried > mostKeysTried) break;
      try {
        return (await jwtVerify(token, key, settings)).payload;
      } catch (failure) {
        if (!(failure instanceof errors.JWSSignatureVerificationFailed)) throw failure;
      }
    }
    throw cause;
  }
}

function readSecret(name: string, environment: TokenOptions['environment']): Uint8Array {
  const secret = Buffer.from(environment[name] ?? '', 'utf8');
  if (secret.length >= fewestSecretBytes) return secret;
  const what = secret.length === 0 ? 'is not set' : `holds ${secret.length} bytes`;
  throw new TouchmarkError('CONFIG_INVALID', `The environment variable ${name} ${what}.`, {
    hint: `serve.jwt.secretEnvironment names a secret of ${fewestSecretBytes} bytes or more.`,
  });
}
