import { createHash } from 'node:crypto';
import { bls12_381 } from '@noble/curves/bls12-381.js';
import { z } from 'zod';
import { TouchmarkError } from '../errors.ts';

/** The League of Entropy's public chains, as their `/info` describes them (drand.love). */
export const beaconChains = {
  /** Scheme pedersen-bls-chained: signatures in G2 over the one before and the round. */
  default: {
    hash: '8990e7a9aaed2ffed73dbd7092123d6f289930540d7651336225dc172e51b2ce',
    publicKey:
      '868f005eb8e6e4ca0a47c8a77ceaa5309a47978a7c71bc5cce96366b5d7a569937c529eeda66c7293784a9402801af31',
    genesisSeconds: 1_595_431_050,
    periodSeconds: 30,
    signatureBytes: 96,
    chained: true,
  },
  /** Scheme bls-unchained-g1-rfc9380: signatures in G1 over the round. */
  quicknet: {
    hash: '52db9ba70e0cc0f6eaf7803dd07447a1f5477735fd3f661792ba94600c84e971',
    publicKey:
      '83cf0f2896adee7eb8b5f01fcad3912212c437e0073e911fb90022d3e760183c8c4b450b6a0a6c3ac6a5776a2d1064510d1fec758c921cc22b0e17e63aaf4bcb5ed66304de9cf809bd274ca73bab4af5a6e9c76a4bc09e76eae8991ef5ece45a',
    genesisSeconds: 1_692_803_367,
    periodSeconds: 3,
    signatureBytes: 48,
    chained: false,
  },
} as const;
export type BeaconChain = keyof typeof beaconChains;

const hexadecimal = z
  .string()
  .max(192)
  .regex(/^([0-9a-f]{2})+$/);
const roundSchema = z.object({
  round: z.int().positive(),
  signature: hexadecimal,
  randomness: hexadecimal.optional(),
  previous_signature: hexadecimal.optional(),
});

/** One round of a drand chain, as its API and its archives write it. */
export type BeaconRound = Readonly<z.infer<typeof roundSchema>>;

/**
 * Returns a round from parsed JSON, without what else stood there.
 *
 * @throws TouchmarkError EVIDENCE_INVALID when it is none
 */
export function parseRound(value: unknown): BeaconRound {
  const { data } = roundSchema.safeParse(value);
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
  const { signatureBytes } = beaconChains[chain];
  const signature = Buffer.from(round.signature, 'hex');
  if (signature.length !== signatureBytes || !isSigned(chain, round, signature)) {
    throw beaconInvalid(`${round.round} does not have the signature of the chain ${chain}`);
  }
  const randomness = createHash('sha256').update(signature).digest();
  if ((round.randomness ?? randomness.toString('hex')) === randomness.toString('hex')) {
    return Uint8Array.from(randomness);
  }
  throw beaconInvalid(`${round.round} states another randomness than that of its signature`);
}

/** Returns when a round is published, in milliseconds since 1970. */
export function timeOf(chain: BeaconChain, round: number): number {
  const { genesisSeconds, periodSeconds } = beaconChains[chain];
  return 1000 * (genesisSeconds + (round - 1) * periodSeconds);
}

/**
 * Returns the newest round that was published at a time, 0 before the first.
 *
 * @param time in milliseconds since 1970
 */
export function roundAt(chain: BeaconChain, time: number): number {
  const { periodSeconds } = beaconChains[chain];
  return Math.max(0, 1 + Math.floor((time - timeOf(chain, 1)) / (1000 * periodSeconds)));
}

/** Returns the first round that is published after a time, never at it. */
export function firstRoundAfter(chain: BeaconChain, time: number): number {
  return roundAt(chain, time) + 1;
}

function isSigned(chain: BeaconChain, round: BeaconRound, signature: Uint8Array): boolean {
  const { publicKey, chained } = beaconChains[chain];
  const key = Buffer.from(publicKey, 'hex');
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
