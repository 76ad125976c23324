import type { Progress, ServedRecord } from '../../contracts.ts';
import type { KeyedBits } from '../../keys/coin-tree.ts';
import { simulateCoinSurrogates } from '../../models/training/coin-surrogates.ts';
import { expectedCoinBans } from '../../stats/coin-betting.ts';
import type { CoinTrapSet } from '../../traps/kinds/coin.ts';
import type { ClassifierProfile } from '../../watermark/classifier-profile.ts';
import { type Coin, tossCoin } from '../../watermark/label/coins.ts';

/** What a thief could learn from is cut to its last records, so that three students take seconds. */
const most = 5000;
const fewest = { records: 200, coins: 10 } as const;

export interface ExpectedBansOptions {
  readonly profile: ClassifierProfile;
  /** The coins of (tenant, epoch). */
  readonly coins: KeyedBits;
  /** First occurrences in the epoch so far, in served order. */
  readonly records: readonly ServedRecord[];
  /** How many coins each lot has. */
  readonly lotSizes: readonly number[];
  readonly signal: AbortSignal;
  readonly progress: Progress;
}

/**
 * Returns the bans that one lot is expected to give on a surrogate: the mean, over simulated
 * surrogates and lots, of the coin e-process over the lot's coins, when each coin is repeated with
 * the surrogate's share. Surrogates learn from the last 5,000 questions and the answers served.
 */
export async function expectedBans(options: ExpectedBansOptions): Promise<CoinTrapSet['expected']> {
  const { profile, coins, lotSizes, signal, progress } = options;
  const answers = options.records.slice(-most).map(({ input, served, label, clean }) => ({
    input,
    served,
    label,
    coin: tossCoin(coins, input, clean, profile.marginThreshold) as Coin | undefined,
  }));
  const fallen = answers.filter(({ coin }) => coin !== undefined).length;
  if (answers.length < fewest.records || fallen < fewest.coins) {
    return {
      bansPerLot: 0,
      surrogates: 0,
      measuredOn: `nothing: ${answers.length} questions and ${fallen} coins are too few to train surrogates (${fewest.records} and ${fewest.coins} at least)`,
    };
  }
  const surrogates = await simulateCoinSurrogates(profile, answers, (stage, done, total) => {
    signal.throwIfAborted();
    progress(stage, done, total);
  });
  const bans = surrogates.flatMap(({ insideShare, repeatedShare }) =>
    lotSizes.map((size) => expectedCoinBans(Math.round(size * insideShare), repeatedShare)),
  );
  const shares = surrogates.map(
    ({ name, repeatedShare }) => `${name} (repeats ${(100 * repeatedShare).toFixed(0)}%)`,
  );
  return {
    bansPerLot: bans.reduce((sum, each) => sum + each, 0) / bans.length,
    surrogates: surrogates.length,
    measuredOn: `students of the last ${answers.length} questions and served answers, ${fallen} of them coins: ${shares.join(', ')}`,
  };
}
