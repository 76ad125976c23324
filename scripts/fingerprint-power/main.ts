/** Measures on the zoo which quirks tell surrogates from independents, and whom they accuse. */
import { fork } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import yargs from 'yargs';
import { hideBin } from 'yargs/helpers';
import { stderrProgress } from '../progress.ts';
import { members as allMembers, taskNames } from '../zoo/manifest.ts';
import { auditPowerTables } from './audit-power-tables.ts';
import type { MemberJob, MemberResult, Message } from './process.ts';
import { taskTables } from './tables.ts';

const {
  tasks,
  numbers,
  references,
  questions,
  pairs,
  processes,
  cache,
  results,
  audits,
  json,
  document,
} = await yargs(hideBin(process.argv))
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
  .option('results', {
    type: 'string',
    default: 'demo-output/fingerprint-power',
    describe: 'What was measured; the very same code does not measure it again',
  })
  .option('audits', {
    type: 'boolean',
    default: true,
    describe: 'Audit everybody by keys too, and compare scores with fingerprints and without',
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
    return { plan, ...settings, audits, cache: resolve(cache), results: resolve(results) };
  });
const measured: MemberResult[] = [];
const waiting = [...jobs.entries()];
await Promise.all(
  Array.from({ length: Math.min(processes, jobs.length) }, async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      const [index, job] = next;
      measured[index] = await inOwnProcess(job);
    }
  }),
);
const tables = tasks.map(tablesOf).join('\n\n');
if (document !== undefined) await replaceBetweenMarks(document, tables);
process.stdout.write(json ? `${JSON.stringify(measured, null, 2)}\n` : `${tables}\n`);

function tablesOf(task: (typeof tasks)[number]): string {
  const both = measured.flatMap(({ findings, audits: found }) =>
    found === undefined ? [] : [{ findings, audits: found }],
  );
  const findings = measured.map((each) => each.findings);
  const parts = [taskTables(task, findings), ...(audits ? [auditPowerTables(task, both)] : [])];
  return parts.join('\n\n');
}

function inOwnProcess(job: MemberJob): Promise<MemberResult> {
  const name = `${job.plan.task}/${job.plan.number}`;
  const child = fork(new URL('./process.ts', import.meta.url));
  return new Promise((done, reject) => {
    child.once('exit', () => reject(new Error(`the process for ${name} ended early`)));
    child.on('message', (message: Message) => {
      if ('progress' in message) {
        const [stage, finished, total] = message.progress;
        progress(`${name}: ${stage}`, finished, total);
      } else {
        done(message.result);
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
