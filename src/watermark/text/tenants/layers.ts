import { domains, type NativePrf } from '../prfs/native.ts';
import type { GreenPlanes, GreenSource, TokenPairs } from '../prfs/prf.ts';
import type { TenantLayers } from '../profile.ts';
import { selectPairs } from '../token-pairs.ts';
import type { KernelGreen } from './tenant-code.ts';

/** What a context carries: the epoch's common mark, the tenant code, or the tenant's own mark. */
export type Layer = keyof TenantLayers;

const blockBytes = 16;
const layerNames = ['common', 'code', 'own'] as const satisfies readonly Layer[];

/**
 * Assigns contexts to layers, by four bits of the common key's stream of its own domain: the same
 * for all tenants of an epoch.
 */
export class ContextLayers {
  readonly #prf: NativePrf;
  readonly #bounds: readonly number[];

  constructor(prf: NativePrf, { common, code, own }: TenantLayers) {
    this.#prf = prf;
    this.#bounds = [common, common + code, common + code + own];
  }

  of(context: Int32Array): Layer {
    return layerNames[this.#numbers(context, 1)[0]!]!;
  }

  /** Returns the rows of the pairs whose context is in each layer, in their order. */
  rows(pairs: TokenPairs): Readonly<Record<Layer, Int32Array>> {
    const numbers = this.#numbers(pairs.contexts, pairs.count);
    const [common, code, own] = [0, 1, 2].map((number) => rowsOf(numbers, number));
    return { common: common!, code: code!, own: own! };
  }

  #numbers(contexts: Int32Array, count: number): Uint8Array {
    const blocks = this.#prf.blocks(domains.layer, contexts, new Int32Array(count));
    const numbers = new Uint8Array(count);
    for (let row = 0; row < count; row++) {
      const sixteenth = blocks[row * blockBytes]! & 15;
      numbers[row] = this.#bounds.findIndex((bound) => sixteenth < bound);
    }
    return numbers;
  }
}

/** The green list of one tenant: that of the layer which each context belongs to. */
export class LayeredGreen implements GreenSource {
  readonly share: number;
  readonly keystream: GreenPlanes;
  readonly #layers: ContextLayers;
  readonly #sources: Readonly<Record<Layer, KernelGreen>>;

  /** @param sources green lists of one share */
  constructor(layers: ContextLayers, sources: Readonly<Record<Layer, KernelGreen>>) {
    this.share = sources.common.share;
    this.#layers = layers;
    this.#sources = sources;
    this.keystream = {
      ...sources.common.keystream,
      stream: (context, vocabularySize) =>
        sources[layers.of(context)].keystream.stream(context, vocabularySize),
    };
  }

  bits(pairs: TokenPairs): Uint8Array {
    const bits = new Uint8Array(pairs.count);
    const layers = this.#layers.rows(pairs);
    for (const layer of layerNames) {
      const rows = layers[layer];
      if (rows.length === 0) continue;
      const chosen = this.#sources[layer].bits(selectPairs(pairs, rows));
      for (let index = 0; index < rows.length; index++) bits[rows[index]!] = chosen[index]!;
    }
    return bits;
  }

  list(context: Int32Array, vocabularySize: number): Uint8Array {
    return this.#sources[this.#layers.of(context)].list(context, vocabularySize);
  }
}

function rowsOf(numbers: Uint8Array, wanted: number): Int32Array {
  const rows = new Int32Array(numbers.length);
  let count = 0;
  for (let row = 0; row < numbers.length; row++) {
    if (numbers[row] === wanted) rows[count++] = row;
  }
  return rows.subarray(0, count);
}
