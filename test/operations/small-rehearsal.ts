import type { RehearseOptions } from '../../src/operations/rehearse.ts';

/** Eight surrogates and two controls. */
export function smallRehearsal(configPath: string, questions: string): RehearseOptions {
  return {
    ...{ configPath, questions, environment: {}, shape: 'labels', quick: false },
    budgets: [400, 100],
    keys: 2,
    families: ['network-0', 'perceptron'],
    now: () => new Date('2026-03-01T00:00:00.000Z'),
    signal: new AbortController().signal,
  };
}
