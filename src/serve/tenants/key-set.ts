import { createLocalJWKSet, createRemoteJWKSet, customFetch, type JWTVerifyGetKey } from 'jose';
import { TouchmarkError } from '../../errors.ts';
import { readTextIfPresent } from '../../store/project-files.ts';

const milliseconds = {
  /** Of one fetch, body included. */
  timeout: 5_000,
  /** Between fetches for keys that the set does not have. */
  cooldown: 30_000,
  /** Between fetches after one that failed. */
  retry: 5_000,
  /** After which a set is fetched again. */
  fresh: 600_000,
  /** For which the last set is used while no new one can be had. */
  stale: 3_600_000,
};
const mostBytes = 1_048_576;

export interface KeySetOptions {
  /** Milliseconds since 1970. */
  readonly clock: () => number;
  /** Hears of every failed fetch: tokens are refused by then, or soon. */
  readonly onFailure: (error: unknown) => void;
}

/**
 * Opens an issuer's public keys (RFC 7517), from an address or a file. At an address they are fetched
 * when needed: within 5 s, at most 1 MiB, no redirects, again after ten minutes or for an unknown key
 * (every 30 s at most); while the address fails, the last ones serve for an hour.
 *
 * @throws TouchmarkError CONFIG_INVALID for a file that is absent, holds no key set, or secret keys
 */
export async function openKeySet(source: string, options: KeySetOptions): Promise<JWTVerifyGetKey> {
  if (/^https?:/i.test(source)) return remoteKeySet(new URL(source), options);
  const text = await readTextIfPresent(source);
  if (text === undefined) throw invalid(`There is no key set ${source}.`);
  return createLocalJWKSet(parseKeySet(text, source));
}

function remoteKeySet(url: URL, { clock, onFailure }: KeySetOptions): JWTVerifyGetKey {
  let last: { readonly text: string; readonly at: number } | undefined;
  let failure: { readonly error: unknown; readonly at: number } | undefined;
  const within = (at: number, limit: number) => clock() >= at && clock() < at + limit;

  const fetchText = async (address: string, settings: RequestInit): Promise<string> => {
    if (failure && within(failure.at, milliseconds.retry)) throw failure.error;
    try {
      const text = await readBounded(await fetch(address, settings));
      parseKeySet(text, url.origin);
      failure = undefined;
      return text;
    } catch (error) {
      failure = { error, at: clock() };
      onFailure(error);
      throw error;
    }
  };
  return createRemoteJWKSet(url, {
    timeoutDuration: milliseconds.timeout,
    cooldownDuration: milliseconds.cooldown,
    cacheMaxAge: milliseconds.fresh,
    [customFetch]: async (address, settings) => {
      try {
        last = { text: await fetchText(address, settings), at: clock() };
        return new Response(last.text);
      } catch (error) {
        if (last && within(last.at, milliseconds.stale)) return new Response(last.text);
        throw error;
      }
    },
  });
}

async function readBounded(response: Response): Promise<string> {
  const refuse = async (what: string) => {
    await response.body?.cancel();
    return new TouchmarkError('KEY_SOURCE_FAILED', `The key set's address ${what}.`, {
      hint: 'serve.jwt.jwks is an address that gives the keys themselves.',
    });
  };
  if (response.status !== 200) throw await refuse(`answers with status ${response.status}`);
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  for await (const piece of response.body ?? []) {
    bytes += piece.length;
    if (bytes > mostBytes) throw await refuse(`gives more than ${mostBytes} bytes`);
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString('utf8');
}

/** Only public keys are taken: a secret one has no business here, nor a shared one. */
function parseKeySet(text: string, where: string): Parameters<typeof createLocalJWKSet>[0] {
  let set: Parameters<typeof createLocalJWKSet>[0];
  try {
    set = JSON.parse(text);
    createLocalJWKSet(set);
  } catch {
    throw invalid(`${where} holds no JSON Web Key Set.`);
  }
  if (set.keys.some((key) => 'd' in key || 'k' in key || key.kty === 'oct')) {
    throw invalid(`${where} holds a secret key.`);
  }
  return set;
}

function invalid(message: string): TouchmarkError {
  return new TouchmarkError('CONFIG_INVALID', message, {
    hint: 'serve.jwt.jwks names public keys, as {"keys": [...]}.',
  });
}
