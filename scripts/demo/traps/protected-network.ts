import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { TouchmarkError } from '../../../src/errors.ts';
import type { Layers } from '../../../src/models/training/layers.ts';
import { decodeModel, encodeModel } from '../../../src/models/training/model-cache.ts';
import { softmax } from '../../../src/watermark/probability/distribution.ts';
import { hashNgrams, type NgramOptions } from '../../../src/watermark/probability/features.ts';
import { labels } from '../classifier/languages.ts';
import type { Prediction } from '../classifier/model-server.ts';

/** What the protected network reads. */
export const protectedNgrams: NgramOptions = {
  dimensions: 1024,
  shortest: 1,
  longest: 3,
  seed: 0x51de,
};
/** Units of its hidden layer. */
export const protectedUnits = 40;
/** Where its weights lie. */
export const protectedNetworkPath = join(import.meta.dirname, 'protected-network.json');

/**
 * Loads the protected model of the shipped region traps: a network with one hidden layer over hashed
 * n-grams that was trained on the part `training` of `drawTextSplits`, with true labels.
 *
 * @throws TouchmarkError INPUT_INVALID when the file of weights was changed
 */
export function loadProtectedNetwork(): (text: string) => Prediction {
  const layers = decodeModel(readFileSync(protectedNetworkPath, 'utf8'));
  if (layers === undefined) {
    throw new TouchmarkError('INPUT_INVALID', `${protectedNetworkPath} holds no weights.`, {
      hint: 'Restore it from the repository.',
    });
  }
  return (text) => predict(layers, text);
}

/** Names a network by its weights: sixteen digits of their SHA-256. */
export function networkVersion(layers: Layers): string {
  return createHash('sha256').update(encodeModel(layers)).digest('hex').slice(0, 16);
}

function predict({ classes, layers }: Layers, text: string): Prediction {
  const [first, second] = layers as readonly [Layers['layers'][number], Layers['layers'][number]];
  const { indices, values } = hashNgrams(text, protectedNgrams);
  const inner = first.weights.slice(first.inputs * first.units);
  indices.forEach((index, entry) => {
    for (let unit = 0; unit < first.units; unit += 1)
      inner[unit]! += values[entry]! * first.weights[index * first.units + unit]!;
  });
  const logits = Float64Array.from({ length: classes }, (_, label) => {
    let sum = second.weights[second.inputs * second.units + label]!;
    for (let unit = 0; unit < second.inputs; unit += 1)
      sum += Math.max(0, inner[unit]!) * second.weights[unit * second.units + label]!;
    return sum;
  });
  const probabilities = softmax(logits);
  const best = probabilities.reduce(
    (top, value, at) => (value > probabilities[top]! ? at : top),
    0,
  );
  return { label: labels[best]!, probabilities };
}
