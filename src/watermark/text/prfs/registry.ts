import { TouchmarkError } from '../../../errors.ts';
import type { TextProfile } from '../profile.ts';
import { type ForeignTextKey, foreignTextKey, type TextKey } from '../text-key.ts';
import { huggingFacePrf } from './hugging-face.ts';
import { nativePrf } from './native.ts';
import type { TextPrf } from './prf.ts';
import { synthIdDeepMindPrf } from './synthid-deepmind.ts';
import { synthIdHuggingFacePrf } from './synthid-hf.ts';
import { vllmDualPhiloxPrf, vllmPhiloxPrf } from './vllm-philox.ts';

/** The stack whose keys each function takes; `native` takes an epoch's. */
const stacks = {
  'hugging-face': 'hugging-face',
  'synthid-hf': 'synthid',
  'synthid-deepmind': 'synthid',
  'vllm-philox': 'vllm',
} as const;

/**
 * Returns the key that an epoch gives to the stack of a profile's function, as `keys export` writes
 * it; undefined for `native`, which takes the epoch key itself.
 */
export function foreignKeyOfProfile(
  { prf, scheme }: TextProfile,
  epochKey: Uint8Array,
): ForeignTextKey | undefined {
  if (prf.name === 'native') return undefined;
  const layers = scheme.name === 'tournament' ? scheme.depth : undefined;
  return foreignTextKey(epochKey, stacks[prf.name], layers);
}

/**
 * Returns the profile's pseudorandom function under a key; a new one is a file and a line here. An
 * epoch key opens other stacks' functions too, by the key that it gives to them.
 *
 * @throws TouchmarkError CONFIG_INVALID when the key is another stack's
 */
export function openPrf(profile: TextProfile, given: TextKey): TextPrf {
  const { prf, repeats, tokenizer } = profile;
  const own =
    given.stack === 'touchmark' ? foreignKeyOfProfile(profile, given.epochKey) : undefined;
  const key = own ?? given;
  if (prf.name === 'native' && key.stack === 'touchmark') {
    return nativePrf(key.epochKey, prf.contextWidth);
  }
  if (prf.name === 'hugging-face' && key.stack === 'hugging-face') {
    const { vocabularySize } = tokenizer;
    return huggingFacePrf({ ...prf, hashingKey: key.hashingKey, vocabularySize });
  }
  if (prf.name === 'synthid-hf' && key.stack === 'synthid') {
    return synthIdHuggingFacePrf(key.keys, prf.ngramLength);
  }
  if (prf.name === 'synthid-deepmind' && key.stack === 'synthid') {
    return synthIdDeepMindPrf(key.keys, prf.ngramLength);
  }
  if (prf.name === 'vllm-philox' && key.stack === 'vllm') {
    const open = prf.keys === 'dual' ? vllmDualPhiloxPrf : vllmPhiloxPrf;
    const { contextWidth } = prf;
    return open(key.key, { contextWidth, searchesPrompt: repeats === 'all' });
  }
  throw new TouchmarkError(
    'CONFIG_INVALID',
    `The profile marks with ${prf.name}, but the key is one of ${key.stack}.`,
    { hint: 'Give a key of the stack that made the text, or an epoch of the key ring.' },
  );
}
