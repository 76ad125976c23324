/** Counts how often innocents are accused, through every keyed test, and fails when it is too often. */
import { availableParallelism } from 'node:os';
import yargs from 'yargs';
import { hideBin } from 'yargs/helpers';
import { stderrProgress } from '../progress.ts';
import { nullCases, simulateNull } from './nulls.ts';
import { fixedKeyLines, percent, rateTable } from './report.ts';
import { detectableRate, excessive, type Row } from './tally.ts';
import { textCaseNotes } from './text/cases.ts';
import { calibrateText, type TextCalibration } from './text/run.ts';
import { fixedSizeControl, simulateTraps, type TrapCase, trapCases } from './traps.ts';

const parts = ['classifier', 'text', 'traps'] as const;
const whole = (value: number, least: number) => Number.isSafeInteger(value) && value >= least;

const options = await yargs(hideBin(process.argv))
  .scriptName('calibrate')
  .command('$0 [parts..]', 'counts how often innocents are accused', (builder) =>
    builder.positional('parts', {
      array: true,
      choices: parts,
      default: [...parts],
      describe: 'what to calibrate',
    }),
  )
  .option('trials', { type: 'number', default: 2000, describe: 'keys per kind of tenant' })
  .option('texts', { type: 'number', default: 200_000, describe: 'null texts per scheme and PRF' })
  .option('processes', {
    type: 'number',
    default: Math.min(2, availableParallelism()),
    describe: 'processes that share the null texts',
  })
  .option('seed', {
    type: 'string',
    default: 'calibrate',
    describe: 'of tasks, innocents, texts and keys',
  })
  .option('json', { type: 'boolean', default: false, describe: 'print rows as JSON' })
  .check(({ trials, texts, processes }) => {
    if (!whole(trials, 100)) throw new Error('--trials is a whole number of at least 100');
    if (!whole(texts, 1000)) throw new Error('--texts is a whole number of at least 1000');
    if (!whole(processes, 1)) throw new Error('--processes is a whole number of at least 1');
    return true;
  })
  .strict()
  .parseAsync();

const { trials, texts, processes, seed, json } = options;
const chosen = options['parts'] as readonly (typeof parts)[number][];
const tallies = chosen.includes('classifier') ? calibrateClassifiers() : [];
const text: TextCalibration = chosen.includes('text')
  ? await calibrateText({ seed, texts, trials }, processes, stderrProgress())
  : { rows: [], fixedKeys: [], control: [] };

const traps = chosen.includes('traps') ? trapCases.map(calibrateTraps) : [];
const controls = [
  ...text.control,
  ...(chosen.includes('traps') ? [calibrateTraps(fixedSizeControl).randomised] : []),
];

const rows = [
  ...tallies.flatMap((tally) => tally.rows),
  ...text.rows,
  ...traps.flatMap((each) => each.rows),
];
const checked = [...rows, ...text.fixedKeys.flatMap((each) => each.rows)];
const uniformity = [...tallies, ...traps.map(({ tally }) => tally)].flatMap(
  ({ name, superUniformP }) => (superUniformP === undefined ? [] : [{ name, superUniformP }]),
);
const tooSmall = uniformity.filter((each) => each.superUniformP < 0.05 / uniformity.length);
const tooOften = excessive(checked);

process.stdout.write(json ? `${JSON.stringify(rows, null, 2)}\n` : rateTable(rows));
if (chosen.includes('text')) say(textCaseNotes);
say(fixedKeyLines(text.fixedKeys));
say(visibleExcess(rows, checked.length));
if (uniformity.length > 0) {
  const least = Math.min(...uniformity.map((each) => each.superUniformP));
  say([`${uniformity.length} Kolmogorov-Smirnov tests of p-values: least ${least.toPrecision(2)}`]);
}
say(
  controls.map((each) => {
    const outcome = excessive([each]).length > 0 ? 'caught' : 'NOT CAUGHT';
    return `broken on purpose, ${outcome}: ${each.name}: ${percent(each.rate)} of ${each.trials}`;
  }),
);
say(
  tooOften.map(
    ({ name, rate, nominal }) =>
      `TOO OFTEN: ${name}: ${percent(rate)} at a nominal ${percent(nominal)}`,
  ),
);
say(
  tooSmall.map(
    ({ name, superUniformP }) =>
      `TOO SMALL: p-values of ${name}: Kolmogorov-Smirnov p ${superUniformP.toPrecision(2)}`,
  ),
);
if (tooOften.length + tooSmall.length > 0) process.exitCode = 1;
else say([`all ${checked.length} rates are consistent with their nominal ones`]);

function calibrateClassifiers() {
  return nullCases.flatMap((nullCase) =>
    simulateNull(nullCase, trials, seed, (done) => {
      if (done % 500 === 0 || done === trials)
        say([`${nullCase.name}: ${done} of ${trials} innocents`]);
    }),
  );
}

function calibrateTraps(trapCase: TrapCase) {
  const result = simulateTraps(trapCase, trials, seed, (done) => {
    if (done % 500 === 0 || done === trials)
      say([`${trapCase.name}: ${done} of ${trials} innocents`]);
  });
  say([`${trapCase.name}: ${result.meanCoins.toFixed(1)} coins shown to each suspect`]);
  return result;
}

/** For each nominal rate and number of trials, the least true rate that would have been found. */
function visibleExcess(shown: readonly Row[], checks: number): string[] {
  const kinds = new Map(
    shown.map((each) => [`${each.nominal} ${each.trials}`, each] as const),
  ).values();
  return [...kinds]
    .sort((left, right) => right.nominal - left.nominal || right.trials - left.trials)
    .map(({ nominal, trials: count }) => {
      const rate = percent(detectableRate(nominal, count, checks));
      return `a true rate of ${rate} at a nominal ${percent(nominal)} in ${count} trials would have been found (95% sure)`;
    });
}

function say(lines: readonly string[]): void {
  for (const line of lines) process.stderr.write(`${line}\n`);
}
