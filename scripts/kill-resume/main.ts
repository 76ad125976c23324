/**
 * Kills audits with SIGKILL at random moments, resumes them, and prints what was asked twice and
 * which reports changed. Ends with code 1 when a recorded probe was asked again or a report differs.
 */
import yargs from 'yargs';
import { stderrProgress } from '../progress.ts';
import { killAndResume } from './trial.ts';

const { moments } = await yargs(process.argv.slice(2))
  .option('moments', { type: 'number', default: 200, describe: 'how often to kill' })
  .strict()
  .parse();
const progress = stderrProgress();
const summary = await killAndResume(moments, (done) => progress('killing', done, moments));
process.stdout.write(`${JSON.stringify(summary, null, 2)}\n`);
if (summary.different + summary.answeredAskedAgain > 0) process.exitCode = 1;
