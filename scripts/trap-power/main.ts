/** Measures region traps on real data: whom they accuse, and which thieves they find. */
import { fork } from 'node:child_process';
import { resolve } from 'node:path';
import yargs from 'yargs';
import { hideBin } from 'yargs/helpers';
import { stderrProgress } from '../progress.ts';
import { taskNames } from '../zoo/manifest.ts';
import type { Message } from './process.ts';
import type { SceneJob, SceneOutcome } from './run-scene.ts';
import { trapPowerTables } from './table.ts';

const { scenes, seed, surrogates, references, reading, lots, processes, cache, json } = await yargs(
  hideBin(process.argv),
)
  .scriptName('npm run trap-power --')
  .option('scenes', {
    array: true,
    choices: taskNames,
    default: [...taskNames],
    describe: 'Tasks: Fashion-MNIST, language identification',
  })
  .option('seed', { type: 'string', default: '1', describe: 'Of splits, models and searches' })
  .option('surrogates', { type: 'number', default: 4, describe: 'Surrogates of each kind' })
  .option('references', { type: 'number', default: 120, describe: 'References of each kind' })
  .option('reading', {
    choices: ['protected', 'library'] as const,
    default: 'protected' as const,
    describe: 'References read texts as the protected model does, or in the way of the library',
  })
  .option('lots', { type: 'number', array: true, default: [1, 4], describe: 'Sizes of sets' })
  .option('processes', { type: 'number', default: 2, describe: 'Tasks at a time' })
  .option('cache', {
    type: 'string',
    default: 'demo-output/trap-power',
    describe: 'Trained models; one found there is not trained again',
  })
  .option('json', { type: 'boolean', default: false, describe: 'Print one JSON document' })
  .check((options) =>
    [options.surrogates, options.references, options.processes, ...options.lots].every(
      (n) => Number.isSafeInteger(n) && n > 0,
    ),
  )
  .strict()
  .parseAsync();

const progress = stderrProgress();
const jobs = scenes.map(
  (scene): SceneJob => ({
    scene,
    seed,
    surrogates,
    references,
    reading,
    lots,
    cache: resolve(cache),
  }),
);
const outcomes: SceneOutcome[] = [];
const waiting = [...jobs.entries()];
await Promise.all(
  Array.from({ length: Math.min(processes, jobs.length) }, async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      const [index, job] = next;
      outcomes[index] = await inOwnProcess(job);
    }
  }),
);
process.stdout.write(
  json
    ? `${JSON.stringify({ seed, surrogates, references, reading, scenes: outcomes }, null, 2)}\n`
    : `${trapPowerTables(outcomes)}\n`,
);

function inOwnProcess(job: SceneJob): Promise<SceneOutcome> {
  const child = fork(new URL('./process.ts', import.meta.url));
  return new Promise((done, reject) => {
    child.once('exit', () => reject(new Error(`the process for ${job.scene} ended early`)));
    child.on('message', (message: Message) => {
      if ('progress' in message) {
        const [stage, finished, total] = message.progress;
        progress(`${job.scene}: ${stage}`, finished, total);
      } else {
        done(message.outcome);
        child.disconnect();
      }
    });
    child.send(job);
  });
}
