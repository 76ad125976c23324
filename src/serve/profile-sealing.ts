import type { Classifier, Input, Progress, TensorInput } from '../contracts.ts';
import { TouchmarkError } from '../errors.ts';
import { poolDigest } from '../keys/canonical-input.ts';
import { askAllClean } from '../models/clean-answers.ts';
import { seededRandom } from '../stats/sampling.ts';
import { ClassifierMarker, deriveModulation } from '../watermark/classifier-marker.ts';
import {
  type ClassifierProfile,
  currentProfileSchema,
  type FeatureMap,
  readFeatures,
} from '../watermark/classifier-profile.ts';
import { margin, marginThreshold } from '../watermark/label/coins.ts';
import { totalVariation } from '../watermark/probability/distribution.ts';
import { carrierNgrams } from '../watermark/probability/features.ts';

/** What the owner allows the watermark to cost, and how it is built. */
export interface SealingTargets {
  /** Mean total variation between served and clean answers, over the owner's inputs. */
  readonly totalVariation: number;
  /** The most that the per-query layer may shift a logit. */
  readonly perQueryStrength: number;
  /** Share of traffic that is answered by a coin. */
  readonly coinShare: number;
  readonly linearCarriers: number;
  readonly fourierCarriers: number;
}

export interface SealingOptions {
  readonly classifier: Classifier;
  readonly labels: readonly string[];
  /** The owner's own inputs, like its traffic; 1,400 or more make a stable threshold. */
  readonly inputs: readonly Input[];
  /** The fresh probes, sealed by digest so that an audit can tell whether they were changed since. */
  readonly freshInputs: readonly Input[];
  readonly targets: SealingTargets;
  readonly signal: AbortSignal;
  readonly progress?: Progress;
}

/** Used when the owner gives no inputs to measure on: a modest mark, of the layers that are wanted. */
const unmeasured = ({ perQueryStrength, coinShare }: SealingTargets) => ({
  smoothStrength: 0.2,
  perQueryStrength: Math.min(0.1, perQueryStrength),
  marginThreshold: coinShare > 0 ? 0.05 : 0,
});

const keysTried = 4;
const bisections = 12;

/** A smooth layer is never stronger than this, in logits. */
const strongest = 4;

/**
 * Measures a watermark's strength on the owner's inputs and returns the profile to seal: the margin
 * threshold is the quantile of the coin share, the per-query strength at most what half of the target
 * pays for, and the smooth strength the largest that keeps the mean total variation of all layers
 * together within the target, over dummy keys.
 *
 * @throws INPUT_INVALID for mixed inputs; UPSTREAM_FAILED or UPSTREAM_ANSWER_INVALID as `askClean`.
 */
export async function sealProfile(options: SealingOptions): Promise<ClassifierProfile> {
  const { inputs, labels, targets } = options;
  const features = featureMapOf(inputs);
  const clean = await askAllClean(options.classifier, inputs, options.signal, options.progress);
  const base = {
    schema: currentProfileSchema,
    labels,
    features,
    markedClasses: halfOfClasses(labels.length, clean),
    linearCarriers: targets.linearCarriers,
    fourierCarriers: targets.fourierCarriers,
    bandwidth: halfMedianDistance(features, inputs),
    ...(options.freshInputs.length > 0 && { freshPool: poolDigest(options.freshInputs) }),
    ...(inputs.length > 0 && { twinPool: poolDigest(inputs) }),
  };
  if (inputs.length === 0) return { ...base, ...unmeasured(targets) };
  const threshold =
    targets.coinShare > 0 ? marginThreshold(clean.map(margin), targets.coinShare) : 0;
  const profileAt = (smoothStrength: number, perQueryStrength: number): ClassifierProfile => ({
    ...base,
    smoothStrength,
    perQueryStrength,
    marginThreshold: threshold,
  });
  const dummies = Array.from({ length: keysTried }, (_, index) => {
    const key = new Uint8Array(32).fill(index + 1);
    const modulation = deriveModulation(key, profileAt(1, 0));
    return (profile: ClassifierProfile) => new ClassifierMarker(key, profile, modulation);
  });
  const costOf = (smooth: number, perQuery: number): number => {
    const profile = profileAt(smooth, perQuery);
    return meanTotalVariation(
      dummies.map((markerOf) => markerOf(profile)),
      inputs,
      clean,
    );
  };
  const { totalVariation: budget, perQueryStrength: most } = targets;
  const perQuery =
    costOf(0, most) <= budget / 2 ? most : largest((x) => costOf(0, x) <= budget / 2, most);
  const report = (step: number) => options.progress?.('measuring the watermark', step, bisections);
  return profileAt(
    largest((x) => costOf(x, perQuery) <= budget, strongest, report),
    perQuery,
  );
}

