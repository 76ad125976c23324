import { describe, expect, it } from 'vitest';
import { excessive } from '../../scripts/calibrate/tally.ts';
import {
  dealSealedLots,
  fixedSizeControl,
  simulateTraps,
  trapCases,
} from '../../scripts/calibrate/traps.ts';
import { runTest, simulateAudit } from '../../scripts/calibrate/trial.ts';
import { labelCoins } from '../../src/audit/tests/label-coins.ts';

const caseOf = (name: string) => trapCases.find((each) => each.name.endsWith(name))!;

describe('innocents before coin traps', () => {
  it.each([
    ['all coins / adaptive tenant', 150],
    ['all coins / tenant that asks for coins until ahead', 400],
    ['thinned / traffic-shaping tenant', 25],
  ])('are not accused by lots of %s', (name, trials) => {
    const { rows, meanCoins } = simulateTraps(caseOf(name), trials, 'test');
    expect(meanCoins).toBeGreaterThan(0.5);
    expect(excessive(rows)).toEqual([]);
  });

  it('would be accused too often by lots of fixed size, dealt when the tenant has stopped', () => {
    const { randomised } = simulateTraps(fixedSizeControl, 300, 'x');
    expect(excessive([randomised])).toEqual([randomised]);
  });

  it('are asked exactly the coins of the claimed lots, in served order', () => {
    const { scenario } = caseOf('all coins / plain tenant');
    const audit = simulateAudit(scenario, 'asked', 0);
    const { material, suspect } = audit;
    const coins = dealSealedLots(audit, 1);
    const asked: string[] = [];
    const watched = (input: Parameters<typeof suspect>[0]) => suspect(input);
    runTest(
      labelCoins,
      {
        material: { ...material, coins },
        suspect: (input) => {
          asked.push(String(coins.find(({ record }) => record.input === input)?.probe.id));
          return watched(input);
        },
      },
      'batch',
    );
    expect(asked).toEqual(coins.map(({ probe }) => probe.id));
    expect(asked.length).toBeGreaterThan(0);
    const places = coins.map(({ record }) => record.sequence);
    expect(places).toEqual([...places].sort((left, right) => left - right));
    for (const { record } of coins) expect(record.marks.coin).toBeDefined();
  });

  it('find fair coins in a lot, over keys', () => {
    const { scenario } = caseOf('all coins / plain tenant');
    let [ones, all] = [0, 0];
    for (let turn = 0; turn < 40; turn += 1) {
      const audit = simulateAudit({ ...scenario, questions: 100 }, 'fair', turn);
      const outcomes = dealSealedLots(audit, 1).map(({ record }) => record.marks.coin!.outcome);
      ones += outcomes.filter((outcome) => outcome === 1).length;
      all += outcomes.length;
    }
    expect(all).toBeGreaterThan(100);
    expect(Math.abs(ones - all / 2)).toBeLessThan(4 * Math.sqrt(all / 4));
  });
});
