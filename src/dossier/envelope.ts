import { createHash, type KeyObject, sign, verify } from 'node:crypto';
import { dsse, json } from '@sigstore/core';
import { z } from 'zod';
import { TouchmarkError } from '../errors.ts';
import { exportPublicKey, importPublicKey, keyIdentifier, publicKeyOf } from '../keys/signing.ts';
import { type DossierStatement, payloadType, statementSchema } from './statement.ts';

const envelopeSchema = z.strictObject({
  payload: z.base64(),
  payloadType: z.literal(payloadType),
  signatures: z.tuple([z.strictObject({ keyid: z.string(), sig: z.base64() })]),
});

/** A dossier whose form and signature are right; what it says is not checked yet. */
export interface OpenedDossier {
  readonly statement: DossierStatement;
  readonly ownerKey: KeyObject;
  readonly keyIdentifier: string;
  /** SHA-256 of the file. */
  readonly digest: string;
}

/**
 * Signs a statement as a DSSE envelope (in-toto attestation framework 1.0) and returns the file's
 * text: RFC 8785 JSON outside and inside, and one line end.
 */
export function sealEnvelope(statement: DossierStatement, key: KeyObject): string {
  const payload = Buffer.from(json.canonicalize(statement), 'utf8');
  const signature = sign(null, dsse.preAuthEncoding(payloadType, payload), key);
  const envelope = {
    payload: payload.toString('base64'),
    payloadType,
    signatures: [{ keyid: keyIdentifier(publicKeyOf(key)), sig: signature.toString('base64') }],
  };
  return `${json.canonicalize(envelope)}\n`;
}

/** Returns SHA-256 of a dossier's text as `sha256:` and hexadecimal digits. */
export function dossierDigest(text: string): string {
  return `sha256:${createHash('sha256').update(text).digest('hex')}`;
}

/**
 * Reads a dossier that must be, byte for byte, what `sealEnvelope` writes: any second spelling of the
 * same content is refused, so that two readers cannot read two things. The key that signed it stands
 * inside, and `keyid` is derived from it.
 *
 * @throws TouchmarkError EVIDENCE_INVALID naming what is wrong
 */
export function openEnvelope(text: string): OpenedDossier {
  const envelope = parsed(envelopeSchema, text.replace(/\n$/, ''), 'dossier');
  const [{ keyid, sig }] = envelope.signatures;
  const payload = Buffer.from(envelope.payload, 'base64');
  if (`${json.canonicalize(envelope)}\n` !== text || !isBase64(envelope.payload, payload)) {
    throw refused('is not spelled as a dossier is');
  }
  const inside = payload.toString('utf8');
  if (!Buffer.from(inside, 'utf8').equals(payload)) throw refused('is not UTF-8 inside');
  const statement = parsed(statementSchema, inside, 'statement');
  if (json.canonicalize(statement) !== inside) {
    throw refused('holds a statement that is not in canonical form');
  }
  const ownerKey = importPublicKey(statement.predicate.ownerKey);
  if (exportPublicKey(ownerKey) !== statement.predicate.ownerKey) {
    throw refused('holds a public key in another spelling');
  }
  if (keyid !== keyIdentifier(ownerKey)) throw refused('names another key than the one inside');
  const signature = Buffer.from(sig, 'base64');
  const signed = dsse.preAuthEncoding(payloadType, payload);
  if (!isBase64(sig, signature) || !verify(null, signed, ownerKey, signature)) {
    throw refused('has a signature that does not fit');
  }
  return { statement, ownerKey, keyIdentifier: keyid, digest: dossierDigest(text) };
}

/** Returns the error for a dossier that does not verify. */
export function refused(what: string, hint = 'ask its owner for the file as it was written') {
  return new TouchmarkError('EVIDENCE_INVALID', `the dossier ${what}`, { hint });
}

function isBase64(text: string, bytes: Buffer): boolean {
  return bytes.toString('base64') === text;
}

function parsed<Value>(schema: z.ZodType<Value>, text: string, what: string): Value {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new TouchmarkError('EVIDENCE_INVALID', `the ${what} is not JSON`, {
      hint: 'the file was changed or cut, or is no dossier: ask its owner for it as it was written',
      cause,
    });
  }
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const place = issue?.path.map(String).join('.').slice(0, 200) ?? '';
  throw refused(`does not fit its schema at ${place === '' ? 'the top level' : place}`);
}
