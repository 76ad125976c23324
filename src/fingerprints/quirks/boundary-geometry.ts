import { noCrossing, unknownCrossing } from '../classifier-answers.ts';
import { closeness } from '../likeness.ts';
import type { Quirk } from '../quirk.ts';

/** Where a pair stands whose ends are answered alike: a step behind the second end. */
const behind = 1.1;

/** Where on the way from one question to another a model's answer changes, found by bisection. */
export const boundaryGeometry: Quirk<'classify'> = {
  name: 'boundary-geometry',
  task: 'classify',
  meaning: 'Where its answer changes on the way from one question to another.',
  extract: ({ crossings }) =>
    crossings.length > 0 ? Float64Array.from(crossings, place) : undefined,
  compare: closeness,
};

function place(crossing: number): number {
  if (crossing === unknownCrossing) return Number.NaN;
  return crossing === noCrossing ? behind : crossing;
}
