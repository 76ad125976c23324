import { z } from 'zod';
import type { Layer, Layers } from './layers.ts';

/** Where trained models are kept, by a name that says everything they depend on. */
export interface ModelCache {
  read(key: string): Promise<string | undefined>;
  write(key: string, text: string): Promise<void>;
}

const schema = z.strictObject({
  schema: z.literal('touchmark/trained-model@1'),
  classes: z.int().positive(),
  layers: z.array(
    z.strictObject({ inputs: z.int().positive(), units: z.int().positive(), weights: z.string() }),
  ),
});

/**
 * Returns the model of a name, from the cache or else from `train`, whose result it keeps. A cached
 * text that is no model is trained anew.
 */
export async function cachedModel(
  cache: ModelCache | undefined,
  key: string,
  train: () => Promise<Layers> | Layers,
): Promise<Layers> {
  const known = decodeModel(await cache?.read(key));
  if (known !== undefined) return known;
  const model = await train();
  await cache?.write(key, encodeModel(model));
  return model;
}

/** Returns the JSON of a model: float32 weights, little-endian, in base64. */
export function encodeModel({ classes, layers }: Layers): string {
  return JSON.stringify({
    schema: 'touchmark/trained-model@1',
    classes,
    layers: layers.map(({ inputs, units, weights }) => ({
      inputs,
      units,
      weights: Buffer.from(weights.buffer, weights.byteOffset, weights.byteLength).toString(
        'base64',
      ),
    })),
  });
}

/** Returns the model of a JSON text; undefined when it holds none. */
export function decodeModel(text: string | undefined): Layers | undefined {
  if (text === undefined) return undefined;
  try {
    const { classes, layers } = schema.parse(JSON.parse(text));
    return { classes, layers: layers.map(decodeLayer) };
  } catch {
    return undefined;
  }
}

function decodeLayer(stored: { inputs: number; units: number; weights: string }): Layer {
  const bytes = Buffer.from(stored.weights, 'base64');
  const weights = new Float32Array(Uint8Array.from(bytes).buffer);
  if (weights.length !== (stored.inputs + 1) * stored.units) throw new RangeError('cut short');
  return { inputs: stored.inputs, units: stored.units, weights };
}
