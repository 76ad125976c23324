import { TouchmarkError } from '../../../errors.ts';
import { candidatesOf } from '../schemes/candidates.ts';
import type { ContextRule, GreenSource, TextPrf, TokenPairs } from './prf.ts';
import { isInPermutationStart, permutationStart } from './torch-generator.ts';
import { highProduct } from './wide-product.ts';

const tableSize = 1_000_003;
const seedModulus = 2n ** 64n - 1n;
const candidatesTried = 40;
/** From so many tokens of one list on, shuffling it once is quicker than following each. */
const worthShuffling = 3;

/** What `WatermarkingConfig` of transformers sets. */
export interface HuggingFaceSettings {
  readonly hashingKey: bigint;
  readonly seeding: 'lefthash' | 'selfhash';
  readonly contextWidth: number;
  /** `vocab_size` of the model's configuration, which can be larger than the tokenizer's. */
  readonly vocabularySize: number;
}

/**
 * Returns the green lists of Hugging Face transformers' `WatermarkLogitsProcessor` as a CPU draws
 * them (Kirchenbauer et al. 2023, algorithms 2 and 3): the first int(vocabulary x ratio) numbers of
 * `torch.randperm(vocabulary)` under a seed. lefthash: hashing key x last token, however wide the
 * context. selfhash: the least of hashing key x h(t) x h(candidate) over the tokens t of a window
 * that ends in the candidate, in wrapping 64-bit arithmetic, h a permutation under the hashing key.
 * A GPU draws other lists from the same key: text that was marked on one is not found.
 *
 * The generator takes 32 bits of the seed, so the key can be searched for: exact under an ideal
 * function, and weaker than `native`. A seed's list has exactly its share of green tokens.
 *
 * @throws TouchmarkError CONFIG_INVALID for a key that PyTorch refuses
 */
export function huggingFacePrf(settings: HuggingFaceSettings): TextPrf {
  const { hashingKey, seeding, contextWidth, vocabularySize } = settings;
  requireKeyRange(hashingKey, seeding);
  const seedOf =
    seeding === 'lefthash' ? leftSeeds(hashingKey, contextWidth) : selfSeeds(hashingKey);
  const context: ContextRule =
    seeding === 'lefthash'
      ? { width: contextWidth, reads: 'sequence' }
      : { width: contextWidth - 1, reads: 'sequence', unmarkedBefore: contextWidth };
  const { width } = context;
  return {
    name: 'hugging-face',
    context,
    vocabularySize,
    green: (share) => greenSource(settings, seedOf, width, share),
    uniform: () => {
      throw cannotCarry('gumbel');
    },
    leaf: () => {
      throw cannotCarry('a tournament');
    },
    effectiveInputs: (pairs) => ({ width: 1, rows: pairSeeds(seedOf, pairs) }),
    inputHoldsToken: seeding === 'selfhash',
  };
}

/** The lowest 32 bits of the seed of (context, candidate), the context beginning at `from`. */
type SeedOf = (contexts: Int32Array, from: number, width: number, token: number) => number;

function leftSeeds(hashingKey: bigint, contextWidth: number): SeedOf {
  const seeds = new Map<number, number>();
  return (contexts, from) => {
    const last = contexts[from + contextWidth - 1]!;
    const known = seeds.get(last);
    if (known !== undefined) return known;
    const remainder = (hashingKey * BigInt(last)) % seedModulus;
    const seed = Number(BigInt.asIntN(32, remainder < 0n ? remainder + seedModulus : remainder));
    seeds.set(last, seed);
    return seed;
  };
}

function selfSeeds(hashingKey: bigint): SeedOf {
  const keyHigh = Number(BigInt.asIntN(32, hashingKey >> 32n));
  const keyLow = Number(BigInt.asIntN(32, hashingKey));
  const table = permutationStart(keyLow, tableSize, tableSize);
  return (contexts, from, width, token) => {
    const own = table[token % tableSize]! + 1;
    let leastHigh = 0x7fffffff;
    let leastLow = -1;
    for (let at = from; at <= from + width; at++) {
      const member = at < from + width ? contexts[at]! : token;
      const product = (table[member % tableSize]! + 1) * own;
      const productLow = product | 0;
      const productHigh = (product / 2 ** 32) | 0;
      const high =
        (highProduct(keyLow, productLow) +
          Math.imul(keyHigh, productLow) +
          Math.imul(keyLow, productHigh)) |
        0;
      const low = Math.imul(keyLow, productLow);
      if (high < leastHigh || (high === leastHigh && low >>> 0 < leastLow >>> 0)) {
        leastHigh = high;
        leastLow = low;
      }
    }
    return leastHigh < 0 ? (leastLow - 1) | 0 : leastLow;
  };
}

