import type { DemoResult } from '../document.ts';
import { bansColumn, demoTable } from '../table.ts';
import { scorePair } from './scores.ts';

/** The demonstration's suspects, with the scores that they have without traps beside those with. */
export function trapsTable(result: DemoResult, example: string): string {
  return demoTable(
    result,
    `Protected: ${result.protected.name}, ${result.protected.labels} languages`,
    [
      bansColumn('per-query', 'probability-per-query'),
      bansColumn('signs', 'probability-signs'),
      bansColumn('coin traps', 'label-coins'),
      bansColumn('region traps', 'region-traps'),
      ['without traps', (suspect) => scorePair(suspect).without.toFixed(1)],
    ],
    [
      'Numbers are bans: log10 of the e-value. The score counts everything, region traps with half a stake',
      '(1/2 + E/2); "without traps" is the score of the other tests alone, which no coin is part of. Each suspect was shown its own lot',
      'of traps, and nobody will be shown them again. The student of another owner learned from this very',
      'model, which is what region traps tell; keyed tests say that it was not from our answers.',
      '',
      `Reports: ${example} and one for each suspect beside it`,
    ],
  );
}
