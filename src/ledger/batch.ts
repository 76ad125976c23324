import { createHmac } from 'node:crypto';
import {
  type ChainEntry,
  type ChainHead,
  type ChainNote,
  commitToPayload,
  headAfter,
  linkEntry,
} from './chain.ts';
import { nonceBytes, saltBytes, sealedPayloadLine, sealPayload } from './payload.ts';
import type { PayloadKey } from './payload-keys.ts';

type Untimed<Note> = Note extends ChainNote ? Omit<Note, 'at'> : never;
/** What an entry says, before it has a time. */
export type UntimedNote = Untimed<ChainNote>;

/** An answer as the log will commit to it, and whether it will keep it. */
export interface EncodedAnswer {
  readonly key: PayloadKey;
  readonly payload: Buffer;
  readonly kept: boolean;
}

/** Bytes of the salt and the nonce of one answer. */
export const randomBytesPerAnswer = saltBytes + nonceBytes;

/** Entries and payloads that are linked to a chain, and become part of it when they are written. */
export class Batch {
  readonly entries: ChainEntry[] = [];
  readonly #at: string;
  readonly #random: Uint8Array;
  #drawn = 0;
  #head: ChainHead;
  #chain = '';
  #payloads = '';

  /**
   * @param at the time of every entry, ISO 8601 in UTC
   * @param random `randomBytesPerAnswer` for each answer that will be added
   */
  constructor(head: ChainHead, at: string, random: Uint8Array) {
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
    return this.#link({ ...note, at: this.#at });
  }

  #link(note: ChainNote): number {
    const { entry, line } = linkEntry(this.#head, note);
    this.entries.push(entry);
    this.#chain += `${line}\n`;
    this.#head = headAfter(entry);
    return entry.sequence;
  }

  /** Adds answers, and returns their sequences. */
  answers(answers: readonly EncodedAnswer[]): readonly number[] {
    return answers.map(({ key, payload, kept }) => {
      if (!kept) return this.#withhold(key, payload);
      const [salt, nonce] = [this.#draw(saltBytes), this.#draw(nonceBytes)];
      const commitment = commitToPayload(salt, payload);
      const sequence = this.#link({ kind: 'served', at: this.#at, tenantTag: key.tag, commitment });
      const sealed = sealPayload({
        key: key.key,
        tenant: key.tenant,
        sequence,
        nonce,
        salt,
        payload,
      });
      this.#payloads += `${sealedPayloadLine(sealed)}\n`;
      return sequence;
    });
  }

  #draw(bytes: number): Uint8Array {
    this.#drawn += bytes;
    return this.#random.subarray(this.#drawn - bytes, this.#drawn);
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
export function withheldSalt({ saltKey }: PayloadKey, sequence: number): Buffer {
  return createHmac('sha256', saltKey).update(`${sequence}`).digest().subarray(0, saltBytes);
}
