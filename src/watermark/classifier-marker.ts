import type { Input, ServedMarks } from '../contracts.ts';
import { inputDigest } from '../keys/canonical-input.ts';
import { type ClassifierKeys, classifierKeys } from '../keys/classifier-keys.ts';
import { type ClassifierProfile, carrierShape, readFeatures } from './classifier-profile.ts';
import { applyCoin, type Coin, chosenClass, closePair, coinOf } from './label/coins.ts';
import { CarrierBank, carrierSigns, requireCarrierShape } from './probability/carriers.ts';
import { topTwo } from './probability/distribution.ts';
import { markDistribution } from './probability/embed.ts';
import type { Modulation } from './probability/modulation.ts';
import { perQueryDirection, perQuerySignOf } from './probability/per-query.ts';

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
  readonly #keys: ClassifierKeys;
  readonly #direction: Int8Array;
  #modulate: Modulation | undefined;

  /**
   * Takes some 0.1 ms; the smooth layer is derived when the first answer is marked, in less than a
   * millisecond for the linear carriers of profiles `@2` and in some 50 for those of `@1`.
   *
   * @param modulate the smooth layer of this key, where it was derived before.
   * @throws INPUT_INVALID when the key does not have 32 bytes, or the profile asks for no carriers.
   */
  constructor(epochKey: Uint8Array, profile: ClassifierProfile, modulate?: Modulation) {
    requireCarrierShape(carrierShape(profile));
    this.profile = profile;
    this.#modulate = modulate;
    this.#keys = classifierKeys(epochKey);
    this.#direction = perQueryDirection(this.#keys.directionKey, profile.labels.length);
  }

  /**
   * @param clean the protected model's distribution, floored (`toDistribution`).
   * @throws INPUT_INVALID when the input does not fit the profile.
   */
  mark(input: Input, clean: Float64Array): MarkedAnswer {
    return this.prepare(input)(clean);
  }

  /**
   * Does what does not need the answer, most of the work, and returns what marks it when it is there.
   *
   * @throws INPUT_INVALID when the input does not fit the profile.
   */
  prepare(input: Input): (clean: Float64Array) => MarkedAnswer {
    const canonical = typeof input === 'string' ? input.normalize('NFC') : input;
    const digest = inputDigest(canonical);
    const shift = this.#shiftOf(canonical, digest);
    return (clean) => {
      const marked = markDistribution(clean, shift).served;
      const pair = closePair(clean, this.profile.marginThreshold);
      const coin = pair && coinOf(this.#keys.labelCoins, digest, pair);
      const served = applyCoin(marked, coin);
      return { served, label: coin ? chosenClass(coin) : topTwo(served)[0], marks: marksOf(coin) };
    };
  }

  /** The probability layers alone: the arg-max of the result is that of `clean`. */
  markProbabilities(input: Input, clean: Float64Array): Float64Array {
    const canonical = typeof input === 'string' ? input.normalize('NFC') : input;
    return markDistribution(clean, this.#shiftOf(canonical, inputDigest(canonical))).served;
  }

  /** What both probability layers add to each class's logit. */
  #shiftOf(canonical: Input, digest: Uint8Array): Float64Array {
    const { features, smoothStrength, perQueryStrength } = this.profile;
    this.#modulate ??= modulationOf(this.#keys, this.profile);
    const shift = this.#modulate(readFeatures(features, canonical));
    const push = perQueryStrength * perQuerySignOf(this.#keys.perQuery, digest);
    for (let k = 0; k < shift.length; k += 1) {
      shift[k] = smoothStrength * shift[k]! + push * this.#direction[k]!;
    }
    return shift;
  }
}

/**
 * Derives the smooth layer of an epoch key, at unit strength. This is the slow part of making a
 * marker, and it does not depend on the profile's strengths.
 */
export function deriveModulation(epochKey: Uint8Array, profile: ClassifierProfile): Modulation {
  return modulationOf(classifierKeys(epochKey), profile);
}

/**
 * The bytes that a marker under this profile holds once it has marked an answer, within a third:
 * what a cache of markers reckons with. Some 25,000 for 256 linear carriers and 12 marked classes
 * under `@2`; Fourier carriers hold four bytes for each feature and carrier.
 *
 * @throws INPUT_INVALID for a profile of an unknown version.
 */
export function markerBytes(profile: ClassifierProfile): number {
  const { layout, classes, dimensions, markedClasses, linear, fourier } = carrierShape(profile);
  const carriers = linear + fourier;
  const smooth =
    layout === 'packed'
      ? 4 * carriers * markedClasses.length + 8 * linear
      : 4 * dimensions * classes + 4 * carriers * classes;
  return keysAndObjects + smooth + 4 * fourier * dimensions;
}

/** Two coin trees' inner nodes, 4 KiB each, and what objects and ciphers take. */
const keysAndObjects = 11_000;

function modulationOf(
  { carriersKey, signsKey }: Pick<ClassifierKeys, 'carriersKey' | 'signsKey'>,
  profile: ClassifierProfile,
): Modulation {
  const bank = new CarrierBank(carriersKey, carrierShape(profile));
  return bank.modulate(carrierSigns(signsKey, bank.count));
}

function marksOf(coin: Coin | undefined): ServedMarks {
  return coin === undefined ? { probability: true } : { probability: true, coin };
}
