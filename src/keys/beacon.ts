import { createHash } from 'node:crypto';
import { bls12_381 } from '@noble/curves/bls12-381.js';
import { z } from 'zod';
import { TouchmarkError } from '../errors.ts';

const schemes = {
  /** Signatures in G2 over the one before and the round. */
  'pedersen-bls-chained': { signatureBytes: 96, chained: true },
  /** Signatures in G1 over the round. */
  'bls-unchained-g1-rfc9380': { signatureBytes: 48, chained: false },
} as const;

/** How chains sign that are supported. */
export const beaconSchemes = ['pedersen-bls-chained', 'bls-unchained-g1-rfc9380'] as const;

/** A drand chain; its key decides whose rounds are believed. */
export interface BeaconChain {
  /** What relays call it, 64 hexadecimal digits. */
  readonly hash: string;
  readonly publicKey: string;
  readonly genesisSeconds: number;
  readonly periodSeconds: number;
  readonly scheme: (typeof beaconSchemes)[number];
}

/** The League of Entropy's public chains, as their `/info` describes them (drand.love). */
export const beaconChains = {
  default: {
    hash: '8990e7a9aaed2ffed73dbd7092123d6f289930540d7651336225dc172e51b2ce',
    publicKey:
      '868f005eb8e6e4ca0a47c8a77ceaa5309a47978a7c71bc5cce96366b5d7a569937c529eeda66c7293784a9402801af31',
    genesisSeconds: 1_595_431_050,
    periodSeconds: 30,
    scheme: 'pedersen-bls-chained',
  },
  quicknet: {
    hash: '52db9ba70e0cc0f6eaf7803dd07447a1f5477735fd3f661792ba94600c84e971',
    publicKey:
      '83cf0f2896adee7eb8b5f01fcad3912212c437e0073e911fb90022d3e760183c8c4b450b6a0a6c3ac6a5776a2d1064510d1fec758c921cc22b0e17e63aaf4bcb5ed66304de9cf809bd274ca73bab4af5a6e9c76a4bc09e76eae8991ef5ece45a',
    genesisSeconds: 1_692_803_367,
    periodSeconds: 3,
    scheme: 'bls-unchained-g1-rfc9380',
  },
} as const satisfies Readonly<Record<string, BeaconChain>>;
export type BeaconName = keyof typeof beaconChains;

/** A chain as drand's `/info` writes it. */
const chainSchema = z.object({
  hash: z.string().regex(/^[0-9a-f]{64}$/),
  public_key: z.string().regex(/^([0-9a-f]{96}|[0-9a-f]{192})$/),
  genesis_time: z.int().positive(),
  period: z.int().positive(),
  schemeID: z.enum(beaconSchemes),
});

/**
 * Returns a chain from parsed JSON of drand's `/info`.
 *
 * @throws TouchmarkError EVIDENCE_INVALID when it is none, or of a scheme that is not supported
 */
export function parseChain(value: unknown): BeaconChain {
  const { data } = chainSchema.safeParse(value);
  if (data === undefined) throw beaconInvalid('is of a chain whose description is malformed');
  return {
    hash: data.hash,
    publicKey: data.public_key,
    genesisSeconds: data.genesis_time,
    periodSeconds: data.period,
    scheme: data.schemeID,
  };
}

const hexadecimal = z
  .string()
  .max(192)
  .regex(/^([0-9a-f]{2})+$/);
/** One round of a drand chain, as its API and its archives write it. */
export const beaconRoundSchema = z.object({
  round: z.int().positive(),
  signature: hexadecimal,
  randomness: hexadecimal.exactOptional(),
  previous_signature: hexadecimal.exactOptional(),
});

export type BeaconRound = Readonly<z.infer<typeof beaconRoundSchema>>;

/**
 * Returns a round from parsed JSON, without what else stood there.
 *
 * @throws TouchmarkError EVIDENCE_INVALID when it is none
 */
export function parseRound(value: unknown): BeaconRound {
  const { data } = beaconRoundSchema.safeParse(value);
  if (data !== undefined) return data;
  throw beaconInvalid('is malformed');
}

/**
 * Returns a round's public randomness, SHA-256 of its signature, once the signature is found to be
 * the chain's: nobody could have known it before the round's time, and nobody could choose it.
 *
 * @returns 32 bytes
 * @throws TouchmarkError EVIDENCE_INVALID when the signature or the stated randomness is wrong
 */
export function verifyRound(chain: BeaconChain, round: BeaconRound): Uint8Array {
  const { signatureBytes } = schemes[chain.scheme];
  const signature = Buffer.from(round.signature, 'hex');
  if (signature.length !== signatureBytes || !isSigned(chain, round, signature)) {
    throw beaconInvalid(`${round.round} does not have the signature of the chain ${chain.hash}`);
  }
  const randomness = createHash('sha256').update(signature).digest();
  if ((round.randomness ?? randomness.toString('hex')) === randomness.toString('hex')) {
    return Uint8Array.from(randomness);
  }
  throw beaconInvalid(`${round.round} states another randomness than that of its signature`);
}

/** Returns when a round is published, in milliseconds since 1970. */
export function timeOf(chain: BeaconChain, round: number): number {
  const { genesisSeconds, periodSeconds } = chain;
  return 1000 * (genesisSeconds + (round - 1) * periodSeconds);
}

/**
 * Returns the newest round that was published at a time, 0 before the first.
 *
 * @param time in milliseconds since 1970
 */
export function roundAt(chain: BeaconChain, time: number): number {
  const periods = Math.floor((time - timeOf(chain, 1)) / (1000 * chain.periodSeconds));
  return Math.max(0, 1 + periods);
}

/** Returns the first round that is published after a time, never at it. */
export function firstRoundAfter(chain: BeaconChain, time: number): number {
  return roundAt(chain, time) + 1;
}

function isSigned(chain: BeaconChain, round: BeaconRound, signature: Uint8Array): boolean {
  const { chained } = schemes[chain.scheme];
  const key = Buffer.from(chain.publicKey, 'hex');
  const number = Buffer.alloc(8);
  number.writeBigUInt64BE(BigInt(round.round));
  try {
    if (!chained) {
      const { shortSignatures } = bls12_381;
      const message = createHash('sha256').update(number).digest();
      return shortSignatures.verify(signature, shortSignatures.hash(message), key);
    }
    const { longSignatures } = bls12_381;
    const previous = Buffer.from(round.previous_signature ?? '', 'hex');
    const message = createHash('sha256').update(previous).update(number).digest();
    return longSignatures.verify(signature, longSignatures.hash(message), key);
  } catch {
    return false;
  }
}

function beaconInvalid(reason: string): TouchmarkError {
  return new TouchmarkError('EVIDENCE_INVALID', `The beacon's round ${reason}.`, {
    hint: "Take the round from a relay or archive of the chain, such as api.drand.sh's.",
  });
}
