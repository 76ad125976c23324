/**
 * Audits hostile suspects over real HTTP on this machine, and prints how each audit ended, how long it
 * took and how much memory. Ends with code 1 when one did not end in a verdict or an error that is
 * resumed, took 500 MiB, leaked a secret, let control characters or markup through, executed
 * something or followed a redirect. Needs Linux, for its figures of memory.
 */
import yargs from 'yargs';
import { meetHostileSuspects } from './trial.ts';

const { built, only, timeout } = await yargs(process.argv.slice(2))
  .option('only', { type: 'string', default: '.', describe: 'kinds to try, a regular expression' })
  .option('built', { type: 'boolean', default: false, describe: 'run dist/ and not src/' })
  .option('timeout', { type: 'number', default: 2, describe: 'seconds that a suspect may take' })
  .strict()
  .parse();
const line = (...cells: readonly string[]) => process.stdout.write(`| ${cells.join(' | ')} |\n`);
let faulty = 0;
let tried = 0;
line('kind', 'hostile', 'exit', 'said', 'seconds', 'peak MiB', 'faults');
line('---', '---', '--:', '---', '--:', '--:', '---');
for await (const row of meetHostileSuspects({
  isBuilt: built,
  only: new RegExp(only),
  timeoutSeconds: timeout,
})) {
  tried += 1;
  if (row.faults.length > 0) faulty += 1;
  line(
    ...[row.kind, row.begins, `${row.exit}`, row.said.slice(0, 90), row.seconds.toFixed(1)],
    ...[row.peakMebibytes.toFixed(0), row.faults.join('; ')],
  );
}
process.stdout.write(`\n${tried} audits, ${faulty} with faults\n`);
if (tried === 0 || faulty > 0) process.exitCode = 1;
