import type { TrapSource } from '../../../src/operations/traps/source.ts';
import type { TrapSet } from '../../../src/traps/trap-set.ts';
import { coinSet, regionSet } from './scene.ts';

/** A source of region traps that never runs dry: sets of two lots with two traps each. */
export const regionSource: TrapSource = {
  kind: 'region',
  build: async ({ wanted }) => {
    const sets: TrapSet[] = [];
    for (let built = 0; built < wanted; built += 4) sets.push(regionSet([2, 2]));
    return { sets, why: undefined };
  },
};

/** A source of coin traps that goes on after the last record of any set that was ever sealed. */
export const coinSource: TrapSource = {
  kind: 'coin',
  build: async ({ stock, target, wanted }) => {
    const own = stock.sets.filter(({ sealed }) => sealed.epoch === target.epoch);
    const from = Math.max(0, ...own.map(({ sealed }) => (sealed.records?.through ?? 0) + 1));
    return { sets: [coinSet(from, wanted, 4, target.epoch ?? '')], why: undefined };
  },
};

export const fakeSources = [coinSource, regionSource];
