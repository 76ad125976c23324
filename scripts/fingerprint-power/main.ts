/** Measures on the zoo which quirks tell surrogates from independents, and whom they accuse. */
import { fork } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import yargs from 'yargs';
import { hideBin } from 'yargs/helpers';
import { stderrProgress } from '../progress.ts';
import { members as allMembers, taskNames } from '../zoo/manifest.ts';
import type { MemberFindings } from './measure-member.ts';
import type { MemberJob, Message } from './process.ts';
import { taskTables } from './tables.ts';

const { tasks, numbers, references, questions, pairs, processes, cache, json, document } =
  await yargs(hideBin(process.argv))
    .scriptName('npm run fingerprint-power --')
    .usage(
      '$0 [options]\n\nTakes the fingerprint of every model of the zoo, ranks surrogates and independents among reference models, quirk by quirk, and says what each quirk is worth.',
    )
    .option('tasks', { array: true, choices: taskNames, default: [...taskNames] })
    .option('numbers', {
      type: 'number',
      array: true,
      choices: [1, 2, 3, 4],
      default: [1, 2, 3, 4],
      describe: 'Protected models of each task',
    })
    .option('references', { type: 'number', default: 120, describe: 'References of each kind' })
    .option('questions', { type: 'number', default: 1000, describe: 'Questions of a fingerprint' })
    .option('pairs', { type: 'number', default: 100, describe: 'Pairs with a boundary between' })
    .option('processes', { type: 'number', default: 2, describe: 'Members at a time' })
    .option('cache', {
      type: 'string',
      default: 'demo-output/zoo',
      describe: 'Trained models; one found there is not trained again',
    })
    .option('document', {
      type: 'string',
      describe: 'Write the tables into this file, between its two marks',
    })
    .option('json', { type: 'boolean', default: false, describe: 'Print one JSON document' })
    .example('$0', 'all eight protected models')
    .example('$0 --document docs/fingerprints.md', 'and put the tables into the page')
    .check((options) =>
      [options.references, options.questions, options.processes].every(
        (n) => Number.isSafeInteger(n) && n > 0,
      ),
    )
    .strict()
    .parseAsync();

const progress = stderrProgress();
const jobs = allMembers
  .filter(({ task, number }) => tasks.includes(task) && numbers.includes(number))
  .map((plan): MemberJob => {
    const settings = { referencesPerKind: references, questions, pairs };
    return { plan, ...settings, cache: resolve(cache) };
  });
const findings: MemberFindings[] = [];
const waiting = [...jobs.entries()];
await Promise.all(
  Array.from({ length: Math.min(processes, jobs.length) }, async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      const [index, job] = next;
      findings[index] = await inOwnProcess(job);
    }
  }),
);
const tables = tasks.map((task) => taskTables(task, findings)).join('\n\n');
if (document !== undefined) await replaceBetweenMarks(document, tables);
process.stdout.write(json ? `${JSON.stringify(findings, null, 2)}\n` : `${tables}\n`);

function inOwnProcess(job: MemberJob): Promise<MemberFindings> {
  const name = `${job.plan.task}/${job.plan.number}`;
  const child = fork(new URL('./process.ts', import.meta.url));
  return new Promise((done, reject) => {
    child.once('exit', () => reject(new Error(`the process for ${name} ended early`)));
    child.on('message', (message: Message) => {
      if ('progress' in message) {
        const [stage, finished, total] = message.progress;
        progress(`${name}: ${stage}`, finished, total);
      } else {
        done(message.findings);
        child.disconnect();
      }
    });
    child.send(job);
  });
}

async function replaceBetweenMarks(path: string, text: string): Promise<void> {
  const [begin, end] = ['<!-- measured: begin -->', '<!-- measured: end -->'];
  const page = await readFile(path, 'utf8');
  const [before, rest] = page.split(begin);
  const [, after] = rest?.split(end) ?? [];
  if (before === undefined || after === undefined) throw new Error(`${path} has no marks`);
  await writeFile(path, `${before}${begin}\n\n${text}\n\n${end}${after}`);
}
