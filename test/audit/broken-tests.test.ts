import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { excessive, Tally } from '../../scripts/calibrate/tally.ts';
import { tensorTask, textTask } from '../../scripts/calibrate/task.ts';
import { plain, repetitive, stopWhenAhead } from '../../scripts/calibrate/tenants.ts';
import {
  type Audit,
  logged,
  runTest,
  type Scenario,
  simulateAudit,
} from '../../scripts/calibrate/trial.ts';
import { labelCoins } from '../../src/audit/tests/label-coins.ts';
import { probabilitySigns } from '../../src/audit/tests/probability-signs.ts';
import { classifierKeys } from '../../src/keys/classifier-keys.ts';
import { log10BinomialUpperTail } from '../../src/stats/tails/binomial.ts';

const trials = 200;
const scenario: Scenario = {
  task: tensorTask,
  tenant: plain,
  suspect: 'independent',
  questions: 50,
  fresh: 0,
  replayed: 0,
};

/** Names the rates at which a tampered audit accuses innocents too often. */
function accusations(
  name: string,
  options: Scenario,
  measure: (audit: Audit) => { readonly log10E: number; readonly log10P: number | undefined },
  count = trials,
): string[] {
  const tally = new Tally(name, 'at any time');
  for (let turn = 0; turn < count; turn += 1) {
    const { log10E, log10P } = measure(simulateAudit(options, name, turn));
    tally.add(log10E, log10P);
  }
  return excessive(tally.rows).map((row) => row.name);
}

function coinsOf(audit: Pick<Audit, 'material' | 'suspect'>) {
  const { highest, final } = runTest(labelCoins, audit, 'probe');
  return { log10E: highest, log10P: final.log10P };
}

describe('the null check finds an audit that', () => {
  it('counts a repeated question as a fresh coin', () => {
    const options = { ...scenario, task: textTask, tenant: repetitive, questions: 120 };
    expect(accusations('first occurrences', options, coinsOf)).toEqual([]);
    const repeated = accusations('repeats', options, ({ material, suspect, records }) =>
      coinsOf({ suspect, material: { ...material, coins: logged(records, () => [], 0) } }),
    );
    expect(repeated).toContain('repeats / E >= 20 at any time');
  });

  it('drops half of the misses after looking', () => {
    const options = { ...scenario, questions: 100 };
    const dropped = accusations('dropped', options, ({ material, suspect }) => {
      const kept = material.coins.filter(({ record }, index) => {
        const outcome = suspect(record.input);
        const label = 'answer' in outcome ? outcome.answer.label : '';
        return index % 2 > 0 || label === material.profile.labels[record.label];
      });
      return coinsOf({ suspect, material: { ...material, coins: kept } });
    });
    expect(dropped).toContain('dropped / E >= 20 at any time');
  });

  it('picks the key that suits the suspect best', () => {
    const options = { ...scenario, questions: 1, fresh: 20 };
    const picked = accusations(
      'picked',
      options,
      ({ material, epochKey: own, suspect }) => {
        const results = Array.from({ length: 8 }, (_, attempt) => {
          const epochKey = createHash('sha256').update(own).update(String(attempt)).digest();
          return runTest(
            probabilitySigns,
            { suspect, material: { ...material, keys: classifierKeys(epochKey) } },
            'batch',
          );
        });
        return {
          log10E: Math.max(...results.map(({ highest }) => highest)),
          log10P: Math.min(...results.map(({ final }) => final.log10P ?? 0)),
        };
      },
      100,
    );
    expect(picked).toContain('picked / p <= 0.05');
  });

  it('reads a binomial p-value wherever a tenant stopped that was ahead', () => {
    const tally = new Tally('stopped', 'at any time');
    for (let turn = 0; turn < 2 * trials; turn += 1) {
      const options = { ...scenario, tenant: stopWhenAhead, questions: 100 };
      const { final } = runTest(labelCoins, simulateAudit(options, 'stopped', 2 * turn), 'batch');
      const { hits, coins } = final.effect;
      tally.add(0, coins ? log10BinomialUpperTail(hits ?? 0, coins, 0.5) : undefined);
    }
    expect(tally.superUniformP).toBeLessThan(1e-4);
  });
});
