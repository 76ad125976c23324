import type { Argv } from 'yargs';
import type { AuditOptions } from '../../operations/audit-preparation.ts';
import { bearerFrom } from '../bearer.ts';
import { dryRunText } from '../dry-run-text.ts';
import { flags } from '../flags.ts';
import { createProgress } from '../progress.ts';
import { interruptSignal, note, print, printJson, table } from '../terminal.ts';

/** Adds `audit`. */
export function addAudit(program: Argv): Argv {
  return program.command(
    'audit',
    "Ask a suspect whether it learnt from a tenant's answers",
    (command) =>
      command
        .options({
          config: flags.config,
          json: flags.json,
          suspect: { ...flags.suspect, demandOption: false },
          batch: flags.batch,
          'suspect-name': flags['suspect-name'],
          'suspect-bearer-env': flags['suspect-bearer-env'],
          tenant: flags.tenant,
          epoch: flags.epoch,
          operator: flags.operator,
          'trap-lots': flags['trap-lots'],
          out: { ...flags.out, demandOption: true, describe: 'the directory of the audit' },
          resume: flags.resume,
          'fail-on': flags['fail-on'],
          redact: flags.redact,
          'dry-run': flags['dry-run'],
        })
        .example(
          '$0 audit --suspect http:https://host/classify --tenant acme --out audits/1',
          'a plain JSON route',
        )
        .example(
          '$0 audit --suspect kserve:http://host:8000/v2/models/m --tenant acme --out audits/1 --resume',
          'go on after an interruption',
        )
        .example(
          '$0 audit --suspect http:https://host/classify --tenant acme --out audits/1 --trap-lots 5',
          'with more traps of the stock, for more power',
        )
        .example(
          '$0 audit --suspect NAME --tenant acme --out audits/1 --dry-run',
          'what a suspect of touchmark.yaml would be asked, at what cost and with what power',
        )
        .example(
          '$0 audit --batch suspects.yaml --tenant acme --out audits/march',
          'many suspects at once, with one summary',
        )
        .check(({ suspect, batch }) => {
          if ((suspect === undefined) !== (batch === undefined)) return true;
          throw new Error('Give either --suspect or --batch');
        })
        .epilogue(
          'Exit code 3, 4 or 130 when it can be resumed with --resume; 10 when --fail-on trips.',
        ),
    async (options) => {
      const signal = interruptSignal();
      const bearer = bearerFrom(options.suspectBearerEnv);
      const { runAudit } = await import('../../operations/audit.ts');
      const { renderJson } = await import('../../report/json.ts');
      const { renderTerminal } = await import('../../report/terminal.ts');
      const reporter = createProgress(process.stderr);
      const asked: AuditOptions = {
        configPath: options.config,
        suspect: options.suspect ?? '',
        tenant: options.tenant,
        out: options.out,
        resume: options.resume,
        signal,
        progress: reporter.progress,
        onNotice: note,
        ...(bearer === undefined ? {} : { suspectBearer: bearer }),
        ...(options.suspectName === undefined ? {} : { suspectName: options.suspectName }),
        ...(options.redact === undefined ? {} : { redact: options.redact.split(',') }),
        ...(options.operator === undefined ? {} : { operator: options.operator }),
        flags:
          options.trapLots === undefined
            ? []
            : [{ path: ['traps', 'lotsPerAudit'], value: options.trapLots, from: '--trap-lots' }],
        ...(options.epoch === undefined ? {} : { epoch: options.epoch }),
      };
      if (options.batch !== undefined) {
        await auditTogether({ ...asked, file: options.batch }, options).finally(() =>
          reporter.stop(),
        );
        return;
      }
      if (options.dryRun) {
        const { dryRun } = await import('../../operations/audit-dry-run.ts');
        const planned = await dryRun(asked).finally(() => reporter.stop());
        await (options.json ? printJson(planned) : print(dryRunText(planned)));
        return;
      }
      const report = await runAudit(asked).finally(() => reporter.stop());
      if (options.failOn === report.verdict) process.exitCode = 10;
      const color = process.stdout.isTTY && process.env['NO_COLOR'] === undefined;
      await print(
        options.json
          ? renderJson(report)
          : renderTerminal(report, { color, directory: options.out }),
      );
    },
  );
}

/** Audits many suspects and prints one summary; 10 when --fail-on trips for any of them. */
async function auditTogether(
  asked: AuditOptions & { readonly file: string },
  options: { readonly json: boolean; readonly failOn?: string | undefined },
): Promise<void> {
  const { verdictTitle } = await import('../../report/words.ts');
  const { auditBatch, batchExitCode } = await import('../../operations/audit-batch.ts');
  const rows = await auditBatch(asked);
  const tripped = rows.some((row) => 'report' in row && row.report.verdict === options.failOn);
  process.exitCode = batchExitCode(rows) || (tripped ? 10 : 0);
  if (options.json) return printJson(rows);
  await print(
    table(
      ['suspect', 'verdict', 'bans', 'probes', 'directory'],
      rows.map((row) =>
        'report' in row
          ? [
              row.name,
              verdictTitle(row.report),
              (row.report.keyedScore ?? row.report.score).toFixed(1),
              `${row.report.run.probesAsked}`,
              row.directory,
            ]
          : [row.name, row.failure.code, '-', '-', row.failure.message],
      ),
    ),
  );
}
