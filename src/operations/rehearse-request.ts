import type { AnswerShape } from '../audit/rehearsal.ts';
import { TouchmarkError } from '../errors.ts';
import type { ModelFamily } from '../models/training/model-families.ts';

/** Each about three times the one before: power grows with the logarithm of answers. */
const usualBudgets = [300, 1000, 3000, 10_000];
const usualFamilies: readonly ModelFamily[] = [0, 24, 64, 128, 256].map(
  (units): ModelFamily => `network-${units}`,
);
/** With five families 60 students of each budget; 59 are the fewest that can show a power of .95. */
const usualKeys = 12;
const quick = { budgets: [300, 1000], families: ['network-0', 'network-64'], keys: 2 } as const;
const largestHidden = 4096;

/** What to rehearse. */
export interface RehearsalRequest {
  readonly shape: AnswerShape;
  /** Served answers that students learn from; 300, 1000, 3000 and 10000 as far as questions reach. */
  readonly budgets?: readonly number[] | undefined;
  /** Students of each family and budget, each under a key of its own; 12 by default. */
  readonly keys?: number | undefined;
  readonly families?: readonly string[] | undefined;
  /** A file of questions that students ask, instead of half of `inputs.twin`. */
  readonly questions?: string | undefined;
  /** A first look with few students, which gives no audit its power. */
  readonly quick: boolean;
}

/** Returns the families to rehearse. @throws USAGE for one that is none */
export function familiesOf({ families, quick: isQuick }: RehearsalRequest): readonly ModelFamily[] {
  if (families === undefined) return isQuick ? quick.families : usualFamilies;
  const odd = families.find((family) => !isFamily(family));
  if (odd === undefined && families.length > 0) return [...new Set(families)] as ModelFamily[];
  throw new TouchmarkError('USAGE', `${JSON.stringify(odd ?? '')} is no family of students.`, {
    hint: `Give naive-bayes, perceptron, or network-N with N hidden units, 0 or a multiple of 4 up to ${largestHidden}.`,
  });
}

function isFamily(family: string): boolean {
  if (family === 'naive-bayes' || family === 'perceptron') return true;
  const [, units] = /^network-(0|[1-9]\d*)$/.exec(family) ?? [];
  return units !== undefined && Number(units) % 4 === 0 && Number(units) <= largestHidden;
}

/**
 * Returns the budgets to rehearse, ascending.
 *
 * @param reach how many different questions students can ask
 * @throws USAGE, or INPUT_INVALID when one that was asked for, or every one, is out of reach
 */
export function budgetsOf(request: RehearsalRequest, reach: number): readonly number[] {
  const { budgets } = request;
  const wanted = budgets ?? (request.quick ? quick.budgets : usualBudgets);
  for (const budget of wanted) wholeNumber(budget, '--budgets');
  const sorted = [...new Set(wanted)].sort((left, right) => left - right);
  const within = sorted.filter((budget) => budget <= reach);
  if (within.length > 0 && (budgets === undefined || within.length === sorted.length)) {
    return within;
  }
  throw new TouchmarkError(
    'INPUT_INVALID',
    `Students can ask ${reach} different questions, and ${sorted.find((budget) => budget > reach) ?? 'none'} are wanted.`,
    {
      hint: 'Put more of your own in inputs.twin (students ask half of it), give --questions FILE, or smaller --budgets.',
    },
  );
}

/** Returns how many students of each family and budget to rehearse. @throws USAGE */
export function keysOf({ keys, quick: isQuick }: RehearsalRequest): number {
  return wholeNumber(keys ?? (isQuick ? quick.keys : usualKeys), '--keys');
}

function wholeNumber(value: number, flag: string): number {
  if (Number.isSafeInteger(value) && value >= 1) return value;
  throw new TouchmarkError('USAGE', `${flag} has ${value}.`, {
    hint: `${flag} takes whole numbers of at least 1.`,
  });
}
