import type { TextPrf } from '../prfs/prf.ts';
import type { TextProfile } from '../profile.ts';
import { biasedListScheme } from './biased-list.ts';
import { greenListScheme } from './green-list.ts';
import { gumbelScheme } from './gumbel.ts';
import { dualGumbelScheme } from './gumbel-dual.ts';
import type { TextScheme } from './scheme.ts';
import { tournamentScheme } from './tournament.ts';

/**
 * Returns the profile's scheme over a pseudorandom function; a new scheme is a file and a line here.
 *
 * @throws TouchmarkError CONFIG_INVALID when the function cannot carry it
 */
export function openScheme(profile: TextProfile, prf: TextPrf): TextScheme {
  const { scheme, tokenizer } = profile;
  const second = prf.secondUniform?.();
  switch (scheme.name) {
    case 'green-list':
    case 'fixed-green-list':
      return greenListScheme(prf.green(scheme.gamma), scheme.delta, tokenizer.vocabularySize);
    case 'biased-list':
      return biasedListScheme(prf.green(0.5), scheme, tokenizer.vocabularySize);
    case 'gumbel':
      return second
        ? dualGumbelScheme(prf.uniform(), second, mixingOf(profile), tokenizer.vocabularySize)
        : gumbelScheme(prf.uniform(), tokenizer.vocabularySize);
    case 'tournament':
      return tournamentScheme(prf.leaf(scheme.depth), tokenizer.vocabularySize);
  }
}

/** The weight of a second key; vLLM's by default. */
export function mixingOf({ prf }: TextProfile): number {
  return (prf.name === 'vllm-philox' ? prf.alpha : undefined) ?? 0.1;
}
