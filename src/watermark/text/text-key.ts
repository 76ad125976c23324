import { z } from 'zod';
import { TouchmarkError } from '../../errors.ts';
import { derivePurposeKey } from '../../keys/derivation.ts';
import { KeyedStream } from '../../keys/keyed-stream.ts';

/** What a text is marked with: an epoch's key, or the numbers that another serving stack was given. */
export type TextKey =
  | { readonly stack: 'touchmark'; readonly epochKey: Uint8Array }
  | { readonly stack: 'hugging-face'; readonly hashingKey: bigint }
  | { readonly stack: 'synthid'; readonly keys: readonly number[] }
  | { readonly stack: 'vllm'; readonly key: bigint };

/** The numbers that another serving stack marks with. */
export type ForeignTextKey = Exclude<TextKey, { readonly stack: 'touchmark' }>;

const wholeNumber = z.union([
  z.int(),
  z.string().regex(/^-?\d{1,20}$/, 'not a whole number in decimal digits'),
]);
const keySchema = z.discriminatedUnion('stack', [
  z.strictObject({ stack: z.literal('hugging-face'), hashingKey: wholeNumber }),
  z.strictObject({
    stack: z.literal('synthid'),
    keys: z.array(z.int().min(0)).min(1).max(1024),
  }),
  z.strictObject({ stack: z.literal('vllm'), key: wholeNumber }),
]);

/** Keys that other stacks ship as defaults: whoever knows them can make or fake the mark. */
const publicHashingKey = 15485863n;
const publicSynthIdKeys = [
  654, 400, 836, 123, 340, 443, 597, 160, 57, 29, 590, 639, 13, 715, 468, 990, 966, 226, 324, 585,
  118, 504, 421, 521, 129, 669, 732, 225, 90, 960,
];

/** What `keys export` writes for another stack's server: the key is one part of it. */
const exportedSchema = z.looseObject({
  schema: z.literal('touchmark/text-server-key@1'),
  key: z.unknown(),
});

/**
 * Reads another stack's key: `{"stack": "hugging-face", "hashingKey": 15485863}`,
 * `{"stack": "synthid", "keys": [...]}` or `{"stack": "vllm", "key": "42"}`, numbers beyond 2^53
 * as strings; or the document of `keys export` that holds one.
 *
 * @throws TouchmarkError INPUT_INVALID that never repeats what it read
 */
export function parseForeignTextKey(value: unknown, where: string): ForeignTextKey {
  const exported = exportedSchema.safeParse(value);
  const parsed = keySchema.safeParse(exported.success ? exported.data.key : value);
  if (!parsed.success) {
    const fields = parsed.error.issues.map(({ path }) => path.join('.') || 'the whole').join(', ');
    throw new TouchmarkError('INPUT_INVALID', `${where} is not a text key: see ${fields}.`, {
      hint: 'Write {"stack": "hugging-face", "hashingKey": N}, {"stack": "synthid", "keys": [N, ...]} or {"stack": "vllm", "key": N}.',
    });
  }
  const { data } = parsed;
  if (data.stack === 'synthid') return data;
  if (data.stack === 'vllm') return { stack: 'vllm', key: BigInt(data.key) };
  return { stack: 'hugging-face', hashingKey: BigInt(data.hashingKey) };
}

/** SynthID's keys unless a profile has another number of layers. */
export const synthIdLayers = 30;
const synthIdKeyResidues = 65536;

/**
 * Returns the key of an epoch in another stack's form, each from a purpose key of its own, so that
 * none of them tells anything of the others or of the epoch key.
 *
 * hugging-face: the first 53 bits of the purpose key, with the last one set: odd, so that no two
 * tokens share a seed, and exact in every JSON reader. synthid: numbers of 32 bits whose residues
 * modulo 65536 all differ. vllm: the first 64 bits.
 *
 * @param layers SynthID's depth, 1 to 1024
 * @throws TouchmarkError INPUT_INVALID when the epoch key does not have 32 bytes
 */
export function foreignTextKey(
  epochKey: Uint8Array,
  stack: ForeignTextKey['stack'],
  layers = synthIdLayers,
): ForeignTextKey {
  if (stack === 'synthid') {
    return { stack, keys: distinctKeys(derivePurposeKey(epochKey, 'text-synthid'), layers) };
  }
  if (stack === 'vllm') {
    return { stack, key: derivePurposeKey(epochKey, 'text-vllm').readBigUInt64BE() };
  }
  const purposeKey = derivePurposeKey(epochKey, 'text-hugging-face');
  return { stack, hashingKey: (purposeKey.readBigUInt64BE() >> 11n) | 1n };
}

/** Writes a key in the form that `parseForeignTextKey` reads. */
export function foreignTextKeyDocument(key: ForeignTextKey): Readonly<Record<string, unknown>> {
  if (key.stack === 'synthid') return key;
  return key.stack === 'vllm'
    ? { stack: key.stack, key: String(key.key) }
    : { stack: key.stack, hashingKey: String(key.hashingKey) };
}

function distinctKeys(purposeKey: Uint8Array, count: number): readonly number[] {
  const stream = new KeyedStream(purposeKey, 'keys');
  const keys = new Map<number, number>();
  while (keys.size < count) {
    const key = stream.nextUint32();
    const residue = key % synthIdKeyResidues;
    if (!keys.has(residue)) keys.set(residue, key);
  }
  return [...keys.values()];
}

/** Says whether a key is one that everybody knows; a mark under it is no evidence of anything. */
export function isPublicKey(key: TextKey): boolean {
  if (key.stack === 'hugging-face') return key.hashingKey === publicHashingKey;
  return key.stack === 'synthid' && key.keys.every((each) => publicSynthIdKeys.includes(each));
}
