import { createHmac } from 'node:crypto';
import type { LoggedAnswer } from '../contracts.ts';
import { lengthPrefixed } from '../keys/encoding.ts';
import {
  type ChainEntry,
  type ChainHead,
  type ChainNote,
  commitToPayload,
  headAfter,
  linkEntry,
} from './chain.ts';
import { nonceBytes, saltBytes, sealedPayloadLine, sealPayload } from './payload.ts';
import type { PayloadKey, RandomSource } from './payload-keys.ts';
import { encodeAnswer } from './text-payload.ts';

type Untimed<Note> = Note extends ChainNote ? Omit<Note, 'at'> : never;
/** What an entry says, before it has a time. */
export type UntimedNote = Untimed<ChainNote>;

/** An answer as the log will commit to it, and whether it will keep it. */
export interface EncodedAnswer {
  readonly tenant: string;
  readonly payload: Buffer;
  readonly kept: boolean;
}

/** Returns the bytes of an answer, so that later changes to it are none of the log's. */
export function prepareAnswer(answer: LoggedAnswer, kept: boolean): EncodedAnswer {
  return { tenant: answer.tenant, payload: encodeAnswer(answer), kept };
}

/** Entries and payloads that are linked to a chain, and become part of it when they are written. */
export class Batch {
  readonly entries: ChainEntry[] = [];
  readonly #at: string;
  readonly #random: RandomSource;
  #head: ChainHead;
  #chain = '';
  #payloads = '';

  /** @param at the time of every entry, ISO 8601 in UTC */
  constructor(head: ChainHead, at: string, random: RandomSource) {
    this.#head = head;
    this.#at = at;
    this.#random = random;
  }

  /** The head of the chain once the batch is part of it. */
  get head(): ChainHead {
    return this.#head;
  }

  /** Lines for the chain. */
  get chain(): string {
    return this.#chain;
  }

  /** Lines for the payload file. */
  get payloads(): string {
    return this.#payloads;
  }

  /** Adds an entry, and returns its sequence. */
  note(note: UntimedNote): number {
    const { entry, line } = linkEntry(this.#head, { ...note, at: this.#at });
    this.entries.push(entry);
    this.#chain += `${line}\n`;
    this.#head = headAfter(entry);
    return entry.sequence;
  }

  /** Adds answers, and returns their sequences. */
  answers(
    answers: readonly EncodedAnswer[],
    keys: ReadonlyMap<string, PayloadKey>,
  ): readonly number[] {
    const width = saltBytes + nonceBytes;
    const random = this.#random(width * answers.length);
    return answers.map(({ tenant, payload, kept }, index) => {
      const key = keys.get(tenant)!;
      if (!kept) return this.#withhold(key, payload);
      const salt = random.subarray(index * width, index * width + saltBytes);
      const nonce = random.subarray(index * width + saltBytes, (index + 1) * width);
      const commitment = commitToPayload(salt, payload);
      const sequence = this.note({ kind: 'served', tenantTag: key.tag, commitment });
      const sealed = sealPayload({ key: key.key, tenant, sequence, nonce, salt, payload });
      this.#payloads += `${sealedPayloadLine(sealed)}\n`;
      return sequence;
    });
  }

  #withhold(key: PayloadKey, payload: Buffer): number {
    const commitment = commitToPayload(withheldSalt(key, this.#head.size), payload);
    return this.note({ kind: 'withheld', tenantTag: key.tag, commitment });
  }
}

/**
 * Returns the salt under which the chain commits to an answer that was not kept. It follows from the
 * tenant's payload key, so that whoever has the key and still has the answer's bytes from elsewhere
 * can open the commitment; once the key is erased nobody can.
 */
export function withheldSalt({ key }: PayloadKey, sequence: number): Buffer {
  return createHmac('sha256', key)
    .update(lengthPrefixed('touchmark/v1/withheld-salt', `${sequence}`))
    .digest()
    .subarray(0, saltBytes);
}