/** The largest x in [0, highest] that is allowed, by bisection. */
function largest(
  allowed: (x: number) => boolean,
  highest: number,
  report?: (step: number) => void,
): number {
  let [low, high] = [0, highest];
  for (let step = 1; step <= bisections; step += 1) {
    const middle = (low + high) / 2;
    if (allowed(middle)) low = middle;
    else high = middle;
    report?.(step);
  }
  return low;
}

/** Every other class, in the order of the probability that there is to move in each. */
function halfOfClasses(classes: number, clean: readonly Float64Array[]): number[] {
  const movable = Array.from({ length: classes }, (_, k) =>
    clean.reduce((sum, row) => sum + row[k]! * (1 - row[k]!), 0),
  );
  const order = movable.map((_, k) => k).sort((left, right) => movable[right]! - movable[left]!);
  const half = order.filter((_, rank) => rank % 2 === 0);
  return (half.length < 2 ? order : half).sort((left, right) => left - right);
}

function meanTotalVariation(
  markers: readonly ClassifierMarker[],
  inputs: readonly Input[],
  clean: readonly Float64Array[],
): number {
  let sum = 0;
  let count = 0;
  const stride = Math.max(1, Math.floor(inputs.length / 500));
  markers.forEach((marker, offset) => {
    for (let index = offset; index < inputs.length; index += stride) {
      const { served } = marker.mark(inputs[index]!, clean[index]!);
      sum += totalVariation(served, clean[index]!);
      count += 1;
    }
  });
  return count > 0 ? sum / count : 0;
}

function featureMapOf(inputs: readonly Input[]): FeatureMap {
  const tensors = inputs.filter((input): input is TensorInput => typeof input !== 'string');
  if (tensors.length === 0) return textFeatures(inputs);
  const { shape, data } = tensors[0]!;
  const odd = inputs.findIndex(
    (input) => typeof input === 'string' || input.data.length !== data.length,
  );
  if (odd >= 0) {
    throw new TouchmarkError(
      'INPUT_INVALID',
      `the owner's input ${odd} differs in kind or shape from input 0`,
      {
        hint: 'give texts only, or tensors of one shape only',
      },
    );
  }
  const mean = Array.from(data, (_, k) => average(tensors.map((tensor) => tensor.data[k]!)));
  const deviation = mean.map((centre, k) =>
    Math.sqrt(average(tensors.map((tensor) => (tensor.data[k]! - centre) ** 2))),
  );
  return { kind: 'tensor', shape, mean, deviation };
}

function textFeatures(inputs: readonly Input[]): FeatureMap {
  const map: FeatureMap = { kind: 'text', ngrams: carrierNgrams };
  if (inputs.length === 0) return map;
  const mean = new Float32Array(carrierNgrams.dimensions);
  for (const input of inputs) {
    const { indices, values } = readFeatures(map, input);
    indices.forEach((feature, entry) => {
      mean[feature]! += values[entry]! / inputs.length;
    });
  }
  return { ...map, mean: Array.from(mean, (value) => Number(value.toPrecision(4))) };
}

/** Half the median distance between feature vectors, by 500 random pairs. */
function halfMedianDistance(map: FeatureMap, inputs: readonly Input[]): number {
  if (map.kind === 'text' || inputs.length < 2) return 0.5;
  const random = seededRandom('bandwidth');
  const pick = () => readFeatures(map, inputs[random.integer(inputs.length)]!).values;
  const distances = Array.from({ length: 500 }, () => {
    const [left, right] = [pick(), pick()];
    return Math.sqrt(left.reduce((sum, value, index) => sum + (value - right[index]!) ** 2, 0));
  }).sort((left, right) => left - right);
  return Math.max(1e-3, distances[250]! / 2);
}

function average(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
