import { hash as digest, randomBytes } from 'node:crypto';
import { mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { TouchmarkError } from '../errors.ts';
import { errnoOf, storageError, syncDirectory } from './secure-file.ts';

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

/** Takes new tenants' API keys; what it took stays, also when later ones fail. */
export interface ApiKeyFile {
  /** Resolves once the keys survive a power cut. @throws TouchmarkError STORE_FULL or STORE_DAMAGED */
  add(keys: readonly { readonly id: string; readonly apiKey: string }[]): Promise<void>;
  close(): Promise<void>;
}

/**
 * Makes a file of mode 0600 for API keys, one JSON object {id, apiKey} a line.
 *
 * @throws TouchmarkError USAGE when it exists; STORE_FULL or STORE_DAMAGED
 */
export async function createApiKeyFile(path: string): Promise<ApiKeyFile> {
  const failed = (cause: unknown): never => {
    if (errnoOf(cause) !== 'EEXIST') throw storageError('write', path, cause);
    throw new TouchmarkError('USAGE', `${path} exists already.`, {
      hint: 'API keys are never overwritten: choose another name.',
    });
  };
  await mkdir(dirname(path), { recursive: true, mode: 0o700 }).catch(failed);
  const handle = await open(path, 'wx', 0o600).catch(failed);
  await syncDirectory(dirname(path)).catch(failed);
  return {
    async add(keys) {
      const text = keys.map(({ id, apiKey }) => `${JSON.stringify({ id, apiKey })}\n`).join('');
      await handle.writeFile(text).catch(failed);
      await handle.sync().catch(failed);
    },
    close: () => handle.close(),
  };
}

function invalid(message: string): TouchmarkError {
  return new TouchmarkError('CONFIG_INVALID', message, {
    hint: 'Put the SHA-256 of every key into the configuration, never the key itself.',
  });
}
