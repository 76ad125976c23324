import { type KeyObject, randomBytes } from 'node:crypto';
import type { LoggedAnswer } from '../contracts.ts';
import type { RandomSource } from './payload-keys.ts';

/** Settings of a serving log; all have defaults. */
export interface ServingLogOptions {
  /** Entries are never earlier than the one before, even when this clock jumps backwards. */
  readonly clock?: () => Date;
  readonly random?: RandomSource;
  /** The Ed25519 private key that signs checkpoints; without it they are not signed. */
  readonly signingKey?: KeyObject;
  /** Entries between Merkle checkpoints. */
  readonly checkpointEvery?: number;
  /** Entries after which a new segment is begun; one is begun with each day (UTC) too. */
  readonly segmentRecords?: number;
  /** Bytes of payloads after which a new segment is begun. */
  readonly segmentBytes?: number;
  /** Longest time, but for that of the writing itself, before written records survive a power cut. */
  readonly fsyncMilliseconds?: number;
  /** Answers that may wait to be written; further ones are refused. */
  readonly maxWaiting?: number;
  /**
   * Days (24 hours) after which payloads expire, by segment: when its last entry is older. Without it
   * they are kept.
   */
  readonly retentionDays?: number;
  /**
   * Decides whether an answer's payload is kept, or only a commitment to it. It must depend on the
   * question and its epoch alone: whether the same question was asked before is part of the evidence.
   */
  readonly keeps?: (answer: LoggedAnswer) => boolean;
}

/** The same, with every default filled in. */
export type ServingLogSettings = Required<Omit<ServingLogOptions, 'signingKey' | 'retentionDays'>> &
  Pick<ServingLogOptions, 'signingKey' | 'retentionDays'>;

/** What holds for whatever is left out. */
export const defaults = {
  clock: () => new Date(),
  random: randomBytes,
  checkpointEvery: 1024,
  segmentRecords: 10_000,
  segmentBytes: 64 * 2 ** 20,
  fsyncMilliseconds: 100,
  maxWaiting: 8192,
  keeps: () => true,
} as const satisfies ServingLogOptions;
