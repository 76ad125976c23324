import type { Input } from '../contracts.ts';
import type { KeyedBits } from '../keys/coin-tree.ts';
import { coinBettingLog10E } from '../stats/coin-betting.ts';
import { log10WeightedMean } from '../stats/merging.ts';
import { log10BinomialUpperTail } from '../stats/tails/binomial.ts';
import { tossCoin } from '../watermark/label/coins.ts';

/** A question that nobody had asked our service before the plan was sealed. */
export interface UnaskedQuestion {
  readonly input: Input;
  /** The protected model's distribution. */
  readonly clean: ArrayLike<number>;
  /** The suspect's label; undefined where it gave none. */
  readonly label: string | undefined;
}

/** How far a suspect's answers follow coins that only an answer of our service can tell. */
export interface RelayCoins {
  /** Answers that are one of a coin's two labels. */
  readonly asked: number;
  /** How many of them the key tells that tells most. */
  readonly agreeing: number;
  /** Keys that were in use while the suspect was asked: one for each tenant and epoch. */
  readonly keys: number;
  readonly log10E: number;
}

/**
 * Holds a suspect's answers against the coins of every key in use, on questions nobody had asked.
 *
 * Null hypothesis: the suspect saw no answer of our service to these questions. Then no coin of any
 * key has been told, each is fair given all the suspect's answers, and the mean over the keys of
 * their e-values has a mean of at most 1, whatever the suspect has learned from other answers. It is
 * looked at once.
 */
export function relayCoins(
  questions: readonly UnaskedQuestion[],
  keys: readonly KeyedBits[],
  profile: { readonly labels: readonly string[]; readonly marginThreshold: number },
): RelayCoins {
  const counts = keys.map((key) => coinHits(questions, key, profile));
  const asked = counts[0]?.trials ?? 0;
  const agreeing = counts.reduce((most, { hits }) => Math.max(most, hits), 0);
  if (asked === 0) return { asked, agreeing, keys: keys.length, log10E: 0 };
  const log10Es = counts.map(({ hits, trials }) => coinBettingLog10E(hits, trials));
  const log10E = log10WeightedMean(
    log10Es,
    keys.map(() => 1 / keys.length),
  );
  return { asked, agreeing, keys: keys.length, log10E };
}

function coinHits(
  questions: readonly UnaskedQuestion[],
  key: KeyedBits,
  { labels, marginThreshold }: Parameters<typeof relayCoins>[2],
): { readonly hits: number; readonly trials: number } {
  let [hits, trials] = [0, 0];
  for (const { input, clean, label } of questions) {
    const coin = tossCoin(key, input, clean, marginThreshold);
    if (coin === undefined) continue;
    const second = label === labels[coin.second];
    if (!second && label !== labels[coin.top]) continue;
    trials += 1;
    if (second === (coin.outcome === 1)) hits += 1;
  }
  return { hits, trials };
}

/** A question that the suspect answered. */
export interface AskedMoment {
  /** Of the canonical input. */
  readonly digest: string;
  /** Milliseconds since 1970, as all moments here: when the answer was recorded. */
  readonly answeredAt: number;
}

/** An answer of our service to one of those questions. */
export interface ServedMoment {
  readonly digest: string;
  readonly tenant: string;
  readonly servedAt: number;
}

export interface RelayTimes {
  /** When the serving log begins. */
  readonly logSince: number;
  readonly sealedAt: number;
  /** The longest that one request to the suspect may take. */
  readonly windowMilliseconds: number;
}

/** What our serving log holds of the questions that a suspect was asked. */
export interface RelaySightings {
  /** Questions the suspect answered that nobody had asked us before the plan was sealed. */
  readonly probes: number;
  /** Those that came to us while the suspect was asked. */
  readonly found: number;
  /** Of these, how many the audited tenant asked, and how many tenants asked any. */
  readonly ofAuditedTenant: number;
  readonly tenants: number;
  /** Of these, how many came within the window before the suspect's own answer. */
  readonly inWindow: number;
  /** Questions of this audit that came for the first time in a time as long before the plan. */
  readonly earlier: number;
  /** Share of both times that the asking took. */
  readonly share: number;
  /** Of `found` among `found + earlier`, by `share`. */
  readonly log10P: number;
}

