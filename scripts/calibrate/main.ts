/** Counts how often innocents are accused, through every keyed test, and fails when it is too often. */
import yargs from 'yargs';
import { hideBin } from 'yargs/helpers';
import { nullCases, simulateNull } from './nulls.ts';
import { detectableRate, excessive, type Row } from './tally.ts';

const { trials, json, seed } = await yargs(hideBin(process.argv))
  .scriptName('calibrate')
  .option('trials', { type: 'number', default: 2000, describe: 'keys per kind of tenant' })
  .option('seed', {
    type: 'string',
    default: 'calibrate',
    describe: 'of tasks, innocents and keys',
  })
  .option('json', { type: 'boolean', default: false, describe: 'print rows as JSON' })
  .check((options) => Number.isSafeInteger(options.trials) && options.trials >= 100)
  .strict()
  .parseAsync();

const tallies = nullCases.flatMap((nullCase) =>
  simulateNull(nullCase, trials, seed, (done) => {
    if (done % 500 === 0 || done === trials)
      say(`${nullCase.name}: ${done} of ${trials} innocents`);
  }),
);
const rows = tallies.flatMap((tally) => tally.rows);
const uniformity = tallies.flatMap(({ name, superUniformP }) =>
  superUniformP === undefined ? [] : [{ name, superUniformP }],
);
const tooSmall = uniformity.filter((each) => each.superUniformP < 0.05 / uniformity.length);
const tooOften = excessive(rows);

process.stdout.write(json ? `${JSON.stringify(rows, null, 2)}\n` : table(rows));
for (const nominal of [0.05, 0.01]) {
  const rate = percent(detectableRate(nominal, trials, rows.length));
  say(`a true rate of ${rate} at a nominal ${percent(nominal)} would have been found (95% sure)`);
}
const least = Math.min(...uniformity.map((each) => each.superUniformP));
say(`${uniformity.length} Kolmogorov-Smirnov tests of p-values: least ${least.toPrecision(2)}`);
for (const { name, rate, nominal } of tooOften) {
  say(`TOO OFTEN: ${name}: ${percent(rate)} at a nominal ${percent(nominal)}`);
}
for (const { name, superUniformP } of tooSmall) {
  say(`TOO SMALL: p-values of ${name}: Kolmogorov-Smirnov p ${superUniformP.toPrecision(2)}`);
}
if (tooOften.length + tooSmall.length > 0) process.exitCode = 1;
else say(`all ${rows.length} rates are consistent with their nominal ones`);

function table(lines: readonly Row[]): string {
  const width = Math.max(...lines.map(({ name }) => name.length));
  const header = `${'null'.padEnd(width)}  nominal    rate   95% interval      trials\n`;
  return lines.reduce(
    (text, { name, nominal, rate, lower95, upper95, trials: count }) =>
      `${text}${[
        name.padEnd(width),
        percent(nominal).padStart(7),
        percent(rate).padStart(6),
        `${percent(lower95)} - ${percent(upper95)}`.padStart(16),
        String(count).padStart(6),
      ].join('  ')}\n`,
    header,
  );
}

function percent(share: number): string {
  return `${(100 * share).toFixed(2)}%`;
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}
