import type { Input } from '../../contracts.ts';
import { type FeatureMap, readFeatures } from '../../watermark/classifier-profile.ts';
import { packRows, type SparseRows } from './sparse-product.ts';

/** Not those of the carriers: references know nothing of the watermark. */
const ngrams = { dimensions: 2048, shortest: 1, longest: 3, seed: 0x7ea9 } as const;

/**
 * Returns how reference models and simulated surrogates read inputs: hashed n-grams for text, values
 * standardised over `sample` for tensors.
 *
 * @param sample at least one input; all of one kind and shape
 */
export function searchFeatures(sample: readonly Input[]): FeatureMap {
  const [first] = sample;
  if (first === undefined || typeof first === 'string') return { kind: 'text', ngrams };
  const size = first.data.length;
  const sums = new Float64Array(size);
  const squares = new Float64Array(size);
  for (const input of sample) {
    if (typeof input === 'string') continue;
    for (let at = 0; at < size; at += 1) sums[at]! += input.data[at]!;
  }
  const mean = sums.map((sum) => sum / sample.length);
  for (const input of sample) {
    if (typeof input === 'string') continue;
    for (let at = 0; at < size; at += 1) squares[at]! += (input.data[at]! - mean[at]!) ** 2;
  }
  const deviation = squares.map((square) => Math.sqrt(square / sample.length));
  return { kind: 'tensor', shape: first.shape, mean: [...mean], deviation: [...deviation] };
}

/** Returns the length of the feature vectors. */
export function featureDimensions(map: FeatureMap): number {
  return map.kind === 'text' ? map.ngrams.dimensions : map.mean.length;
}

/** Reads many inputs. @throws INPUT_INVALID for one that is not of the map's kind or size */
export function readRows(map: FeatureMap, inputs: readonly Input[]): SparseRows {
  return packRows(inputs.map((input) => readFeatures(map, input)));
}