/** What two clocks may differ by. */
const clockSlack = 2000;

/**
 * Compares how many questions of an audit came to our own service while the suspect was asked with
 * how many came in a time as long before the plan was sealed, or since the log began.
 *
 * Null hypothesis: they come to us on their own, first askings being no more frequent during the
 * audit than before; then `found` is at most Binomial(found + earlier, share).
 */
export function relaySightings(
  asked: readonly AskedMoment[],
  served: readonly ServedMoment[],
  tenant: string,
  { logSince, sealedAt, windowMilliseconds }: RelayTimes,
): RelaySightings {
  const answeredAt = new Map(asked.map((each) => [each.digest, each.answeredAt]));
  const last =
    [...answeredAt.values()].reduce((latest, at) => Math.max(latest, at), sealedAt) + clockSlack;
  const length = last - sealedAt;
  const before = Math.max(0, Math.min(length, sealedAt - logSince));
  const first = firstServed(served.filter(({ digest }) => answeredAt.has(digest)));
  const known = [...first.values()].filter((at) => at < sealedAt);
  const sightings = served.filter(({ digest, servedAt }) => {
    const at = first.get(digest);
    return at !== undefined && at >= sealedAt && servedAt <= last;
  });
  const distinct = (those: readonly ServedMoment[]) =>
    new Set(those.map(({ digest }) => digest)).size;
  const found = distinct(sightings);
  const earlier = known.filter((at) => at >= sealedAt - before).length;
  const share = length / (length + before);
  return {
    probes: answeredAt.size - known.length,
    found,
    ofAuditedTenant: distinct(sightings.filter((each) => each.tenant === tenant)),
    tenants: new Set(sightings.map((each) => each.tenant)).size,
    inWindow: distinct(
      sightings.filter(({ digest, servedAt }) => {
        const ahead = answeredAt.get(digest)! - servedAt;
        return ahead <= windowMilliseconds + clockSlack && ahead >= -clockSlack;
      }),
    ),
    earlier,
    share,
    log10P: log10BinomialUpperTail(found, found + earlier, share),
  };
}

/** When each question was first answered by our service, by its digest. */
export function firstServed(served: readonly ServedMoment[]): ReadonlyMap<string, number> {
  const first = new Map<string, number>();
  for (const { digest, servedAt } of served) {
    first.set(digest, Math.min(servedAt, first.get(digest) ?? servedAt));
  }
  return first;
}

/** The most that either sign of a relay may come up by chance; the check as a whole twice that. */
export const relayLevel = 0.005;
const bar = -Math.log10(relayLevel);

export type RelayFinding = 'no-sign' | 'relay-likely' | 'not-testable';

/** What a relay check comes to. */
export interface RelayJudgement {
  readonly finding: RelayFinding;
  /** Which of its signs would show a relay that forwards every question. */
  readonly able: { readonly coins: boolean; readonly log: boolean };
  /** Which of them do. */
  readonly shown: { readonly coins: boolean; readonly log: boolean };
}

/**
 * Decides a relay check. `relay-likely`: coins or sightings speak for one at a level of .005 each.
 * `not-testable`: they do not, and the audited epoch is still in use, or a relay that forwards every
 * question would show in neither. Anything else is `no-sign`.
 */
export function judgeRelay(
  epochClosed: boolean,
  coins: RelayCoins,
  { probes, earlier, share, log10P }: RelaySightings,
): RelayJudgement {
  const shown = { coins: coins.log10E >= bar, log: log10P <= -bar };
  const best = coins.keys === 0 ? 0 : coinBettingLog10E(coins.asked, coins.asked);
  const able = {
    coins: best - Math.log10(Math.max(1, coins.keys)) >= bar,
    log: log10BinomialUpperTail(probes, probes + earlier, share) <= -bar,
  };
  if (shown.coins || shown.log) return { finding: 'relay-likely', able, shown };
  const testable = epochClosed && (able.coins || able.log);
  return { finding: testable ? 'no-sign' : 'not-testable', able, shown };
}
