import jstat from 'jstat';
import { log10BinomialUpperTail } from '../../src/stats/tails/binomial.ts';
import { type BenchRow, microsecondsPer } from './measure.ts';

/** jStat's regularised incomplete beta function, which our own types leave out on purpose. */
const { ibeta } = jstat as unknown as {
  ibeta(x: number, alpha: number, beta: number): number;
};

/** Fair coins whose tail jStat can still tell from zero. */
const cases = [20, 100, 500, 1000, 2000].flatMap((trials) =>
  [0.5, 0.55, 0.6].map((share) => ({ trials, hits: Math.ceil(share * trials) })),
);

/** The binomial tail in log space against jStat's, where jStat gives a number at all. */
export function benchBinomialTail(): readonly BenchRow[] {
  const value = microsecondsPer(cases, ({ hits, trials }) =>
    log10BinomialUpperTail(hits, trials, 0.5),
  );
  const other = microsecondsPer(cases, ({ hits, trials }) =>
    Math.log10(ibeta(0.5, hits, trials - hits + 1)),
  );
  return [
    {
      name: 'stats/binomial-tail',
      value,
      unit: 'microseconds per tail',
      ratio: value / other,
      against: `jStat's incomplete beta function: ${other.toFixed(2)} microseconds`,
    },
  ];
}
