import { loggedProbe } from '../../src/audit/material.ts';
import { labelCoins } from '../../src/audit/tests/label-coins.ts';
import { LearnedGains } from '../../src/audit/tests/learned-gains.ts';
import type { Answer, ServedRecord } from '../../src/contracts.ts';
import { inputDigest } from '../../src/keys/canonical-input.ts';
import { classifierKeys } from '../../src/keys/classifier-keys.ts';
import { CoinBetting } from '../../src/stats/coin-betting.ts';
import { log10WeightedMean } from '../../src/stats/merging.ts';
import { SignBetting } from '../../src/stats/sign-betting.ts';
import type { ClassifierProfile } from '../../src/watermark/classifier-profile.ts';
import { margin } from '../../src/watermark/label/coins.ts';
import {
  type AlignedAnswer,
  type Alignment,
  fitAlignment,
  readingLogs,
  residual,
} from '../../src/watermark/probability/alignment.ts';
import { perQueryDirection, perQueryScore } from '../../src/watermark/probability/per-query.ts';

/** As the test `probability-per-query` fits its alignment, where there are no fresh probes. */
const firstRefit = 250;

/** Some consecutive questions of a serving log, each asked once, and a suspect's answers to them. */
export interface AnsweredLog {
  readonly profile: ClassifierProfile;
  readonly records: readonly ServedRecord[];
  readonly answers: readonly Answer[];
}

/** The bans of both keyed tests after some numbers of questions. */
export interface KeyedBans {
  readonly coins: readonly number[];
  /** Absent for a suspect that gives labels only. */
  readonly perQuery?: readonly number[];
}

/**
 * Prepares the reading of one suspect's answers under many keys: what does not depend on the key, such
 * as the alignment, is computed once for all of them.
 *
 * @param sizes ascending numbers of questions; of a log that ends before, all of it is read
 * @returns what the tests `label-coins` and `probability-per-query` say under an epoch key
 */
export function keyedReader(
  log: AnsweredLog,
  sizes: readonly number[],
): (epochKey: Uint8Array) => KeyedBans {
  const { profile, records } = log;
  const due = [...records.keys()].filter(
    (place) => margin(records[place]!.clean) < profile.marginThreshold,
  );
  const bets = betsOf(log);
  return (epochKey) => {
    const coins = coinBans(log, due, sizes, epochKey);
    return bets ? { coins, perQuery: perQueryBans(profile, bets, sizes, epochKey) } : { coins };
  };
}

function coinBans(
  { profile, records, answers }: AnsweredLog,
  due: readonly number[],
  sizes: readonly number[],
  epochKey: Uint8Array,
): number[] {
  const coins = due.map((place) => ({
    record: records[place]!,
    probe: loggedProbe(records[place]!),
  }));
  const run = labelCoins.start({
    ...{ profile, keys: classifierKeys(epochKey), epochCommitment: 'sha256:' },
    ...{ logged: [], fresh: [], coins, regionLots: [] },
    ...{ questionsNotChosenFromAnswers: true, referencesExchangeable: true },
  });
  let folded = 0;
  return sizes.map((size) => {
    while (folded < due.length && due[folded]! < size) {
      run.fold([{ probe: coins[folded]!.probe, answer: answers[due[folded]!]! }]);
      folded += 1;
    }
    return run.evidence().log10E;
  });
}

/** What a bet on one question needs, apart from the key. */
interface Bet {
  readonly place: number;
  readonly digest: Buffer;
  readonly clean: readonly number[];
  readonly confidence: number;
  /** What the alignment on earlier answers leaves. */
  readonly residual: Float64Array;
}

function betsOf({ records, answers }: AnsweredLog): Bet[] | undefined {
  const past: AlignedAnswer[] = [];
  const bets: Bet[] = [];
  let alignment: Alignment | undefined;
  let refitAt = firstRefit;
  for (const [place, { clean, input }] of records.entries()) {
    const suspect = answers[place]!.probabilities;
    if (!suspect?.some((p) => p > 0)) continue;
    if (past.length === refitAt) {
      alignment = fitAlignment(past);
      refitAt *= 2;
    }
    const answer = { suspect, baselines: [readingLogs(clean)] };
    past.push(answer);
    if (alignment === undefined) continue;
    const confidence = Math.max(...clean);
    const [digest, rest] = [inputDigest(input), residual(answer, alignment)];
    bets.push({ place, digest, clean, confidence, residual: rest });
  }
  return past.length > 0 ? bets : undefined;
}

/** As `probability-per-query` bets; test/scripts/fingerprint-power holds it against that test. */
function perQueryBans(
  { labels }: ClassifierProfile,
  bets: readonly Bet[],
  sizes: readonly number[],
  epochKey: Uint8Array,
): number[] {
  const { perQuery, directionKey } = classifierKeys(epochKey);
  const direction = perQueryDirection(directionKey, labels.length);
  const [betting, agreement, gains] = [new SignBetting(1), new CoinBetting(), new LearnedGains()];
  let next = 0;
  return sizes.map((size) => {
    for (; next < bets.length && bets[next]!.place < size; next += 1) {
      const { digest, clean, confidence, residual: rest } = bets[next]!;
      const score = perQueryScore(rest, clean, direction);
      const sign = perQuery.bit(digest) === 1 ? 1 : -1;
      betting.fold(sign, gains.gain(confidence) * score);
      gains.learn(confidence, score, sign);
      if (score !== 0) agreement.fold(sign * score > 0);
    }
    return log10WeightedMean([betting.log10E, agreement.log10E], [0.5, 0.5]);
  });
}
