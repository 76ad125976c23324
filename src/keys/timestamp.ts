import { createHash, type KeyObject, verify, X509Certificate } from 'node:crypto';
import { ASN1Obj } from '@sigstore/core';
import { TouchmarkError } from '../errors.ts';
import { requireKey } from './encoding.ts';

const oid = {
  signedData: '1.2.840.113549.1.7.2',
  timestampInfo: '1.2.840.113549.1.9.16.1.4',
  contentType: '1.2.840.113549.1.9.3',
  messageDigest: '1.2.840.113549.1.9.4',
  signingCertificate: '1.2.840.113549.1.9.16.2.12',
  signingCertificateV2: '1.2.840.113549.1.9.16.2.47',
  timestamping: '1.3.6.1.5.5.7.3.8',
} as const;

const digestAlgorithms: Readonly<Record<string, string>> = {
  '2.16.840.1.101.3.4.2.1': 'sha256',
  '2.16.840.1.101.3.4.2.2': 'sha384',
  '2.16.840.1.101.3.4.2.3': 'sha512',
};
/** ECDSA and RSA (PKCS #1 v1.5) by the digest that they sign; plain RSA signs the signer's digest. */
const signatureAlgorithms: Readonly<Record<string, string | undefined>> = {
  '1.2.840.10045.4.3.2': 'sha256',
  '1.2.840.10045.4.3.3': 'sha384',
  '1.2.840.10045.4.3.4': 'sha512',
  '1.2.840.113549.1.1.11': 'sha256',
  '1.2.840.113549.1.1.12': 'sha384',
  '1.2.840.113549.1.1.13': 'sha512',
};
const plainRsa = '1.2.840.113549.1.1.1';
const sha256Header = Buffer.from('3031300d060960864801650304020105000420', 'hex');
const longestChain = 6;

/** When an authority has seen a digest, and who it is. */
export interface VerifiedTimestamp {
  /** ISO 8601 in UTC. */
  readonly time: string;
  /** The subject of the certificate that signed, one attribute a line joined by ", ". */
  readonly authority: string;
}

/**
 * Returns a request for a timestamp of a digest (RFC 3161, section 2.4.1), in DER: SHA-256, with the
 * nonce, and asking for the authority's certificate.
 *
 * @param digest 32 bytes
 * @param nonce 8 random bytes
 */
export function timestampRequest(digest: Uint8Array, nonce: Uint8Array): Buffer {
  requireKey(digest, 'digest to timestamp');
  const number = Buffer.from([
    0x02,
    nonce.length + 1,
    0,
    ...nonce.map((byte, index) => (index === 0 ? byte | 0x80 : byte)),
  ]);
  const body = [Buffer.from([0x02, 1, 1]), sha256Header, digest, number, Buffer.from([1, 1, 0xff])];
  return wrapped(0x30, Buffer.concat(body));
}

/**
 * Returns the token of an authority's answer (RFC 3161, section 2.4.2), which nobody has verified yet.
 *
 * @throws TouchmarkError EVIDENCE_INVALID when the authority refused or the answer is malformed
 */
export function tokenOfResponse(response: Uint8Array): Buffer {
  return read(() => {
    const [status, token] = parseWhole(response).subs;
    const code = status?.subs[0]?.toInteger();
    if (code !== 0n && code !== 1n) throw timestampInvalid(`was refused with status ${code}`);
    return need(token).toDER();
  });
}

/**
 * Decides whether a timestamp token (RFC 3161; CMS, RFC 5652) is of a digest and of an authority whose
 * certificates are trusted: imprint, signed attributes, signature, the signing certificate that the
 * attributes name (RFC 5816), its only purpose, timestamping, and its chain to a trusted certificate,
 * all valid at the time of the token. Revocation is not looked up.
 *
 * @param digest SHA-256, 32 bytes
 * @param trusted certificates in PEM, roots or the authority's own
 * @throws TouchmarkError EVIDENCE_INVALID saying what is wrong
 */
