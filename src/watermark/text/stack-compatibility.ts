import type { TextProfile } from './profile.ts';

/** Which other serving stack a profile's function comes from, and whether that stack can read it. */
export interface StackCompatibility {
  readonly stack: 'transformers' | 'synthid-text' | 'vllm';
  /** Why the stack does not make or find this mark; none when it does. */
  readonly differences: readonly string[];
}

/**
 * Says whether the stack that defines a profile's function makes and reads the profile's mark: every
 * function carries several schemes here, but each stack knows one of them only.
 *
 * @returns undefined for the native function, which no other stack has
 */
export function stackCompatibility(profile: TextProfile): StackCompatibility | undefined {
  const { prf, scheme, repeats } = profile;
  if (prf.name === 'native') return undefined;
  if (prf.name === 'hugging-face') {
    const marked = 'transformers marks every context: set repeats to "mark"';
    return { stack: 'transformers', differences: repeats === 'mark' ? [] : [marked] };
  }
  const own = prf.name === 'vllm-philox' ? 'gumbel' : 'tournament';
  const differences =
    scheme.name === own ? [] : [`with ${prf.name} it knows ${own} only, not ${scheme.name}`];
  if (prf.name === 'vllm-philox') {
    if (prf.contextWidth === 0) differences.push('vLLM needs a contextWidth of 1 or more');
    return { stack: 'vllm', differences };
  }
  if (repeats !== 'turn') {
    differences.push('SynthID leaves repeated contexts of a turn alone: set repeats to "turn"');
  }
  if (prf.ngramLength === 1) differences.push('SynthID needs an ngramLength of 2 or more');
  return {
    stack: prf.name === 'synthid-hf' ? 'transformers' : 'synthid-text',
    differences,
  };
}
