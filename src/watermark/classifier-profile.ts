import type { Input } from '../contracts.ts';
import { TouchmarkError } from '../errors.ts';
import type { CarrierShape } from './probability/carriers.ts';
import { hashNgrams, type NgramOptions, type SparseVector } from './probability/features.ts';

/** Deviations from the mean beyond which a tensor's value is cut. */
const farthest = 8;

/** What profiles call themselves, and where each finds the signs of its linear carriers. */
const layouts = {
  'touchmark/classifier-profile@1': 'streamed',
  'touchmark/classifier-profile@2': 'packed',
} as const;

export type ProfileSchema = keyof typeof layouts;

/** What a profile calls itself that is sealed now. */
export const currentProfileSchema =
  'touchmark/classifier-profile@2' as const satisfies ProfileSchema;

/** What the profiles call themselves that can be read. */
export const profileSchemas = Object.keys(layouts) as readonly ProfileSchema[];

/** How the carriers read an input. */
export type FeatureMap =
  | {
      readonly kind: 'text';
      readonly ngrams: NgramOptions;
      /** The mean feature vector over the owner's own inputs; absent where there were none. */
      readonly mean?: readonly number[];
    }
  | {
      readonly kind: 'tensor';
      readonly shape: readonly number[];
      /** Mean and standard deviation of each value over the owner's own inputs. */
      readonly mean: readonly number[];
      readonly deviation: readonly number[];
    };

/**
 * Everything about a classifier's watermark but the keys. Sealed before the first answer of an
 * epoch: a test reads with the profile that the answers were marked with.
 */
export interface ClassifierProfile {
  /** The version says how the carriers are read from their key; new profiles are `@2`. */
  readonly schema: ProfileSchema;
  readonly labels: readonly string[];
  readonly features: FeatureMap;
  /**
   * Indices of the classes that the smooth layer moves, at least two. Half of them is best: at the
   * same mean total variation the mark is twice as strong there, and what a student learns of it
   * counts by its square.
   */
  readonly markedClasses: readonly number[];
  readonly linearCarriers: number;
  readonly fourierCarriers: number;
  /** Width of the Fourier carriers' kernel: half the median distance between feature vectors. */
  readonly bandwidth: number;
  /** Root-mean-square shift of a class's logit by the smooth layer. */
  readonly smoothStrength: number;
  /** Shift of a class's logit by the per-query layer. */
  readonly perQueryStrength: number;
  /** tau: inputs whose two best probabilities are closer than this are answered by a coin. */
  readonly marginThreshold: number;
  /** Digest of the pool of fresh probes, if there was one when the profile was sealed. */
  readonly freshPool?: string;
  /** Digest of the inputs that twins are trained on, likewise. */
  readonly twinPool?: string;
}

/**
 * The shape of the carrier bank that a profile asks for.
 *
 * @throws INPUT_INVALID for a profile of an unknown version.
 */
export function carrierShape(profile: ClassifierProfile): CarrierShape {
  const { features, schema } = profile;
  if (!profileSchemas.includes(schema)) {
    throw new TouchmarkError(
      'INPUT_INVALID',
      `the watermark profile says ${JSON.stringify(schema)}; this version reads ${profileSchemas.join(' and ')}`,
      { hint: 'upgrade touchmark' },
    );
  }
  return {
    layout: layouts[schema],
    classes: profile.labels.length,
    markedClasses: profile.markedClasses,
    ...(features.kind === 'text'
      ? { dimensions: features.ngrams.dimensions, ...(features.mean && { centre: features.mean }) }
      : { dimensions: features.mean.length }),
    linear: profile.linearCarriers,
    fourier: profile.fourierCarriers,
    bandwidth: profile.bandwidth,
  };
}

/**
 * Turns an input into the carriers' features: hashed n-grams of unit length for text, standardised
 * values, cut at 8 deviations so that no single one outshouts the rest, divided by the square root
 * of their number for tensors.
 *
 * @throws INPUT_INVALID when the input is not of the profile's kind or shape.
 */
export function readFeatures(map: FeatureMap, input: Input): SparseVector {
  if (map.kind === 'text') {
    if (typeof input === 'string') return hashNgrams(input, map.ngrams);
    throw wrongKind('a tensor', 'text');
  }
  if (typeof input === 'string') throw wrongKind('text', `a tensor of shape [${map.shape}]`);
  const size = map.mean.length;
  if (input.data.length !== size) {
    throw new TouchmarkError(
      'INPUT_INVALID',
      `the input has ${input.data.length} values where the watermark profile has ${size}`,
      { hint: `send tensors of shape [${map.shape}]` },
    );
  }
  const scale = 1 / Math.sqrt(size);
  const indices = new Uint32Array(size);
  const values = new Float32Array(size);
  for (let index = 0; index < size; index += 1) {
    indices[index] = index;
    const deviation = map.deviation[index]!;
    if (deviation === 0) continue;
    const standardised = (input.data[index]! - map.mean[index]!) / deviation;
    values[index] = scale * Math.max(-farthest, Math.min(farthest, standardised));
  }
  return { indices, values };
}

function wrongKind(got: string, wanted: string): TouchmarkError {
  return new TouchmarkError(
    'INPUT_INVALID',
    `the input is ${got} where the watermark reads ${wanted}`,
    {
      hint: 'seal a profile for this kind of input, or send the kind that the model takes',
    },
  );
}