export function verifyTimestampToken(
  token: Uint8Array,
  digest: Uint8Array,
  trusted: readonly string[],
): VerifiedTimestamp {
  return read(() => {
    const { info, infoBytes, certificates, signer } = parseToken(token);
    requireImprint(info, digest);
    const certificate = signerCertificate(signer.attributes, [
      ...certificates,
      ...trusted.map((each) => new X509Certificate(each)),
    ]);
    requireSignature(signer, infoBytes, certificate.publicKey);
    const time = timeOf(info);
    requirePurpose(certificate);
    requireChain(certificate, certificates, trusted, time);
    return { time: time.toISOString(), authority: certificate.subject.split('\n').join(', ') };
  });
}

/**
 * Returns the time that a token states for a digest, ISO 8601 in UTC, believing whoever made it.
 *
 * @param digest SHA-256, 32 bytes
 * @throws TouchmarkError EVIDENCE_INVALID for a token of another digest, or none at all
 */
export function statedTime(token: Uint8Array, digest: Uint8Array): string {
  return read(() => {
    const { info } = parseToken(token);
    requireImprint(info, digest);
    return timeOf(info).toISOString();
  });
}

interface Signer {
  readonly attributes: ASN1Obj;
  readonly digestAlgorithm: string;
  readonly signatureAlgorithm: string;
  readonly signature: Buffer;
}

function parseToken(token: Uint8Array) {
  const [contentType, wrapper] = parseWhole(token).subs;
  const signed = need(wrapper?.subs[0]).subs;
  const [eContentType, eContent] = need(signed[2]).subs;
  const octets = need(eContent?.subs[0]);
  const rightTypes =
    contentType?.toOID() === oid.signedData && eContentType?.toOID() === oid.timestampInfo;
  const signerInfos = need(signed.at(-1)).subs;
  if (!rightTypes || signerInfos.length !== 1) throw timestampInvalid('is no timestamp token');
  const certificates = signed.slice(3, -1).find(({ tag }) => tag.isContextSpecific(0));
  return {
    info: parseWhole(octets.value),
    infoBytes: octets.value,
    certificates: (certificates?.subs ?? []).map((each) => new X509Certificate(each.toDER())),
    signer: parseSigner(need(signerInfos[0])),
  };
}

function parseSigner({ subs }: ASN1Obj): Signer {
  const [, , digestAlgorithm, attributes, signatureAlgorithm, signature] = subs;
  if (!attributes?.tag.isContextSpecific(0)) throw timestampInvalid('has no signed attributes');
  return {
    attributes,
    digestAlgorithm: need(digestAlgorithm?.subs[0]).toOID(),
    signatureAlgorithm: need(signatureAlgorithm?.subs[0]).toOID(),
    signature: need(signature).value,
  };
}

function timeOf(info: ASN1Obj): Date {
  const time = need(info.subs[4]).toDate();
  if (Number.isNaN(time.getTime())) throw timestampInvalid('has no time');
  return time;
}

function requireImprint(info: ASN1Obj, digest: Uint8Array): void {
  const [version, , imprint] = info.subs;
  const algorithm = digestAlgorithms[need(imprint?.subs[0]?.subs[0]).toOID()];
  if (version?.toInteger() !== 1n || algorithm !== 'sha256') {
    throw timestampInvalid('is not over a SHA-256 digest');
  }
  if (!need(imprint?.subs[1]).value.equals(digest)) throw timestampInvalid('is of another digest');
}

/** Finds the certificate by its hash in the signed attributes, so that no other can stand in for it. */
function signerCertificate(
  attributes: ASN1Obj,
  candidates: readonly X509Certificate[],
): X509Certificate {
  const second = attribute(attributes, oid.signingCertificateV2);
  const first = attribute(attributes, oid.signingCertificate);
  const identifier = need((second ?? first)?.subs[0]?.subs[0]).subs;
  const [head, next] = identifier;
  const named = second !== undefined && head?.tag.isOctetString() === false;
  const algorithm = named
    ? digestAlgorithms[need(head?.subs[0]).toOID()]
    : second === undefined
      ? 'sha1'
      : 'sha256';
  const hash = need(named ? next : head).value;
  const found = candidates.find(
    ({ raw }) => algorithm !== undefined && createHash(algorithm).update(raw).digest().equals(hash),
  );
  if (found === undefined) throw timestampInvalid('is signed under a certificate that is missing');
  return found;
}

