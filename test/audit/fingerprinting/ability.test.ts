import { describe, expect, it } from 'vitest';
import { abilityOf, isComparable } from '../../../src/audit/fingerprinting/ability.ts';
import type { TensorInput } from '../../../src/contracts.ts';
import type {
  ReferenceModel,
  ReferencePart,
} from '../../../src/models/training/reference-models.ts';

const point = (value: number): TensorInput => ({ shape: [1], data: Float32Array.of(value) });
const questions = [-2, -1, 1, 2].map(point);
const expected = [0, 0, 1, 1];
const features = { kind: 'tensor', shape: [1], mean: [0], deviation: [1] } as const;

/** A linear model that says 1 from a threshold on. */
function lineReference(threshold: number, part: ReferencePart): ReferenceModel {
  const weights = Float32Array.of(0, 1, 0, 0, 0, -threshold, 0, 0);
  const layers = { classes: 2, layers: [{ inputs: 1, units: 4, weights }] };
  return { name: `${threshold}/${part}`, kind: 'same', part, family: 'network-0', layers };
}

const references = [
  lineReference(0, 'select'),
  lineReference(-3, 'select'),
  lineReference(0, 'calibrate'),
];

describe('abilityOf', () => {
  it('counts right answers of the protected model and of the references that select', () => {
    const ability = abilityOf(questions, expected, [0, 1, 1, 1], references, features);
    expect(ability).toEqual({ questions: 4, protectedModel: 0.75, least: 0.5, most: 1 });
    expect(isComparable(ability)).toBe(true);
  });

  it('is none without a question, and then comparable to nobody', () => {
    const ability = abilityOf([], [], [], references, features);
    expect(ability).toEqual({ questions: 0, protectedModel: 0, least: 0, most: 0 });
    expect(isComparable(ability)).toBe(false);
  });

  it.each([
    ['better than nearly all references', 1, 0.5, 0.75, false],
    ['worse than nearly all references', 0.25, 0.5, 0.75, false],
    ['as good as the best', 0.75, 0.5, 0.75, true],
  ])('a model that is %s', (_, protectedModel, least, most, comparable) => {
    expect(isComparable({ questions: 4, protectedModel, least, most })).toBe(comparable);
  });
});
