import type { Input, ServedMarks } from '../contracts.ts';
import { derivePurposeKey } from '../keys/derivation.ts';
import { type ClassifierProfile, carrierShape, readFeatures } from './classifier-profile.ts';
import { applyCoin, type Coin, tossCoin } from './label/coins.ts';
import { CarrierBank, carrierSigns } from './probability/carriers.ts';
import { topTwo } from './probability/distribution.ts';
import { markDistribution } from './probability/embed.ts';
import type { SparseVector } from './probability/features.ts';
import { perQueryDirection, perQuerySign } from './probability/per-query.ts';

/** One answer after marking. */
export interface MarkedAnswer {
  readonly served: Float64Array;
  /** The arg-max of `served`. */
  readonly label: number;
  readonly marks: ServedMarks;
}

/**
 * Marks a classifier's answers under one tenant's epoch key: the smooth and the per-query layer on
 * the probabilities, which never change the arg-max, then the label coin, which exchanges the two
 * best classes of low-margin inputs. Label and probabilities of an answer always agree, and the
 * same canonical input always gets the same answer.
 */
export class ClassifierMarker {
  readonly profile: ClassifierProfile;
  readonly #modulate: (features: SparseVector) => Float64Array;
  readonly #perQueryKey: Uint8Array;
  readonly #direction: Int8Array;
  readonly #coinKey: Uint8Array;

  constructor(epochKey: Uint8Array, profile: ClassifierProfile) {
    this.profile = profile;
    const bank = new CarrierBank(
      derivePurposeKey(epochKey, 'probability-carriers'),
      carrierShape(profile),
    );
    const signs = carrierSigns(derivePurposeKey(epochKey, 'probability-signs'), bank.count);
    this.#modulate = bank.modulate(signs);
    this.#perQueryKey = derivePurposeKey(epochKey, 'probability-per-query');
    this.#direction = perQueryDirection(this.#perQueryKey, profile.labels.length);
    this.#coinKey = derivePurposeKey(epochKey, 'label-coins');
  }

  /**
   * @param clean the protected model's distribution, floored (`toDistribution`).
   * @throws INPUT_INVALID when the input does not fit the profile.
   */
  mark(input: Input, clean: Float64Array): MarkedAnswer {
    const marked = this.markProbabilities(input, clean);
    const coin = tossCoin(this.#coinKey, input, clean, this.profile.marginThreshold);
    const served = applyCoin(marked, coin);
    return { served, label: topTwo(served)[0], marks: marksOf(coin) };
  }

  /** The probability layers alone: the arg-max of the result is that of `clean`. */
  markProbabilities(input: Input, clean: Float64Array): Float64Array {
    const { features, smoothStrength, perQueryStrength } = this.profile;
    const canonical = typeof input === 'string' ? input.normalize('NFC') : input;
    const smooth = this.#modulate(readFeatures(features, canonical));
    const sign = perQuerySign(this.#perQueryKey, canonical);
    const shift = smooth.map(
      (value, k) => smoothStrength * value + perQueryStrength * sign * this.#direction[k]!,
    );
    return markDistribution(clean, shift).served;
  }
}

function marksOf(coin: Coin | undefined): ServedMarks {
  return coin === undefined ? { probability: true } : { probability: true, coin };
}
