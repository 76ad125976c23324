import type { Input, TensorInput } from '../../contracts.ts';
import { type FeatureMap, readFeatures } from '../../watermark/classifier-profile.ts';
import type { SparseVector } from '../../watermark/probability/features.ts';
import { featureDimensions } from './search-features.ts';

/** Reads inputs as a classifier does that tells traps from traffic. */
export interface StealthReader {
  /** Length of the vectors. */
  readonly dimensions: number;
  read(input: Input): SparseVector;
}

/** How loud a simple feature is beside those of the profile, which have about unit length together. */
const loudness = 0.3;
const farthest = 4;

/**
 * Returns the reader of what gives traps away: the profile's features, and simple ones that those
 * are blind to. For text: length, spaces, capitals, digits, other signs. For tensors: mean, spread,
 * extremes, share of zeros, and the mean step between neighbours, which added noise raises.
 *
 * @param sample inputs over which the simple features are standardised, at least one
 * @throws INPUT_INVALID, also when reading, for an input that is not of the map's kind or shape
 */
export function stealthReader(map: FeatureMap, sample: readonly Input[]): StealthReader {
  const base = featureDimensions(map);
  const scales = scalesOf(sample.map(simpleFeatures));
  return {
    dimensions: base + scales.length,
    read(input) {
      const own = readFeatures(map, input);
      const simple = simpleFeatures(input);
      const indices = new Uint32Array(own.indices.length + scales.length);
      const values = new Float32Array(indices.length);
      indices.set(own.indices);
      values.set(own.values);
      scales.forEach(({ mean, deviation }, place) => {
        const far = deviation > 1e-12 ? (simple[place]! - mean) / deviation : 0;
        indices[own.indices.length + place] = base + place;
        values[own.indices.length + place] =
          loudness * Math.max(-farthest, Math.min(farthest, far));
      });
      return { indices, values };
    },
  };
}

function simpleFeatures(input: Input): number[] {
  return typeof input === 'string' ? textFeatures(input) : tensorFeatures(input);
}

function textFeatures(text: string): number[] {
  const share = (pattern: RegExp) => (text.match(pattern)?.length ?? 0) / (text.length + 1);
  return [
    Math.log(1 + text.length),
    share(/\s/gu),
    share(/\p{Lu}/gu),
    share(/\p{Nd}/gu),
    share(/[^\p{L}\p{Nd}\s]/gu),
  ];
}

function tensorFeatures({ data }: TensorInput): number[] {
  if (data.length === 0) return [0, 0, 0, 0, 0, 0];
  const mean = data.reduce((sum, value) => sum + value, 0) / data.length;
  const squares = data.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  const steps = data.reduce(
    (sum, value, index) => sum + Math.abs(value - (data[index - 1] ?? value)),
    0,
  );
  return [
    mean,
    Math.sqrt(squares / data.length),
    data.reduce((least, value) => Math.min(least, value)),
    data.reduce((most, value) => Math.max(most, value)),
    data.filter((value) => value === 0).length / data.length,
    steps / data.length,
  ];
}

interface Scale {
  readonly mean: number;
  readonly deviation: number;
}

function scalesOf(table: readonly (readonly number[])[]): Scale[] {
  return (table[0] ?? []).map((_, column) => {
    const mean = table.reduce((sum, row) => sum + row[column]!, 0) / table.length;
    const squares = table.reduce((sum, row) => sum + (row[column]! - mean) ** 2, 0);
    return { mean, deviation: Math.sqrt(squares / table.length) };
  });
}
