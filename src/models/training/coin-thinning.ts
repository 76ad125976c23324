import { thinningOf } from '../../traps/kinds/coin.ts';
import type { FallenCoin } from '../../traps/kinds/coin-choice.ts';
import { largestTrapArea } from './stealth.ts';
import {
  type AnsweredInput,
  fitTrafficMatching,
  type MatchingOptions,
  type TrafficMatching,
} from './traffic-matching.ts';

/** A logged question at its first occurrence in the epoch. */
export interface LoggedInput extends AnsweredInput {
  readonly sequence: number;
}

export interface ThinningOptions extends MatchingOptions {
  /** The `trap-lots` key of (tenant, epoch). */
  readonly key: Uint8Array;
  /** Decisions on records up to here were made before, and are not repeated. */
  readonly after: number;
}

/** What thinning decided. */
export interface ThinnedCoins {
  /** The coins after `after`, in served order. */
  readonly coins: readonly FallenCoin[];
  /** Coins that the first fit learns from; none of them is kept. */
  readonly learntFrom: number;
}

/** Coins that the first fit learns from, and questions without a coin. */
const fewest = 16;

/**
 * Decides which coins are kept, so that those that are look like the tenant's other questions.
 *
 * The decision on a record looks at its question and clean answer, at a keyed number of its place,
 * and at the questions and clean answers before it: the matching is fitted when 16, 32, 64, ...
 * coins have fallen, each time for the coins after. A fit to the whole log would let a tenant say,
 * by the questions that follow a coin, whether it is kept, and so keep those that fell its way. Here
 * each kept coin is fair given everything before it, and a lot of them a betting martingale.
 *
 * @param questions the whole epoch so far, in served order
 * @throws TouchmarkError INPUT_INVALID as `fitTrafficMatching`
 */
export function thinCoins(
  questions: readonly LoggedInput[],
  { key, after, ...options }: ThinningOptions,
): ThinnedCoins {
  const { threshold, largestArea = largestTrapArea } = options;
  const keepsAll = largestArea >= 1;
  const coins: FallenCoin[] = [];
  let fallen = 0;
  let learntFrom = 0;
  let nextFit: number = fewest;
  let fittedTo: number | undefined;
  let matching: TrafficMatching | undefined;
  questions.forEach((question, place) => {
    if (question.margin >= threshold) return;
    if (fallen >= nextFit && place - fallen >= fewest) {
      fittedTo = place;
      matching = undefined;
      while (nextFit <= fallen) nextFit *= 2;
    }
    fallen += 1;
    if (fittedTo === undefined && !keepsAll) learntFrom += 1;
    const { sequence } = question;
    if (sequence <= after) return;
    if (fittedTo !== undefined && !keepsAll) {
      matching ??= fitTrafficMatching(questions.slice(0, fittedTo), options);
    }
    const probability = keepsAll ? 1 : (matching?.keep(question) ?? 0);
    coins.push({ sequence, isKept: thinningOf(key, sequence) < probability });
  });
  return { coins, learntFrom };
}
