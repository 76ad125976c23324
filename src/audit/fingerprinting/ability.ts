import type { Input } from '../../contracts.ts';
import { labelsOf } from '../../models/training/layers.ts';
import type { ReferenceModel } from '../../models/training/reference-models.ts';
import { readRows } from '../../models/training/search-features.ts';
import type { FeatureMap } from '../../watermark/classifier-profile.ts';

/** How often models are right on labelled questions that no reference learnt from. */
export interface Ability {
  readonly questions: number;
  /** Shares of right answers: of the protected model, and those between which four fifths of references lie. */
  readonly protectedModel: number;
  readonly least: number;
  readonly most: number;
}

/**
 * Measures the protected model's ability beside that of the references that select.
 *
 * @param expected index of the true class of each question
 * @param answered index of the class that the protected model gives
 */
export function abilityOf(
  questions: readonly Input[],
  expected: readonly number[],
  answered: ArrayLike<number>,
  references: readonly ReferenceModel[],
  features: FeatureMap,
): Ability {
  const share = (labels: ArrayLike<number>) =>
    expected.filter((label, question) => labels[question] === label).length /
    Math.max(1, expected.length);
  const selecting = references.filter(({ part }) => part === 'select');
  const shares = labelsOf(
    selecting.map(({ layers }) => layers),
    readRows(features, questions),
  )
    .map(share)
    .sort((one, two) => one - two);
  const quantile = (part: number) => shares[Math.round(part * (shares.length - 1))] ?? 0;
  return {
    questions: questions.length,
    protectedModel: share(answered),
    least: quantile(0.1),
    most: quantile(0.9),
  };
}

/**
 * Says whether references can stand for models like the protected one. Where it is better than nearly
 * all of them, or worse, so is every model of its ability, and being right or wrong where they are not
 * looks like having learnt from it.
 */
export function isComparable({ questions, protectedModel, least, most }: Ability): boolean {
  return questions > 0 && protectedModel >= least && protectedModel <= most;
}
