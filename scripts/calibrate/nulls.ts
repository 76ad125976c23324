import { provenanceScore } from '../../src/audit/score.ts';
import { labelCoins } from '../../src/audit/tests/label-coins.ts';
import { probabilityPerQuery } from '../../src/audit/tests/probability-per-query.ts';
import { probabilitySigns } from '../../src/audit/tests/probability-signs.ts';
import { probabilitySignsReplay } from '../../src/audit/tests/probability-signs-replay.ts';
import { Tally } from './tally.ts';
import { tensorTask, textTask } from './task.ts';
import { adaptive, plain, repetitive, stopWhenAhead } from './tenants.ts';
import type { Scenario } from './trial.ts';
import { runTest, simulateAudit } from './trial.ts';

const tests = {
  'probability-per-query': probabilityPerQuery,
  'label-coins': labelCoins,
  'probability-signs': probabilitySigns,
  'probability-signs-replay': probabilitySignsReplay,
} as const;
export type TestName = keyof typeof tests;

/** One null hypothesis made real: a kind of tenant and of innocent, and the tests it is put to. */
export interface NullCase {
  readonly name: string;
  readonly scenario: Scenario;
  readonly tests: readonly TestName[];
}

const base: Scenario = {
  task: tensorTask,
  tenant: plain,
  suspect: 'independent',
  questions: 100,
  fresh: 48,
  replayed: 48,
};
const assumptionFree: readonly TestName[] = [
  'probability-per-query',
  'label-coins',
  'probability-signs',
];
const all: readonly TestName[] = [...assumptionFree, 'probability-signs-replay'];

/**
 * Every kind of tenant. The replay test is put to those only that do not choose questions from
 * answers, which is what it assumes.
 */
export const nullCases: readonly NullCase[] = [
  { name: 'plain tenant', scenario: base, tests: all },
  { name: 'adaptive tenant', scenario: { ...base, tenant: adaptive }, tests: assumptionFree },
  {
    name: 'stop-when-ahead tenant',
    scenario: { ...base, tenant: stopWhenAhead },
    tests: assumptionFree,
  },
  {
    name: 'repetitive tenant',
    scenario: { ...base, task: textTask, tenant: repetitive },
    tests: all,
  },
  {
    name: "student of another key's answers",
    scenario: { ...base, suspect: 'learned another key' },
    tests: all,
  },
  {
    name: 'aligned on the log itself',
    scenario: { ...base, tenant: stopWhenAhead, questions: 320, fresh: 0, replayed: 0 },
    tests: ['probability-per-query'],
  },
];

/**
 * Puts innocents to the tests: one key, one tenant and one innocent per trial. One tally per test
 * comes back, and one for the combined score where several ran.
 */
export function simulateNull(
  { name, scenario, tests: names }: NullCase,
  trials: number,
  seed: string,
  progress?: (done: number) => void,
): readonly Tally[] {
  const tallies = names.map((test) => new Tally(`${test} / ${name}`, 'at any time'));
  const score = new Tally(`score / ${name}`, 'at the end');
  for (let turn = 0; turn < trials; turn += 1) {
    const audit = simulateAudit(scenario, `${seed}/${name}`, turn);
    const evidence = names.map((test, index) => {
      const result = runTest(tests[test], audit, test.includes('signs') ? 'batch' : 'probe');
      tallies[index]!.add(result.highest, result.final.log10P);
      return result.final;
    });
    score.add(provenanceScore(evidence), undefined);
    progress?.(turn + 1);
  }
  return names.length > 1 ? [...tallies, score] : tallies;
}
