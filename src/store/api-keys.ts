import { hash as digest, randomBytes } from 'node:crypto';
import { TouchmarkError } from '../errors.ts';

/** A tenant's API key as the configuration keeps it. */
export interface TenantCredential {
  readonly tenant: string;
  /** SHA-256 of the key, 64 hexadecimal digits; none for a tenant that has no key. */
  readonly apiKeySha256?: string | undefined;
}

/** Returns a new API key: `tmk_` and 256 random bits in base64url. */
export function generateApiKey(): string {
  return `tmk_${randomBytes(32).toString('base64url')}`;
}

/** Returns SHA-256 of an API key in hexadecimal; a key of 256 random bits needs no slow hash. */
export function hashApiKey(apiKey: string): string {
  return digest('sha256', apiKey, 'hex');
}

/** Knows tenants by API key. Times depend on hashes only, from which no key can be approached. */
export class TenantTable {
  readonly #tenants = new Map<string, string>();

  /**
   * A tenant may have several keys.
   *
   * @throws TouchmarkError CONFIG_INVALID for a malformed hash, or one that two tenants share
   */
  constructor(credentials: readonly TenantCredential[]) {
    for (const { tenant, apiKeySha256 } of credentials) {
      if (apiKeySha256 === undefined) continue;
      const hash = apiKeySha256.toLowerCase();
      if (!/^[0-9a-f]{64}$/.test(hash)) {
        throw invalid(`The API key hash of the tenant "${tenant}" is not 64 hexadecimal digits.`);
      }
      const other = this.#tenants.get(hash);
      if (other !== undefined && other !== tenant) {
        throw invalid(`The tenants "${other}" and "${tenant}" have the same API key.`);
      }
      this.#tenants.set(hash, tenant);
    }
  }

  /** Returns the tenant whose key this is, without the word Bearer; undefined for nobody's. */
  find(apiKey: string): string | undefined {
    return this.findHash(hashApiKey(apiKey));
  }

  /** Returns the tenant of a key by its hash, as `hashApiKey` gives it. */
  findHash(hash: string): string | undefined {
    return this.#tenants.get(hash);
  }
}

function invalid(message: string): TouchmarkError {
  return new TouchmarkError('CONFIG_INVALID', message, {
    hint: 'Put the SHA-256 of every key into the configuration, never the key itself.',
  });
}
