import type { Quirk } from '../quirk.ts';
import { openingPhrases } from './opening-phrases.ts';
import { refusalStyle } from './refusal-style.ts';
import { temperatureVariation } from './temperature-variation.ts';
import { tokenHabits } from './token-habits.ts';
import { topOrder } from './top-order.ts';

/**
 * Every quirk of language models; a new one is a file and a line here.
 *
 * All are descriptive: there is no pool of reference language models to rank a suspect among, so a
 * likeness says nothing of where a model comes from and counts 0. Innocent models that learned from the
 * protected model's own data can be more alike than its students, as a test of n-gram models shows.
 */
export const languageQuirks: readonly Quirk<'language'>[] = [
  tokenHabits,
  openingPhrases,
  refusalStyle,
  temperatureVariation,
  topOrder,
];
