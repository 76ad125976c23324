import {
  type NextTokenModel,
  SharedDistribution,
} from '../../../src/models/language/next-token-model.ts';

/** A model that says the same after every context: some tokens by name, all others as shared. */
export function fixedModel(
  shared: readonly number[],
  named: Readonly<Record<number, number>> = {},
): NextTokenModel {
  const tokens = Int32Array.from(Object.keys(named), Number);
  const probabilities = Float64Array.from(Object.values(named));
  const sharedRest = shared.reduce((sum, each, token) => sum + (token in named ? 0 : each), 0);
  const rest = 1 - probabilities.reduce((sum, each) => sum + each, 0);
  return {
    vocabularySize: shared.length,
    shared: new SharedDistribution(Float32Array.from(shared)),
    next: () => ({ tokens, probabilities, sharedWeight: rest / sharedRest }),
  };
}
