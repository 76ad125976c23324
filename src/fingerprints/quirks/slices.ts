import type { ClassifierProbeSet, SliceName } from '../probe-set.ts';
import type { Quirk } from '../quirk.ts';
import { choicesAt, sharedChoices } from './label-choices.ts';

/** Labels of questions that are unlike the others. */
export const rareSlice = slice('rare', 'Which label it gives to questions that are unlike most.');

/** Labels of questions on which reference models disagree. */
export const hardSlice = slice(
  'hard',
  'Which label it gives to questions on which other models disagree.',
);

function slice(name: SliceName, meaning: string): Quirk<'classify'> {
  return {
    name: `${name}-slice`,
    task: 'classify',
    meaning,
    extract(answers, probes) {
      const questions = questionsOf(probes, name);
      return questions.length > 0 ? choicesAt(answers, probes, questions) : undefined;
    },
    compare: sharedChoices,
  };
}

function questionsOf({ questions }: ClassifierProbeSet, name: SliceName): number[] {
  return questions.flatMap(({ slices = [] }, index) => (slices.includes(name) ? [index] : []));
}
