/**
 * Kills audits with SIGKILL at random moments, cuts run logs at every byte of their last two lines,
 * goes on with each, and prints what was asked twice and which reports changed. Ends with code 1 when
 * a recorded probe was asked again, a report differs, or an audit could not go on.
 */
import yargs from 'yargs';
import { stderrProgress } from '../progress.ts';
import { cutAndResume } from './cuts.ts';
import { killAndResume } from './trial.ts';

const { moments, step } = await yargs(process.argv.slice(2))
  .option('moments', { type: 'number', default: 200, describe: 'how often to kill; 0 to only cut' })
  .option('step', { type: 'number', default: 1, describe: 'bytes between cuts; 0 to only kill' })
  .strict()
  .parse();
const progress = stderrProgress();
const print = (summary: object) => process.stdout.write(`${JSON.stringify(summary, null, 2)}\n`);
if (moments > 0) {
  const killed = await killAndResume(moments, (done) => progress('killing', done, moments));
  print(killed);
  const { different, answeredAskedAgain, deadEnds } = killed;
  if (different + answeredAskedAgain + deadEnds.length > 0) process.exitCode = 1;
}
if (step > 0) {
  const cut = await cutAndResume(step, (done, total) => progress('cutting', done, total));
  print(cut);
  if (cut.different + cut.askedOtherwise + cut.rewritten > 0) process.exitCode = 1;
}
