import type { Argv } from 'yargs';
import type { Rehearsal } from '../../audit/rehearsal.ts';
import { bans, duration } from '../../report/text.ts';
import { flags } from '../flags.ts';
import { createProgress } from '../progress.ts';
import { interruptSignal, note, print, printJson, table } from '../terminal.ts';

/** Adds `rehearse`. */
export function addRehearse(program: Argv): Argv {
  return program.command(
    'rehearse',
    'Distil your own model as a thief would, and say how often an audit finds that',
    (command) =>
      command
        .options({
          config: flags.config,
          json: flags.json,
          budgets: flags.budgets,
          keys: flags.keys,
          shape: flags.shape,
          families: flags.families,
          questions: flags.questions,
          quick: flags.quick,
        })
        .example('$0 rehearse', 'the power curve of audits of suspects that give probabilities')
        .example('$0 rehearse --shape labels', 'and of those that give labels only')
        .example('$0 rehearse --quick', 'a first look')
        .epilogue(
          'The same command goes on after an interruption (exit code 130). An audit says no-match-found only if a rehearsal before it found its surrogates.',
        ),
    async ({ config, json, budgets, families, ...options }) => {
      const signal = interruptSignal('Audited students are kept; the same command goes on.');
      const { rehearse } = await import('../../operations/rehearse.ts');
      const reporter = createProgress(process.stderr);
      const finished = await rehearse({
        configPath: config,
        shape: options.shape,
        budgets: budgets?.split(',').map(Number),
        families: families?.split(','),
        keys: options.keys,
        questions: options.questions,
        quick: options.quick,
        now: () => new Date(),
        signal,
        progress: reporter.progress,
      }).finally(() => reporter.stop());
      const { id, path, rehearsal } = finished;
      if (json) return printJson({ id, path, ...rehearsal });
      if (rehearsal.controls.matched > 0) note('controls matched: something is wrong, see below');
      const time = `${duration(finished.secondsPerStudent)} for each student`;
      await print(`${rehearsalText(rehearsal)}\n${time}\n${path}`);
    },
  );
}

/** Returns the power curve as a table and a picture. */
export function rehearsalText(rehearsal: Rehearsal): string {
  const { budgets, controls, threshold, families, shape, charges } = rehearsal;
  const charged = charges.reduce((sum, each) => sum + each.bans, 0);
  const rows = budgets.map(({ answers, matched, trained, lower, upper, bans: score }) => [
    `${answers}`,
    `${matched} of ${trained}`,
    `${(Math.floor(1000 * lower) / 1000).toFixed(3)}`,
    `${(Math.ceil(1000 * upper) / 1000).toFixed(3)}`,
    ...[score.low, score.median, score.high].map((each) => bans(each)),
  ]);
  const titles = ['answers', 'found', 'at least', 'at most', '10%', 'median bans', '90%'];
  const largest = controls.largest === null ? '' : `, the largest at ${bans(controls.largest)}`;
  return [
    `students: ${families.join(', ')}; they learn from ${shape} and give ${shape}`,
    table(titles, rows).trimEnd(),
    'bounds are one-sided, at 95% confidence',
    '',
    picture(rehearsal),
    '',
    'found by family:',
    familyTable(rehearsal),
    `found: ${threshold} bans after charges of ${charged.toFixed(2)}`,
    `controls (${controls.source}): ${controls.matched} of ${controls.trained} found${largest}`,
    ...(rehearsal.quick ? ['a first look: no audit gets its power from it'] : []),
  ].join('\n');
}

/** How many students of each family, in rows, are found at each budget, in columns. */
function familyTable({ budgets, families, threshold, charges }: Rehearsal): string {
  const wanted = charges.reduce((sum, each) => sum + each.bans, threshold);
  const rows = families.map((family) => [
    family,
    ...budgets.map(({ students }) => {
      const own = students.filter((student) => student.family === family);
      return `${own.filter((student) => student.bans >= wanted).length} of ${own.length}`;
    }),
  ]);
  return table(['', ...budgets.map(({ answers }) => `${answers}`)], rows);
}

const width = 56;

/** Bans after charges by budget: from the 10% to the 90% quantile, the median, and the threshold. */
function picture({ budgets, threshold }: Rehearsal): string {
  const scores = budgets.flatMap(({ bans: { low, high } }) => [low, high]);
  const least = Math.min(0, ...scores);
  const most = Math.max(threshold, ...scores);
  const place = (score: number) => Math.round(((score - least) / (most - least)) * (width - 1));
  const digits = Math.max(...budgets.map(({ answers }) => `${answers}`.length));
  const lines = budgets.map(({ answers, bans: { low, median, high } }) => {
    const cells = new Array<string>(width).fill(' ');
    cells.fill('-', place(low), place(high) + 1);
    cells[place(threshold)] = '|';
    cells[place(median)] = 'o';
    return `${`${answers}`.padStart(digits)} ${cells.join('')}`.trimEnd();
  });
  const legend = `${' '.repeat(digits)} o median, - from 10% to 90%, | threshold; ${bans(least)} to ${bans(most)} bans`;
  return [...lines, legend].join('\n');
}
