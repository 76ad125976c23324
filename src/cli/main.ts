#!/usr/bin/env node
import yargs from 'yargs';
import { hideBin } from 'yargs/helpers';
import { toolkitVersion } from '../store/project-files.ts';
import { addAudit } from './commands/audit.ts';
import { addConfig } from './commands/config.ts';
import { addDoctor } from './commands/doctor.ts';
import { addFingerprints } from './commands/fingerprints.ts';
import { addInit } from './commands/init.ts';
import { addKeys } from './commands/keys.ts';
import { addLog } from './commands/log.ts';
import { addRehearse } from './commands/rehearse.ts';
import { addRelease } from './commands/release.ts';
import { addReport } from './commands/report.ts';
import { addServe } from './commands/serve.ts';
import { addTraps } from './commands/traps.ts';
import { addVerify } from './commands/verify.ts';
import { addWatermark } from './commands/watermark.ts';
import { failureOf, usageError } from './failure.ts';
import { note } from './terminal.ts';

const commands = [
  addInit,
  addDoctor,
  addConfig,
  addKeys,
  addServe,
  addLog,
  addTraps,
  addFingerprints,
  addAudit,
  addVerify,
  addRelease,
  addRehearse,
  addReport,
  addWatermark,
] as const;

const given = hideBin(process.argv);

process.stdout.on('error', (error) => {
  if (!('code' in error) || error.code !== 'EPIPE') throw error;
});

try {
  const program = yargs(given)
    .scriptName('touchmark')
    .usage(
      '$0 COMMAND\n\nPut a keyed watermark on the answers of a model, and audit others for it.',
    )
    .version(await toolkitVersion())
    .locale('en')
    .parserConfiguration({ 'duplicate-arguments-array': false, 'dot-notation': false })
    .wrap(100)
    .strict()
    .showHelpOnFail(false)
    .exitProcess(false)
    .fail((message, error) => {
      throw message ? usageError(message, given) : error;
    })
    .demandCommand(1, 'Say what to do.')
    .example('$0 init --yes --directory audit', 'make a project')
    .example('$0 serve', 'put the watermark in front of the model')
    .epilogue(
      'Exit codes: 0 done, 1 bug, 2 usage or configuration, 3 model unreachable or refused, 4 incomplete and resumable, 5 evidence does not verify, 6 store locked, full or damaged, 10 --fail-on, 130 interrupted.',
    );
  await commands.reduce((whole, add) => add(whole), program).parseAsync();
} catch (error) {
  const { text, exitCode } = failureOf(error, process.env['TOUCHMARK_DEBUG'] === '1');
  note(text);
  process.exitCode = exitCode;
}
