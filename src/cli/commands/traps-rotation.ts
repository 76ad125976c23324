import type { Argv } from 'yargs';
import type { Rotation, RotationReport } from '../../operations/traps/rotate-project.ts';
import { failureOf } from '../failure.ts';
import { flags } from '../flags.ts';
import { createProgress } from '../progress.ts';
import { interruptSignal, note, print, printJson, table } from '../terminal.ts';

const { config, json, timezone } = flags;

/** Adds `traps rotate`. */
export function addRotate(group: Argv): Argv {
  return group.command(
    'rotate',
    'Retire traps that are due and build what the stock lacks, once a day at most',
    (command) =>
      command
        .options({ config, json, 'trust-clock': flags['trust-clock'], leaked: flags.leaked })
        .example('$0 traps rotate --json', 'for cron or a CronJob; a second call does nothing')
        .example('$0 traps rotate --leaked coin-0123456789abcdef', 'a set that others may know')
        .example('$0 traps rotate --trust-clock', 'after the clock had been wrong')
        .epilogue(
          'Exit code 6 when a file was damaged: its set is retired, and the call after that ends with 0.',
        ),
    async (options) => {
      const { rotateProject } = await import('../../operations/traps/rotate-project.ts');
      const reporter = createProgress(process.stderr);
      const rotation = await rotateProject({
        configPath: options.config,
        leaked: options.leaked?.split(',').filter((name) => name !== '') ?? [],
        trustClock: options['trust-clock'],
        now: new Date(),
        signal: interruptSignal(
          'Sets that were sealed are in stock; the next call builds the rest.',
        ),
        progress: reporter.progress,
      }).finally(() => reporter.stop());
      const exitCode = tell(rotation);
      if (options.json) await printJson(rotation.report);
      else await print(summary(rotation.report));
      process.exitCode = exitCode;
    },
  );
}

/** Adds `traps schedule`. */
export function addSchedule(group: Argv): Argv {
  return group.command(
    'schedule',
    'Rotate on schedule until stopped; catches up after downtime',
    (command) =>
      command
        .options({ config, json, cron: flags.cron, timezone })
        .example('$0 traps schedule', 'every day at three')
        .example('$0 traps schedule --cron "30 4 * * *" --timezone Europe/Berlin', 'elsewhere')
        .epilogue(
          'SIGINT or SIGTERM lets a rotation under way finish and ends with exit code 0. A second scheduler ends with exit code 6.',
        ),
    async (options) => {
      const { scheduleRotations } = await import('../../operations/traps/schedule.ts');
      const reporter = createProgress(process.stderr);
      const zone = options.timezone;
      await scheduleRotations({
        configPath: options.config,
        flags:
          zone === undefined
            ? []
            : [{ path: ['traps', 'timezone'], value: zone, from: '--timezone' }],
        cron: options.cron,
        signal: interruptSignal('A rotation under way is left as it is.'),
        progress: reporter.progress,
        onWaiting: (next) => note(`the next rotation is due at ${next.toISOString()}`),
        onRotation: (rotation) => {
          tell(rotation);
          const { report } = rotation;
          void print(options.json ? JSON.stringify(report) : summary(report));
        },
        onFailure: (error) => note(failureOf(error, false).text),
      }).finally(() => reporter.stop());
      note('stopped');
    },
  );
}

/** Says what went wrong in a rotation, and returns the exit code for it. */
function tell({ report, failures }: Rotation): number {
  const told = new Set(failures.flatMap(({ message }) => message.split('\n')));
  for (const problem of report.problems) if (!told.has(problem)) note(problem);
  for (const failure of failures) note(failureOf(failure, false).text);
  return failures[0]?.exitCode ?? 0;
}

function summary(report: RotationReport): string {
  const { status, period, timezone: zone, built, retired, stock, reasons } = report;
  const rows = stock.map((row) => [
    row.kind,
    [row.tenant, row.epoch].filter(Boolean).join(' ') || '-',
    `${row.active}`,
    `${row.target}`,
    `${row.built}`,
  ]);
  const counts = `${status} for ${period} (${zone}): built ${built} traps, retired ${retired} lots`;
  const parts = [table(['kind', 'tenant', 'in stock', 'target', 'built'], rows).trimEnd()];
  return [counts, ...(rows.length > 0 ? parts : []), ...reasons].join('\n');
}
