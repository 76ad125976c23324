/** Whether each of some models gives the protected model's label on each candidate: [models][candidates]. */
export type Agreement = readonly Uint8Array[];

/** What is known of candidates for region traps. */
export interface CandidateAgreement {
  /** Simulated surrogates by recipe; every recipe weighs alike. */
  readonly surrogates: readonly Agreement[];
  /** Groups of references that select: the two kinds at least, or finer ones. */
  readonly references: readonly Agreement[];
}

/** How well a candidate tells surrogates from references. */
export interface RatedCandidate {
  /** Index of the candidate. */
  readonly candidate: number;
  /** Mean over recipes of the share of surrogates that agree. */
  readonly surrogateRate: number;
  /** The largest share of agreeing references over the groups. */
  readonly referenceRate: number;
  /** Divergence of the two rates; above 0. */
  readonly divergence: number;
  /** What agreement adds to the statistic; above 0. */
  readonly weight: number;
}

/** One half of an agreement and of a disagreement are added to each share (Krichevsky and Trofimov 1981). */
const pseudoCount = 0.5;
/** Rates are taken for no closer to 0 and 1 than this where weights are computed. */
const closest = 0.05;

/**
 * Rates candidates, best first, by the chi-square divergence (p - q)^2 / (q (1 - q)) of two Bernoulli
 * rates (Pearson 1900): p is the mean over recipes of simulated surrogates' agreement with the
 * protected model, q the largest over groups of references. Candidates with p <= q are left out. The
 * weight is the log-likelihood ratio that an agreement has over a disagreement, logit p - logit q
 * (Neyman and Pearson 1933), with rates kept within .05 and .95, in thousandths.
 */
export function rateCandidates({ surrogates, references }: CandidateAgreement): RatedCandidate[] {
  const count = surrogates[0]?.[0]?.length ?? 0;
  const surrogateRates = surrogates.map((models) => ratesOf(models, count));
  const referenceRates = references.map((models) => ratesOf(models, count));
  const rated: RatedCandidate[] = [];
  for (let candidate = 0; candidate < count; candidate += 1) {
    const surrogateRate =
      surrogateRates.reduce((sum, rates) => sum + rates[candidate]!, 0) / surrogates.length;
    const referenceRate = referenceRates.reduce(
      (most, rates) => Math.max(most, rates[candidate]!),
      0,
    );
    const weight = Math.round(1000 * (logit(surrogateRate) - logit(referenceRate))) / 1000;
    if (weight <= 0) continue;
    const divergence = (surrogateRate - referenceRate) ** 2 / (referenceRate * (1 - referenceRate));
    rated.push({ candidate, surrogateRate, referenceRate, divergence, weight });
  }
  return rated.sort((left, right) => right.divergence - left.divergence);
}

/**
 * Chooses the best candidates so that their propensities spread like those of traffic: the range is
 * cut at the quantiles of traffic into `bins`, and each gives its equal part (propensity
 * stratification; Rosenbaum and Rubin 1984). A bin that has too few leaves the rest unchosen.
 *
 * @param rated best first
 * @param propensity of each rated candidate, in their order: how much it looks like a trap
 * @param traffic propensities of ordinary questions
 */
export function chooseAlikeTraffic(
  rated: readonly RatedCandidate[],
  propensity: readonly number[],
  traffic: readonly number[],
  { count, bins }: { readonly count: number; readonly bins: number },
): RatedCandidate[] {
  const sorted = [...traffic].sort((left, right) => left - right);
  const cuts = Array.from(
    { length: bins - 1 },
    (_, bin) => sorted[Math.floor(((bin + 1) * sorted.length) / bins)]!,
  );
  const room = Array.from(
    { length: bins },
    (_, bin) => Math.floor(((bin + 1) * count) / bins) - Math.floor((bin * count) / bins),
  );
  return rated.filter((_, index) => {
    const bin = cuts.filter((cut) => propensity[index]! >= cut).length;
    if (room[bin] === 0) return false;
    room[bin]! -= 1;
    return true;
  });
}

function ratesOf(models: Agreement, count: number): Float64Array {
  const rates = new Float64Array(count);
  for (const agrees of models) {
    for (let candidate = 0; candidate < count; candidate += 1)
      rates[candidate]! += agrees[candidate]!;
  }
  return rates.map((sum) => (sum + pseudoCount) / (models.length + 2 * pseudoCount));
}

function logit(rate: number): number {
  const kept = Math.min(1 - closest, Math.max(closest, rate));
  return Math.log(kept / (1 - kept));
}
