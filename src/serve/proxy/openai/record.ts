import { createHash } from 'node:crypto';
import { json } from '@sigstore/core';

/** UTF-16 units of a request that is recorded in full. */
const longestRequest = 2 ** 18;

/**
 * Returns a request as it is recorded: in RFC 8785 JSON, or, when that is longer than 262,144 UTF-16
 * units, as with images in it, an object with its `sha256` and `length` in its place.
 */
export function canonicalRequest(document: object): string {
  const canonical = json.canonicalize(document);
  if (canonical.length <= longestRequest) return canonical;
  const sha256 = createHash('sha256').update(canonical).digest('hex');
  return json.canonicalize({ sha256, length: canonical.length });
}
