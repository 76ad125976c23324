import type { LoggedAnswer } from '../contracts.ts';
import type { SealedKind } from './chain.ts';

/**
 * What a gateway needs of a store that logs its answers; `ServingLog` is the one in files. Another
 * store, such as a database that several gateways share, has to promise the same:
 *
 * - Sequences count up over all tenants and gateways, without a gap, in the order in which answers
 *   were appended; the records of one `append` stand together.
 * - Each entry commits to its payload under a salt and links to the entry before it, as `linkEntry`
 *   does, so that checkpoints, proofs and dossiers stay what they are.
 * - A tenant's payloads open with a key of the tenant's own that `log erase` can destroy.
 */
export interface AnswerLog {
  /**
   * Resolves to the sequences once the answers outlive this process; they outlive a power cut after
   * the bound that the store states, or once `sync` resolves.
   *
   * @throws TouchmarkError STORE_BUSY when too much waits to be written, STORE_FULL when there is no
   *   room: nothing was appended, and appending may be tried again
   */
  append(answers: readonly LoggedAnswer[]): Promise<readonly number[]>;
  /** Resolves once the log has a digest, before all that is appended later; again changes nothing. */
  seal(what: SealedKind, digest: string): Promise<void>;
  /** Resolves when everything acknowledged so far survives a power cut. */
  sync(): Promise<void>;
  /** Writes what is waiting, makes it durable, and lets others write. */
  close(): Promise<void>;
}
