import { TouchmarkError } from '../../../errors.ts';
import { log10WeightedMean } from '../../../stats/merging.ts';
import type { GreenSource } from '../prfs/prf.ts';
import type { TextProfile } from '../profile.ts';
import type { TokenText } from '../token-pairs.ts';
import { openCommonKey } from './common-key.ts';
import { type LayerCounts, LayerReader } from './layer-reader.ts';
import { type LayerScore, ScoreTally } from './score-tally.ts';
import { ownGreen } from './tenant-watermark.ts';

/** A tenant who may have to answer for texts. */
export interface TenantCandidate {
  readonly tenant: string;
  readonly ownKey: Uint8Array;
  /** The tenant's share of the multiplicity; equal shares unless all are given. */
  readonly weight?: number;
}

/** The case against one tenant. */
export interface Accusation extends LayerScore {
  readonly tenant: string;
  readonly weight: number;
  /** After multiplicity over the candidates: log10P - log10 weight, at most 0. */
  readonly log10PAdjusted: number;
  /** After multiplicity over the candidates: log10E + log10 weight. */
  readonly log10EAdjusted: number;
}

/** The cases against all candidates. */
export interface Accusations extends LayerCounts {
  /** In the order of the candidates. */
  readonly accusations: readonly Accusation[];
  /** That some candidate's mark is there: the weighted mean of the e-values, the least adjusted p. */
  readonly someTenant: { readonly log10P: number; readonly log10E: number };
}

/**
 * Tests texts for each candidate's own key, on the contexts of the own layer.
 *
 * Null of a candidate: the texts do not depend on the candidate's own key; whoever else's mark is in
 * them, green pairs are Binomial(n, 1/2), exact for an ideal pseudorandom function. Candidates may
 * be chosen by the screen, which does not read own keys, but not by looking at these scores.
 */
export class TenantAccuser {
  readonly #reader: LayerReader;
  readonly #cases: readonly {
    readonly tenant: string;
    readonly weight: number;
    readonly green: GreenSource;
    readonly tally: ScoreTally;
  }[];

  /**
   * @throws TouchmarkError CONFIG_INVALID when the profile has no own layer; INPUT_INVALID without
   *   candidates, for one that occurs twice, for weights that are incomplete, not above 0 or sum to
   *   more than 1, and for keys that do not have 32 bytes or are the common key
   */
  constructor(profile: TextProfile, commonKey: Uint8Array, candidates: readonly TenantCandidate[]) {
    const common = openCommonKey(profile, commonKey, 'own');
    const weights = weightsOf(candidates);
    this.#reader = new LayerReader(profile, common, 'own');
    this.#cases = candidates.map(({ tenant, ownKey }, index) => ({
      tenant,
      weight: weights[index]!,
      green: ownGreen({ commonKey, ownKey }, common.prf.context.width),
      tally: new ScoreTally(),
    }));
  }

  fold(text: TokenText): void {
    const pairs = this.#reader.read(text);
    for (const { green, tally } of this.#cases) tally.fold(green.bits(pairs));
  }

  /** What was read so far; costs nothing, unlike the judgement. */
  get counts(): LayerCounts {
    return this.#reader.counts;
  }

  accusations(): Accusations {
    const accusations = this.#cases.map(({ tenant, weight, tally }) => {
      const { score } = tally;
      return {
        tenant,
        weight,
        ...score,
        log10PAdjusted: Math.min(0, score.log10P - Math.log10(weight)),
        log10EAdjusted: score.log10E + Math.log10(weight),
      };
    });
    return {
      ...this.#reader.counts,
      accusations,
      someTenant: {
        log10P: Math.min(...accusations.map((each) => each.log10PAdjusted)),
        log10E: log10WeightedMean(
          accusations.map((each) => each.log10E),
          accusations.map((each) => each.weight),
        ),
      },
    };
  }
}

/** Tests texts for each candidate's own key; see `TenantAccuser`. */
export function accuse(
  profile: TextProfile,
  commonKey: Uint8Array,
  texts: Iterable<TokenText>,
  candidates: readonly TenantCandidate[],
): Accusations {
  const accuser = new TenantAccuser(profile, commonKey, candidates);
  for (const text of texts) accuser.fold(text);
  return accuser.accusations();
}

function weightsOf(candidates: readonly TenantCandidate[]): readonly number[] {
  const given = candidates.flatMap(({ weight }) => (weight === undefined ? [] : [weight]));
  const weights = given.length > 0 ? given : candidates.map(() => 1 / candidates.length);
  const names = new Set(candidates.map(({ tenant }) => tenant));
  const sum = weights.reduce((total, weight) => total + weight, 0);
  const fits = weights.length === candidates.length && weights.every((weight) => weight > 0);
  if (candidates.length > 0 && names.size === candidates.length && fits && sum <= 1 + 1e-12) {
    return weights;
  }
  throw new TouchmarkError(
    'INPUT_INVALID',
    names.size < candidates.length
      ? `${candidates.length} candidates for an accusation have ${names.size} names.`
      : `${candidates.length} candidates for an accusation have ${given.length} weights that sum to ${sum}.`,
    {
      hint: 'Name each tenant once; give all of them a weight above 0, of a sum of at most 1, or none.',
    },
  );
}
