import { expect } from 'vitest';
import {
  type NullCase,
  nullCases,
  simulateNull,
  type TestName,
} from '../../scripts/calibrate/nulls.ts';
import { excessive } from '../../scripts/calibrate/tally.ts';
import type { Scenario } from '../../scripts/calibrate/trial.ts';

/**
 * How often a case may fail although the audit is right: a new layout of the keys is a new draw for
 * every case of the suite, and none is drawn again under another seed.
 */
const falseAlarm = 1e-4;

/** Runs a case of the calibration in small: same tenants and innocents, shorter campaigns. */
export function expectNull(
  name: string,
  trials: number,
  tests: readonly TestName[],
  sizes: Pick<Scenario, 'questions' | 'fresh' | 'replayed'>,
): void {
  const found = nullCases.find((each) => each.name === name);
  expect(found, name).toBeDefined();
  const { scenario } = found as NullCase;
  const tallies = simulateNull(
    { name, tests, scenario: { ...scenario, ...sizes } },
    trials,
    'test',
  );
  const rows = tallies.flatMap((tally) => tally.rows);
  expect(rows.length).toBeGreaterThan(0);
  expect(excessive(rows, 1 - falseAlarm)).toEqual([]);
  for (const { name: test, superUniformP } of tallies) {
    if (superUniformP !== undefined)
      expect(superUniformP, test).toBeGreaterThan(falseAlarm / tallies.length);
  }
}
