/** Opens the zoo: trains every protected model, surrogate and independent, and says what they are. */
import { type ChildProcess, fork } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import yargs from 'yargs';
import { hideBin } from 'yargs/helpers';
import { stderrProgress } from '../progress.ts';
import { type MemberPlan, members, taskNames } from './manifest.ts';
import type { MemberJob, Message } from './process.ts';
import type { MemberSummary } from './summary.ts';
import { zooTables } from './table.ts';

const numbersKnown = [...new Set(members.map(({ number }) => number))];
const { tasks, numbers, processes, cache, json } = await yargs(hideBin(process.argv))
  .scriptName('npm run zoo --')
  .usage(
    '$0 [options]\n\nOpens the zoo: trains every protected model, surrogate and independent, or finds it in the cache, and says what they are. What was opened is listed in manifest.json beside the models.',
  )
  .option('tasks', {
    array: true,
    choices: taskNames,
    default: [...taskNames],
    describe: 'Fashion-MNIST, language identification',
  })
  .option('numbers', {
    type: 'number',
    array: true,
    choices: numbersKnown,
    default: numbersKnown,
    describe: 'Protected models of each task',
  })
  .option('processes', { type: 'number', default: 2, describe: 'Members at a time' })
  .option('cache', {
    type: 'string',
    default: 'demo-output/zoo',
    describe: 'Trained models; one found there is not trained again',
  })
  .option('json', { type: 'boolean', default: false, describe: 'Print one JSON document' })
  .example('$0', 'all eight members')
  .example('$0 --tasks languages --numbers 1 3', 'two members of one task')
  .example('$0 --json', 'what manifest.json holds, on stdout')
  .check((options) => Number.isInteger(options.processes) && options.processes >= 1)
  .strict()
  .parseAsync();

const progress = stderrProgress();
const folder = resolve(cache);
const chosen = members.filter(
  ({ task, number }) => tasks.includes(task) && numbers.includes(number),
);
const summaries: MemberSummary[] = [];
const waiting = [...chosen.entries()];
await Promise.all(
  Array.from({ length: Math.min(processes, chosen.length) }, async () => {
    const child = fork(new URL('./process.ts', import.meta.url));
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      const [index, plan] = next;
      summaries[index] = await openIn(child, { plan, cache: folder });
    }
    child.disconnect();
  }),
);
const document = `${JSON.stringify({ schema: 'touchmark/zoo@1', members: summaries }, null, 2)}\n`;
await mkdir(folder, { recursive: true });
await writeFile(join(folder, 'manifest.json'), document);
process.stdout.write(json ? document : `${zooTables(summaries)}\n`);

function openIn(child: ChildProcess, job: MemberJob): Promise<MemberSummary> {
  const name = nameOf(job.plan);
  return new Promise((done, reject) => {
    const ended = () => reject(new Error(`the process for ${name} ended early`));
    const hear = (message: Message) => {
      if ('progress' in message) {
        const [stage, finished, total] = message.progress;
        progress(`${name}: ${stage}`, finished, total);
      } else {
        child.off('message', hear).off('exit', ended);
        done(message.summary);
      }
    };
    child.on('message', hear).once('exit', ended).send(job);
  });
}

function nameOf({ task, number }: MemberPlan): string {
  return `${task}/${number}`;
}
