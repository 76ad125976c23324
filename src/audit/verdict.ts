export type Verdict = 'match' | 'no-match-found' | 'inconclusive';
export type Tier = 'none' | 'notify' | 'restrict' | 'escalate';

/** The probability of finding a surrogate of the listed kinds, from rehearsals before the audit. */
export interface Power {
  /** Lower confidence bound in [0, 1]. */
  readonly lower: number;
  readonly statement: string;
}

/** Bans that each step of the response policy takes. */
export type TierThresholds = Readonly<Record<Exclude<Tier, 'none'>, number>>;

const defaultThresholds: TierThresholds = { notify: 2, restrict: 4, escalate: 6 };

/**
 * Decides an audit. `match`: the keyed score after multiplicity reaches the sealed threshold.
 * `no-match-found`: it does not, every probe was put, and rehearsed power is at least .95.
 * Anything else is `inconclusive`; no verdict says that a suspect is innocent.
 */
export function decide(
  score: number,
  threshold: number,
  complete: boolean,
  power: Power | undefined,
): Verdict {
  if (score >= threshold) return 'match';
  return complete && power !== undefined && power.lower >= 0.95 ? 'no-match-found' : 'inconclusive';
}

/**
 * The step of the response policy that an audit reaches, after multiplicity: any evidence may
 * notify, keyed evidence alone restricts and escalates. What may well be a relay of our own service is
 * never escalated: it agrees without having learned anything.
 *
 * @param mayBeRelay the relay check found signs, or the audited epoch is still in use
 */
export function tierOf(
  score: number,
  keyed: number,
  thresholds: TierThresholds = defaultThresholds,
  mayBeRelay = false,
): Tier {
  const reached = (['escalate', 'restrict', 'notify'] as const).find(
    (tier) =>
      (tier === 'notify' ? score : keyed) >= thresholds[tier] &&
      !(mayBeRelay && tier === 'escalate'),
  );
  return reached ?? 'none';
}