function requireSignature(signer: Signer, content: Buffer, publicKey: KeyObject): void {
  const { attributes, digestAlgorithm, signatureAlgorithm, signature } = signer;
  const digestName = digestAlgorithms[digestAlgorithm];
  const signatureDigest =
    signatureAlgorithm === plainRsa ? digestName : signatureAlgorithms[signatureAlgorithm];
  if (digestName === undefined || signatureDigest === undefined) {
    throw timestampInvalid('is signed by an algorithm that is not supported');
  }
  const stated = need(attribute(attributes, oid.messageDigest)).value;
  const isOfContent =
    attribute(attributes, oid.contentType)?.toOID() === oid.timestampInfo &&
    createHash(digestName).update(content).digest().equals(stated);
  const signedBytes = attributes.toDER();
  signedBytes[0] = 0x31; // what is signed is a SET (RFC 5652, section 5.4)
  if (!isOfContent || !verify(signatureDigest, signedBytes, publicKey, signature)) {
    throw timestampInvalid('has a wrong signature');
  }
}

function requirePurpose({ keyUsage }: X509Certificate): void {
  const purposes: readonly string[] = keyUsage ?? [];
  if (purposes.length === 1 && purposes[0] === oid.timestamping) return;
  throw timestampInvalid('is signed under a certificate that is not for timestamps alone');
}

function requireChain(
  signer: X509Certificate,
  intermediates: readonly X509Certificate[],
  trusted: readonly string[],
  time: Date,
): void {
  const anchors = trusted.map((each) => new X509Certificate(each));
  let current = signer;
  for (let length = 0; length < longestChain; length += 1) {
    requireValidAt(current, time);
    if (anchors.some(({ raw }) => raw.equals(current.raw))) return;
    const issuer = [...anchors, ...intermediates].find(
      (each) => each.ca && current.checkIssued(each) && current.verify(each.publicKey),
    );
    if (issuer === undefined || issuer.raw.equals(current.raw)) break;
    current = issuer;
  }
  throw timestampInvalid('does not lead to a trusted certificate');
}

function requireValidAt({ validFrom, validTo }: X509Certificate, time: Date): void {
  if (Date.parse(validFrom) <= time.getTime() && time.getTime() <= Date.parse(validTo)) return;
  throw timestampInvalid('is signed under a certificate that was not valid then');
}

/** Returns the one value of a signed attribute, or undefined when it stands there never or twice. */
function attribute(attributes: ASN1Obj, type: string): ASN1Obj | undefined {
  const found = attributes.subs.filter(({ subs }) => subs[0]?.toOID() === type);
  const values = found[0]?.subs[1]?.subs ?? [];
  return found.length === 1 && values.length === 1 ? values[0] : undefined;
}

function parseWhole(bytes: Uint8Array): ASN1Obj {
  const buffer = Buffer.from(bytes);
  const object = ASN1Obj.parseBuffer(buffer);
  const { length } = wrapped(0, object.value);
  if (length !== buffer.length) throw timestampInvalid('is malformed');
  return object;
}

function wrapped(tag: number, value: Buffer): Buffer {
  const size: number[] = [];
  for (let rest = value.length; rest > 0; rest >>>= 8) size.unshift(rest & 0xff);
  const length = value.length < 0x80 ? [value.length] : [0x80 | size.length, ...size];
  return Buffer.concat([Buffer.from([tag, ...length]), value]);
}

function need<Value>(value: Value | undefined): Value {
  if (value === undefined) throw timestampInvalid('is malformed');
  return value;
}

/** The token comes from outside: whatever a parser throws means that it is malformed. */
function read<Value>(work: () => Value): Value {
  try {
    return work();
  } catch (cause) {
    if (TouchmarkError.isInstance(cause)) throw cause;
    throw timestampInvalid('is malformed');
  }
}

function timestampInvalid(reason: string): TouchmarkError {
  return new TouchmarkError('EVIDENCE_INVALID', `The timestamp ${reason}.`, {
    hint: 'Ask the authority again, and trust only certificates that you have from elsewhere.',
  });
}
