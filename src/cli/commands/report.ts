import type { Argv } from 'yargs';
import { TouchmarkError } from '../../errors.ts';
import { flags } from '../flags.ts';
import { print } from '../terminal.ts';

/** Adds `report`. */
export function addReport(program: Argv): Argv {
  return program.command(
    'report',
    'Show the report of a finished audit again',
    (command) =>
      command
        .options({
          run: flags.run,
          format: flags.format,
          json: { ...flags.json, describe: 'the same as --format json' },
          out: flags.out,
          'reveal-traps': flags['reveal-traps'],
          config: flags.config,
        })
        .example('$0 report --run audits/1', 'as text')
        .example('$0 report --run audits/1 --format html --out report.html', 'as a page')
        .example('$0 report --run audits/1 --format junit --out junit.xml', 'for a pipeline')
        .example(
          '$0 report --run audits/1 --format json --reveal-traps',
          'for somebody who checks the commitments; needs the project',
        ),
    async ({ run, format, json, out, revealTraps, config }) => {
      if (revealTraps && !json && (format === 'terminal' || format === 'junit')) {
        throw new TouchmarkError('USAGE', `The ${format} report does not show traps in clear.`, {
          hint: 'Add --format json or --format html; nothing was retired.',
        });
      }
      const { renderRun } = await import('../../operations/report.ts');
      const rendered = await renderRun({
        run,
        format: json ? 'json' : format,
        ...(out === undefined ? {} : { out }),
        ...(revealTraps ? { reveal: { configPath: config, now: new Date() } } : {}),
      });
      await print(out ?? rendered);
    },
  );
}
