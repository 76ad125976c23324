import type { Layer, Layers } from '../../src/models/training/layers.ts';

/**
 * Returns a model of whose weights, layer by layer, the share of smallest magnitude is 0 (Han, Pool,
 * Tran and Dally 2015, without the retraining). Biases stay.
 *
 * @param share in 0..1
 */
export function prune(model: Layers, share: number): Layers {
  return altered(model, (layer, columns) => {
    const places = Array.from({ length: layer.inputs * columns }, (_, at) =>
      placeOf(layer, columns, at),
    );
    const size = (place: number) => Math.abs(layer.weights[place]!);
    places.sort((one, two) => size(one) - size(two));
    for (const place of places.slice(0, Math.round(share * places.length)))
      layer.weights[place] = 0;
  });
}

const levels = 16;

/**
 * Returns a model whose weights are whole multiples, -8 to 7, of one step per column: the largest
 * magnitude of the column divided by 7.5. Biases stay.
 */
export function roundToFourBits(model: Layers): Layers {
  return altered(model, ({ inputs, units, weights }, columns) => {
    for (let unit = 0; unit < columns; unit += 1) {
      let largest = 0;
      for (let input = 0; input < inputs; input += 1)
        largest = Math.max(largest, Math.abs(weights[input * units + unit]!));
      const step = (2 * largest) / (levels - 1);
      if (step === 0) continue;
      for (let input = 0; input < inputs; input += 1) {
        const level = Math.round(weights[input * units + unit]! / step);
        weights[input * units + unit] =
          step * Math.max(-levels / 2, Math.min(levels / 2 - 1, level));
      }
    }
  });
}

/** Changes a copy of each layer in its columns that are no padding. */
function altered(
  { classes, layers }: Layers,
  change: (layer: Layer, columns: number) => void,
): Layers {
  return {
    classes,
    layers: layers.map((layer, depth) => {
      const copy = { ...layer, weights: layer.weights.slice() };
      change(copy, depth === layers.length - 1 ? classes : layer.units);
      return copy;
    }),
  };
}

function placeOf({ units }: Layer, columns: number, at: number): number {
  return Math.floor(at / columns) * units + (at % columns);
}
