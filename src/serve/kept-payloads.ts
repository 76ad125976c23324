import { createHmac } from 'node:crypto';
import type { LoggedAnswer } from '../contracts.ts';
import { canonicalBytes } from '../keys/canonical-input.ts';
import { derivePurposeKey } from '../keys/derivation.ts';
import { lengthPrefixed } from '../keys/encoding.ts';
import type { EpochKeys } from './marking-ground.ts';
import { RecentlyUsed } from './recently-used.ts';

/**
 * How much the log keeps of questions and answers: everything; the questions that a coin answered and a
 * sample of the others; or nothing but commitments to them.
 */
export type LogMode = 'all' | 'eligible' | 'commitments';

export interface KeptPayloadsOptions {
  readonly mode: LogMode;
  /** Share of the other questions that `eligible` keeps, 0 to 1. */
  readonly sampleShare: number;
  /** Asked at every answer, so that keys may be read again. */
  readonly keys: () => EpochKeys;
}

const keysKept = 10_000;

/**
 * Returns what decides whether an answer's payload is kept.
 *
 * The sample is keyed: a question is in it when HMAC-SHA256 of its canonical bytes, under a key drawn from
 * the one that deals trap lots, is below the share. So it is fixed by the epoch's commitment before the
 * first question, no tenant can tell or choose what is kept, the same question is always kept or never,
 * and the marks' keys have no part in it: what is kept is an independent thinning of what was served,
 * under which the tests on logged questions stay exact.
 */
export function keptPayloads(options: KeptPayloadsOptions): (answer: LoggedAnswer) => boolean {
  const { mode, sampleShare, keys } = options;
  if (mode === 'all') return () => true;
  if (mode === 'commitments') return () => false;
  const sampleKeys = new RecentlyUsed<Buffer>(keysKept);
  return (answer) => {
    if ('input' in answer && answer.marks.coin !== undefined) return true;
    const { tenant, epoch } = answer;
    const key = sampleKeys.get(`${tenant} ${epoch}`, () =>
      sampleKeyOf(keys().epochKey(tenant, epoch)),
    );
    const question = 'input' in answer ? canonicalBytes(answer.input) : answer.request;
    return (
      createHmac('sha256', key).update(question).digest().readUInt32LE(0) < sampleShare * 2 ** 32
    );
  };
}

/** No purpose of its own: the commitments of epochs cover a fixed list of purposes. */
function sampleKeyOf(epochKey: Uint8Array): Buffer {
  return createHmac('sha256', derivePurposeKey(epochKey, 'trap-lots'))
    .update(lengthPrefixed('touchmark/v1/log-sample'))
    .digest();
}
