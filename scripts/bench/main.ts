/** Measures what marking, testing and logging cost. */
import yargs from 'yargs';
import { hideBin } from 'yargs/helpers';
import { benchBinomialTail } from './binomial-tail.ts';
import { benchEmbedding } from './embed.ts';
import { benchLedger } from './ledger-append.ts';
import type { BenchRow } from './measure.ts';
import { benchText } from './text.ts';

const benches: Readonly<Record<string, () => readonly BenchRow[] | Promise<readonly BenchRow[]>>> =
  { embed: benchEmbedding, stats: benchBinomialTail, ledger: benchLedger, text: benchText };

const { json, only } = await yargs(hideBin(process.argv))
  .scriptName('bench')
  .option('json', { type: 'boolean', default: false, describe: 'print rows as JSON' })
  .option('only', {
    choices: Object.keys(benches),
    type: 'string',
    array: true,
    describe: 'measure these alone',
  })
  .strict()
  .parseAsync();

const rows: BenchRow[] = [];
for (const [name, bench] of Object.entries(benches)) {
  if (only && !only.includes(name)) continue;
  process.stderr.write(`measuring ${name}\n`);
  rows.push(...(await bench()));
}
process.stdout.write(json ? `${JSON.stringify(rows, null, 2)}\n` : rows.map(line).join(''));

function line({ name, value, unit, ratio, against }: BenchRow): string {
  return `${name.padEnd(26)} ${value.toFixed(2).padStart(8)} ${unit}; ${ratio.toFixed(3)} of ${against}\n`;
}
