import { expect } from 'vitest';
import {
  type NullCase,
  nullCases,
  simulateNull,
  type TestName,
} from '../../scripts/calibrate/nulls.ts';
import { excessive } from '../../scripts/calibrate/tally.ts';
import type { Scenario } from '../../scripts/calibrate/trial.ts';

/** Runs a case of the calibration in small: same tenants and innocents, shorter campaigns. */
export function expectNull(
  name: string,
  trials: number,
  tests: readonly TestName[],
  sizes: Pick<Scenario, 'questions' | 'fresh' | 'replayed'>,
  seed = 'test',
): void {
  const found = nullCases.find((each) => each.name === name);
  expect(found, name).toBeDefined();
  const { scenario } = found as NullCase;
  const tallies = simulateNull({ name, tests, scenario: { ...scenario, ...sizes } }, trials, seed);
  const rows = tallies.flatMap((tally) => tally.rows);
  expect(rows.length).toBeGreaterThan(0);
  expect(excessive(rows)).toEqual([]);
  for (const { name: test, superUniformP } of tallies) {
    if (superUniformP !== undefined) expect(superUniformP, test).toBeGreaterThan(0.001);
  }
}