function pairSeeds(seedOf: SeedOf, pairs: TokenPairs): Int32Array {
  const { count, width, contexts, tokens } = pairs;
  const seeds = new Int32Array(count);
  for (let row = 0; row < count; row++) {
    seeds[row] = seedOf(contexts, row * width, width, tokens[row]!);
  }
  return seeds;
}

function greenSource(
  { seeding, vocabularySize }: HuggingFaceSettings,
  seedOf: SeedOf,
  width: number,
  ratio: number,
): GreenSource {
  const size = Math.trunc(vocabularySize * ratio);
  if (size < 1) {
    throw new TouchmarkError(
      'CONFIG_INVALID',
      `A share of ${ratio} leaves no green token among ${vocabularySize}.`,
      { hint: 'Set gamma to the greenlist_ratio of the server; it is 0.25 by default.' },
    );
  }
  const isGreen = (contexts: Int32Array, token: number): boolean =>
    isInPermutationStart(seedOf(contexts, 0, width, token), vocabularySize, size, token);
  const bits = (pairs: TokenPairs): Uint8Array =>
    listBits(pairSeeds(seedOf, pairs), pairs.tokens, vocabularySize, size);
  const share = size / vocabularySize;
  if (seeding === 'lefthash') {
    const list = (context: Int32Array, count: number): Uint8Array => {
      const seed = seedOf(context, 0, width, 0);
      const green = new Uint8Array(count);
      for (const token of permutationStart(seed, vocabularySize, size)) green[token] = 1;
      return green;
    };
    return { share, fixedSize: true, bits, list };
  }
  return {
    share,
    bits,
    list: (context, count) =>
      Uint8Array.from({ length: count }, (_, token) => (isGreen(context, token) ? 1 : 0)),
    listAmong: (context, logits) => {
      const green = new Uint8Array(logits.length);
      const likeliest = { promptLength: 0, topK: candidatesTried };
      for (const token of candidatesOf(logits, vocabularySize, likeliest).tokens) {
        if (isGreen(context, token)) green[token] = 1;
      }
      return green;
    },
  };
}

function listBits(
  seeds: Int32Array,
  tokens: Int32Array,
  vocabularySize: number,
  size: number,
): Uint8Array {
  const bits = new Uint8Array(tokens.length);
  const rowsOf = new Map<number, number[]>();
  seeds.forEach((seed, row) => {
    const rows = rowsOf.get(seed);
    if (rows) rows.push(row);
    else rowsOf.set(seed, [row]);
  });
  for (const [seed, rows] of rowsOf) {
    if (rows.length < worthShuffling) {
      for (const row of rows) {
        const token = tokens[row]!;
        bits[row] = isInPermutationStart(seed, vocabularySize, size, token) ? 1 : 0;
      }
    } else {
      const green = new Set(permutationStart(seed, vocabularySize, size));
      for (const row of rows) bits[row] = green.has(tokens[row]!) ? 1 : 0;
    }
  }
  return bits;
}

function requireKeyRange(hashingKey: bigint, seeding: HuggingFaceSettings['seeding']): void {
  const most = seeding === 'selfhash' ? 2n ** 63n : 2n ** 64n;
  if (hashingKey >= -(2n ** 63n) && hashingKey < most) return;
  throw new TouchmarkError('CONFIG_INVALID', `PyTorch refuses this hashing key for ${seeding}.`, {
    hint: `Give a whole number from -2^63 to ${seeding === 'selfhash' ? '2^63' : '2^64'} - 1.`,
  });
}

function cannotCarry(scheme: string): TouchmarkError {
  return new TouchmarkError('CONFIG_INVALID', `hugging-face cannot carry ${scheme}.`, {
    hint: 'Its lists carry green-list only.',
  });
}
