import { hashApiKey, type TenantTable } from '../../store/api-keys.ts';
import type { TokenCheck } from './tokens.ts';

/** Longer credentials are not even hashed. */
const longestCredential = 8192;
const credential = /^[\x21-\x7e]+$/;
const bearer = /^Bearer +([\x21-\x7e]+) *$/i;
/** RFC 7515, section 3.1: three parts of base64url. */
const compactToken = /^[\w-]+\.[\w-]+\.[\w-]+$/;

/**
 * Finds who asks: the tenant, or undefined for nobody. Without a promise for API keys and for tokens
 * that were verified lately.
 *
 * @param authorization the header `Authorization`, which alone counts where it is sent
 * @param apiKey the header `x-api-key` or `api-key`: an API key, never a token
 */
export type Authenticator = (
  authorization: string | undefined,
  apiKey?: string | undefined,
) => string | undefined | Promise<string | undefined>;

/** Returns what finds tenants by API keys and, where there is a check for them, by signed tokens. */
export function createAuthenticator(options: {
  readonly apiKeys: Pick<TenantTable, 'findHash'>;
  readonly tokens?: TokenCheck;
}): Authenticator {
  const { apiKeys, tokens } = options;
  return (authorization, apiKey) => {
    if (authorization === undefined) {
      const isKey = apiKey !== undefined && isShort(apiKey) && credential.test(apiKey);
      return isKey ? apiKeys.findHash(hashApiKey(apiKey)) : undefined;
    }
    const token = isShort(authorization) ? bearer.exec(authorization)?.[1] : undefined;
    if (token === undefined) return undefined;
    const digest = hashApiKey(token);
    const tenant = apiKeys.findHash(digest);
    if (tenant !== undefined || tokens === undefined || !compactToken.test(token)) return tenant;
    return tokens.find(token, digest);
  };
}

function isShort(text: string): boolean {
  return text.length <= longestCredential;
}
