import type { Input, ServedMarks } from '../contracts.ts';
import { type ClassifierKeys, classifierKeys } from '../keys/classifier-keys.ts';
import { type ClassifierProfile, carrierShape, readFeatures } from './classifier-profile.ts';
import { applyCoin, type Coin, chosenClass, tossCoin } from './label/coins.ts';
import { CarrierBank, carrierSigns } from './probability/carriers.ts';
import { topTwo } from './probability/distribution.ts';
import { markDistribution } from './probability/embed.ts';
import type { SparseVector } from './probability/features.ts';
import { perQueryDirection, perQuerySign } from './probability/per-query.ts';

/** The smooth layer of one key: class shifts for a feature vector. */
export type Modulation = (features: SparseVector) => Float64Array;

/** One answer after marking. */
export interface MarkedAnswer {
  readonly served: Float64Array;
  /** The arg-max of `served`; among exactly tied classes the one that the coin chose. */
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
  readonly #modulate: Modulation;
  readonly #keys: Pick<ClassifierKeys, 'labelCoins' | 'perQuery'>;
  readonly #direction: Int8Array;

  /** @param modulate the smooth layer of this key, where it was derived before. */
  constructor(
    epochKey: Uint8Array,
    profile: ClassifierProfile,
    modulate: Modulation = deriveModulation(epochKey, profile),
  ) {
    this.profile = profile;
    this.#modulate = modulate;
    const keys = classifierKeys(epochKey);
    this.#keys = keys;
    this.#direction = perQueryDirection(keys.directionKey, profile.labels.length);
  }

  /**
   * @param clean the protected model's distribution, floored (`toDistribution`).
   * @throws INPUT_INVALID when the input does not fit the profile.
   */
  mark(input: Input, clean: Float64Array): MarkedAnswer {
    const marked = this.markProbabilities(input, clean);
    const coin = tossCoin(this.#keys.labelCoins, input, clean, this.profile.marginThreshold);
    const served = applyCoin(marked, coin);
    return { served, label: coin ? chosenClass(coin) : topTwo(served)[0], marks: marksOf(coin) };
  }

  /** The probability layers alone: the arg-max of the result is that of `clean`. */
  markProbabilities(input: Input, clean: Float64Array): Float64Array {
    const { features, smoothStrength, perQueryStrength } = this.profile;
    const canonical = typeof input === 'string' ? input.normalize('NFC') : input;
    const smooth = this.#modulate(readFeatures(features, canonical));
    const sign = perQuerySign(this.#keys.perQuery, canonical);
    const shift = smooth.map(
      (value, k) => smoothStrength * value + perQueryStrength * sign * this.#direction[k]!,
    );
    return markDistribution(clean, shift).served;
  }
}

/**
 * Derives the smooth layer of an epoch key, at unit strength. This is the slow part of making a
 * marker (some 100 ms), and it does not depend on the profile's strengths.
 */
export function deriveModulation(epochKey: Uint8Array, profile: ClassifierProfile): Modulation {
  const { carriersKey, signsKey } = classifierKeys(epochKey);
  const bank = new CarrierBank(carriersKey, carrierShape(profile));
  return bank.modulate(carrierSigns(signsKey, bank.count));
}

function marksOf(coin: Coin | undefined): ServedMarks {
  return coin === undefined ? { probability: true } : { probability: true, coin };
}
