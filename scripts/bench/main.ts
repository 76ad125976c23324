/** Measures what marking, testing and logging cost. */
import yargs from 'yargs';
import { hideBin } from 'yargs/helpers';
import { benchBinomialTail } from './binomial-tail.ts';
import { benchEmbedding } from './embed.ts';
import { benchLedger } from './ledger-append.ts';
import type { BenchRow } from './measure.ts';

const benches: Readonly<Record<string, () => readonly BenchRow[] | Promise<readonly BenchRow[]>>> =
  { embed: benchEmbedding, stats: benchBinomialTail, ledger: benchLedger };

const { json } = await yargs(hideBin(process.argv))
  .scriptName('bench')
  .option('json', { type: 'boolean', default: false, describe: 'print rows as JSON' })
  .strict()
  .parseAsync();

const rows: BenchRow[] = [];
for (const [name, bench] of Object.entries(benches)) {
  process.stderr.write(`measuring ${name}\n`);
  rows.push(...(await bench()));
}
process.stdout.write(json ? `${JSON.stringify(rows, null, 2)}\n` : rows.map(line).join(''));

function line({ name, value, unit, ratio, against }: BenchRow): string {
  return `${name.padEnd(26)} ${value.toFixed(2).padStart(8)} ${unit}; ${ratio.toFixed(3)} of ${against}\n`;
}
