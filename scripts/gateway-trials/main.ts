/**
 * Breaks what a gateway stands on: its model, its disk, its clock and its process; and prints what its
 * clients and its log then had. Ends with code 1 when a promise was broken. Disks need Linux and root.
 */
import yargs from 'yargs';
import { stderrProgress } from '../progress.ts';
import { setClock } from './clock-trials.ts';
import { fillDisk, whyNoSmallDisk } from './disk-trials.ts';
import { killGateways } from './kill-trials.ts';
import { reloadUnderLoad, terminateUnderLoad } from './stop-trials.ts';
import type { TrialRow } from './trial.ts';
import { meetFaultyModels } from './upstream-trials.ts';

const { built, only, kills } = await yargs(process.argv.slice(2))
  .option('only', { type: 'string', default: '.', describe: 'trials to run, a regular expression' })
  .option('kills', { type: 'number', default: 50, describe: 'how often to kill -9; 0 for never' })
  .option('built', { type: 'boolean', default: false, describe: 'run dist/ and not src/' })
  .strict()
  .parse();
const wanted = new RegExp(only);
const progress = stderrProgress();
const line = (...cells: readonly string[]) => process.stdout.write(`| ${cells.join(' | ')} |\n`);
let tried = 0;
let faulty = 0;

function show({ trial, seen, broken }: TrialRow): void {
  tried += 1;
  if (broken.length > 0) faulty += 1;
  line(trial, seen, broken.join('; '));
}

const whole: Readonly<Record<string, () => Promise<TrialRow>>> = {
  SIGTERM: () => terminateUnderLoad(built),
  SIGHUP: () => reloadUnderLoad(12, built),
  clock: () => setClock(built),
  ...Object.fromEntries(
    (['fail-closed', 'fail-open'] as const).flatMap((policy) =>
      (['goes on', 'is killed'] as const).map((ending) => [
        `disk full, ${policy}, ${ending}`,
        () => fillDisk(policy, ending, built),
      ]),
    ),
  ),
  ...(kills > 0 && {
    'kill -9': () => killGateways(kills, built, (done) => progress('killing', done, kills)),
  }),
};
line('trial', 'seen', 'broken');
line('---', '---', '---');
for await (const row of meetFaultyModels(built, wanted)) show(row);
const noDisk = whyNoSmallDisk();
for (const [name, run] of Object.entries(whole)) {
  if (!wanted.test(name)) continue;
  if (name.startsWith('disk') && noDisk !== undefined) line(name, `skipped: ${noDisk}`, '');
  else show(await run());
}
process.stdout.write(`\n${tried} trials, ${faulty} with broken promises\n`);
if (tried === 0 || faulty > 0) process.exitCode = 1;
