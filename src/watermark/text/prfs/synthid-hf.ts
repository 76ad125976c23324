import type { TextPrf, TokenPairs } from './prf.ts';
import { type SynthIdHash, synthIdPrf } from './synthid-prf.ts';
import { TorchGenerator } from './torch-generator.ts';

const tableSize = 65536;
const lowestBits = 0xffff;
const multiplier = 0x7f2d;

/**
 * Returns the SynthID-Text function of Hugging Face transformers: the hash of context, token and the
 * layer's key, folded from 1, modulo 65536 picks a bit of a public table (65,536 draws of
 * `torch.randint` under the seed 0).
 *
 * Only key modulo 65536 enters, and a table of 65,536 public bits decides: the keys can be found from
 * about a thousand marked tokens. Detection is exact under an ideal function and, because the table
 * has 32,743 ones and the law counts 1/2, conservative. Read such text; do not mark with it.
 *
 * @param keys one whole number for each layer
 */
export function synthIdHuggingFacePrf(keys: readonly number[], ngramLength: number): TextPrf {
  return synthIdPrf(new TableHash(keys), ngramLength);
}

/** Returns the hash of context and token of each pair, modulo 65536: all that the function reads. */
export function tableInputs(pairs: TokenPairs): Int32Array {
  const { count, width, contexts, tokens } = pairs;
  const inputs = new Int32Array(count);
  for (let row = 0; row < count; row++) {
    const context = contextInput(contexts, row * width, width);
    inputs[row] = step(context, tokens[row]!);
  }
  return inputs;
}

/** Returns the bit of (input, key modulo 65536). */
export function tableBit(table: Uint8Array, input: number, key: number): number {
  return table[step(input, key)]!;
}

/** Returns the public table of transformers. */
export function synthIdTable(): Uint8Array {
  const generator = new TorchGenerator(0);
  return Uint8Array.from({ length: tableSize }, () => generator.below(2));
}

let table: Uint8Array | undefined;

class TableHash implements SynthIdHash {
  readonly name = 'synthid-hf';
  readonly layers: number;
  readonly #keys: Int32Array;
  readonly #table: Uint8Array;
  #context = 0;

  constructor(keys: readonly number[]) {
    this.layers = keys.length;
    this.#keys = Int32Array.from(keys, (key) => key % tableSize);
    table ??= synthIdTable();
    this.#table = table;
  }

  readContext(contexts: Int32Array, from: number, width: number): void {
    this.#context = contextInput(contexts, from, width);
  }

  writeBits(token: number, into: Uint32Array, at: number): void {
    const input = step(this.#context, token);
    const keys = this.#keys;
    const bits = this.#table;
    for (let first = 0; first < keys.length; first += 32) {
      const end = Math.min(keys.length, first + 32);
      let word = 0;
      for (let layer = end - 1; layer >= first; layer--) {
        word = (word << 1) | bits[step(input, keys[layer]!)]!;
      }
      into[at + (first >>> 5)] = word;
    }
  }

  effectiveInputs(pairs: TokenPairs): {
    readonly width: number;
    readonly rows: Int32Array;
    readonly tokens: Int32Array;
  } {
    return { width: 1, rows: tableInputs(pairs), tokens: new Int32Array(pairs.count) };
  }
}

function contextInput(contexts: Int32Array, from: number, width: number): number {
  let hash = 1;
  for (let at = from; at < from + width; at++) hash = step(hash, contexts[at]!);
  return hash;
}

/** The lowest 16 bits of SynthID's fold, which depend on the lowest 16 bits of hash and number. */
function step(hash: number, number: number): number {
  return (Math.imul((hash + number) & lowestBits, multiplier) + 1) & lowestBits;
}
