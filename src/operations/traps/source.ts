import type { Progress } from '../../contracts.ts';
import type { KeyRing } from '../../store/key-ring.ts';
import type { TrapStock, TrapTarget } from '../../traps/stock.ts';
import type { TrapSet } from '../../traps/trap-set.ts';
import type { Project } from '../project.ts';

/** How a builder of region traps finds questions. */
export const questionSources = ['pool', 'gradient', 'bisection'] as const;
export type QuestionSource = (typeof questionSources)[number];

/** What traps are wanted, and all that building them may look at. */
export interface TrapRequest {
  readonly project: Project;
  readonly keyRing: KeyRing;
  /** Of the same kind as the source. */
  readonly target: TrapTarget;
  /** How many traps, at least 1, are missing from the stock. */
  readonly wanted: number;
  /** Every set sealed so far, retired ones included, and the records shown without traps. */
  readonly stock: TrapStock;
  /** Where questions come from; undefined leaves it to the source. */
  readonly questions?: QuestionSource;
  readonly now: Date;
  readonly signal: AbortSignal;
  readonly progress: Progress;
}

/** What a source could build. */
export interface BuiltTraps {
  /** Sets that are not sealed yet; the caller seals them in this order. */
  readonly sets: readonly TrapSet[];
  /**
   * Why there are fewer traps than wanted and what the owner can do about it, as sentences; undefined
   * when there are enough.
   */
  readonly why: string | undefined;
}

/**
 * Builds traps of one kind. A source that has nothing to build from returns no sets and says why; one
 * that fails (an upstream is down, the log does not verify) throws, and rotation is tried again.
 *
 * Region traps must leave out questions that the serving log holds: rotation retires their lots.
 */
export interface TrapSource {
  readonly kind: TrapTarget['kind'];
  build(request: TrapRequest): Promise<BuiltTraps>;
}
