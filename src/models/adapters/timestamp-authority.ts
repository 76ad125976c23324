import { randomBytes } from 'node:crypto';
import { request } from 'undici';
import { TouchmarkError } from '../../errors.ts';
import { timestampRequest, tokenOfResponse } from '../../keys/timestamp.ts';
import { display } from './address.ts';

/** A token has a few kilobytes, with its certificates. */
const responseLimitBytes = 256 * 1024;
const timeoutMilliseconds = 30_000;

/**
 * Asks a timestamp authority (RFC 3161, section 3.4) for a token over a digest, which nobody has
 * verified yet. Follows no redirects.
 *
 * @param digest SHA-256, 32 bytes; nothing else is sent
 * @throws TouchmarkError SUSPECT_UNREACHABLE when there is no answer within 30 s, or not status 200;
 *   EVIDENCE_INVALID when the authority refused, or its answer is malformed
 */
export async function fetchTimestamp(
  address: URL,
  digest: Uint8Array,
  signal: AbortSignal,
): Promise<Buffer> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(timeoutMilliseconds)]);
  let bytes: Buffer;
  try {
    const { statusCode, body } = await request(address, {
      method: 'POST',
      headers: {
        'content-type': 'application/timestamp-query',
        accept: 'application/timestamp-reply',
        'accept-encoding': 'identity',
      },
      body: timestampRequest(digest, randomBytes(8)),
      signal: limit,
    });
    bytes = await bounded(address, body);
    if (statusCode !== 200) throw unreachable(address, `answered with status ${statusCode}`);
  } catch (cause) {
    signal.throwIfAborted();
    if (TouchmarkError.isInstance(cause)) throw cause;
    throw unreachable(address, 'gave no answer', cause);
  }
  return tokenOfResponse(bytes);
}

async function bounded(address: URL, body: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > responseLimitBytes) {
      throw unreachable(address, `sent more than ${responseLimitBytes} bytes`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function unreachable(address: URL, reason: string, cause?: unknown): TouchmarkError {
  return new TouchmarkError(
    'SUSPECT_UNREACHABLE',
    `The timestamp authority ${display(address)} ${reason}.`,
    { hint: 'Check its address, or ask another authority.', cause },
  );
}
