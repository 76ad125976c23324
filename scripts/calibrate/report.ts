import type { Row } from './tally.ts';
import type { FixedKeyRates } from './text/run.ts';

/** Writes rates as a table, one a line. */
export function rateTable(rows: readonly Row[]): string {
  const width = Math.max(...rows.map(({ name }) => name.length));
  const header = `${'null'.padEnd(width)}  nominal    rate   95% interval      trials\n`;
  return rows.reduce(
    (text, { name, nominal, rate, lower95, upper95, trials }) =>
      `${text}${[
        name.padEnd(width),
        percent(nominal).padStart(7),
        percent(rate).padStart(6),
        `${percent(lower95)} - ${percent(upper95)}`.padStart(16),
        String(trials).padStart(7),
      ].join('  ')}\n`,
    header,
  );
}

/** Says for each case what the middle and the worst of its fixed keys did. */
export function fixedKeyLines(cases: readonly FixedKeyRates[]): string[] {
  return cases.map(({ name, rows }) => {
    const rates = rows.map(({ rate }) => rate).sort((left, right) => left - right);
    const middle = (rates[(rates.length - 1) >> 1]! + rates[rates.length >> 1]!) / 2;
    const { trials, nominal } = rows[0]!;
    return `${rates.length} fixed keys, ${trials} texts each, p <= ${nominal / 2}: median ${percent(middle)}, worst ${percent(rates.at(-1)!)}: ${name}`;
  });
}

export function percent(share: number): string {
  return `${(100 * share).toFixed(share < 0.01 ? 3 : 2)}%`;
}
