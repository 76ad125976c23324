import { log10WeightedSignUpperTail } from '../../../stats/tails/weighted-signs.ts';
import { walshHadamard } from '../kernel/walsh-hadamard.ts';
import type { TextProfile } from '../profile.ts';
import type { TokenText } from '../token-pairs.ts';
import { ClusterSums } from './cluster-sums.ts';
import { type CommonKey, openCommonKey } from './common-key.ts';
import { requireIdentifier, tenantIdentifier, tenantIndex } from './identifiers.ts';
import { type LayerCounts, LayerReader } from './layer-reader.ts';
import { parity, tokenBlockOf } from './tenant-code.ts';

/** What the linear code says of one identifier. */
export interface IdentifierScore {
  readonly identifier: number;
  /** The tenant that holds it, where tenants were named. */
  readonly tenant?: string;
  /** Somebody holds it; one that nobody holds is chance, or the xor of several tenants. */
  readonly issued: boolean;
  /** Green pairs less the others, under this identifier. */
  readonly score: number;
  /** log10 of the exact p-value of this identifier alone. */
  readonly log10P: number;
  /** The same after multiplicity over all identifiers of so many bits: log10P + log10 of their number. */
  readonly log10PAdjusted: number;
}

/** A screening of all tenants: it says whom to look at, and accuses nobody. */
export interface Screening extends LayerCounts {
  /** Distinct draws of the code whose pairs do not cancel: the signs of the test. */
  readonly clusters: number;
  /** Identifiers scored, issued or not. */
  readonly identifiers: number;
  readonly best: IdentifierScore;
  readonly runnerUp: IdentifierScore;
  /** The highest scores, best first: several tenants may be in the texts. */
  readonly leaders: readonly IdentifierScore[];
}

/**
 * Screens texts for all tenants of an epoch at once. With w the sum over the pairs of one draw h of
 * +1 for a green base bit and -1 for another, identifier t scores S_t = sum of w (-1)^<t, h>, all of
 * them by one Walsh-Hadamard transform, tested by independent fair signs with the weights |w|.
 *
 * Null of identifier t: the text depends on the common key through the green lists of any tenants
 * of whom t is no odd xor. It is exact then, for an ideal pseudorandom function: some d in
 * F_2^bits x F_2 added to (h, base bits of its cluster) leaves all of their green lists alone and
 * turns the sign of w (-1)^<t, h>, so that sign is a fair coin given the text. Any four issued
 * identifiers are linearly independent, so no issued tenant is an odd xor of up to four others.
 * With more the screen can be deceived, and a tenant's true score may be shared by an identifier that
 * nobody holds: own keys accuse, never this.
 *
 * @example
 * const screen = new TenantScreen(profile, commonKey, ['acme', 'globex']);
 * for (const text of texts) screen.fold(text);
 * const { best, runnerUp } = screen.screening();
 */
export class TenantScreen {
  readonly #common: CommonKey;
  readonly #reader: LayerReader;
  readonly #clusters: ClusterSums;
  readonly #tenants: readonly string[] | undefined;

  /**
   * @param tenants the names of the tenants in the order of their numbers; without them every
   *   identifier that `tenantIdentifier` returns counts as issued
   * @throws TouchmarkError CONFIG_INVALID when the profile has no code layer; INPUT_INVALID for more
   *   tenants than there are identifiers
   */
  constructor(profile: TextProfile, commonKey: Uint8Array, tenants?: readonly string[]) {
    this.#common = openCommonKey(profile, commonKey, 'code');
    this.#reader = new LayerReader(profile, this.#common, 'code');
    this.#clusters = new ClusterSums(this.#common.prf.context.width);
    this.#tenants = tenants;
    if (tenants && tenants.length > 0) tenantIdentifier(tenants.length - 1, this.#common.code.bits);
  }

  fold(text: TokenText): void {
    const pairs = this.#reader.read(text);
    if (pairs.count === 0) return;
    const bits = this.#common.green.bits(pairs);
    const draws = this.#common.code.draws(pairs);
    for (let row = 0; row < pairs.count; row++) {
      const block = tokenBlockOf(pairs.tokens[row]!);
      const sign = 2 * bits[row]! - 1;
      this.#clusters.add(pairs.contexts, row * pairs.width, block, draws[row]!, sign);
    }
  }

  /** What was read so far; costs nothing, unlike the judgement. */
  get counts(): LayerCounts {
    return this.#reader.counts;
  }

  /** @param leaders how many of the highest scores to list, at least 2 */
  screening(leaders = 2): Screening {
    const { bits } = this.#common.code;
    const { draws, sums } = this.#clusters;
    const scores = new Int32Array(2 ** bits);
    for (let cluster = 0; cluster < draws.length; cluster++) {
      scores[draws[cluster]!]! += sums[cluster]!;
    }
    walshHadamard(scores);
    const weights = sums.filter((sum) => sum !== 0);
    const highest = indicesOfHighest(scores, Math.max(2, leaders));
    const judged = highest.map((identifier) =>
      this.#judge(identifier, scores[identifier]!, weights),
    );
    return {
      ...this.#reader.counts,
      clusters: weights.length,
      identifiers: scores.length,
      best: judged[0]!,
      runnerUp: judged[1]!,
      leaders: judged,
    };
  }

  /**
   * Returns what the texts so far say of one identifier.
   *
   * @throws TouchmarkError INPUT_INVALID for an identifier of more bits than the profile's
   */
  score(identifier: number): IdentifierScore {
    requireIdentifier(identifier, this.#common.code.bits);
    const { draws, sums } = this.#clusters;
    let score = 0;
    for (let cluster = 0; cluster < draws.length; cluster++) {
      score += sums[cluster]! * (1 - 2 * parity(draws[cluster]! & identifier));
    }
    return this.#judge(identifier, score, sums);
  }

  #judge(identifier: number, score: number, weights: Int32Array): IdentifierScore {
    const { bits } = this.#common.code;
    const index = tenantIndex(identifier, bits);
    const tenant = index === undefined ? undefined : this.#tenants?.[index];
    const { log10P } = log10WeightedSignUpperTail(weights, score);
    return {
      identifier,
      ...(tenant !== undefined && { tenant }),
      issued: this.#tenants ? tenant !== undefined : index !== undefined,
      score,
      log10P,
      log10PAdjusted: Math.min(0, log10P + bits * Math.log10(2)),
    };
  }
}

/** The indices of the highest values, best first; the lower index first among equals. */
function indicesOfHighest(values: Int32Array, count: number): readonly number[] {
  const indices: number[] = [];
  let bar = -Infinity;
  for (let index = 0; index < values.length; index = nextAbove(values, index + 1, bar)) {
    const place = indices.findIndex((other) => values[other]! < values[index]!);
    indices.splice(place < 0 ? indices.length : place, 0, index);
    if (indices.length > count) indices.pop();
    if (indices.length === count) bar = values[indices[count - 1]!]!;
  }
  return indices;
}

/** The first index at or after another whose value is above the bar; the length without one. */
function nextAbove(values: Int32Array, from: number, bar: number): number {
  let index = from;
  while (index < values.length && values[index]! <= bar) index++;
  return index;
}
