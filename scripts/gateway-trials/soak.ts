/**
 * Loads a gateway for minutes and prints what its memory, its answers and its log did. Ends with code 1
 * when memory grew, a request failed or a record was lost. Above 10,000 tenants it only configures them,
 * asks for the first thousand once each, and prints the memory. Needs Linux, for its figures of memory.
 */
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import yargs from 'yargs';
import { verifyLog } from '../../src/operations/log.ts';
import { stderrProgress } from '../progress.ts';
import { Load, shownStatuses } from './client.ts';
import { addManyTenants } from './many-tenants.ts';
import { heapBytes, MemorySamples, mebibytes, quantile, residentBytes } from './memory.ts';
import { openStage } from './stage.ts';
import { unless } from './trial.ts';

/** Memory may be larger at the end than in the second quarter by this share, as collections go. */
const growth = 0.1;

const { minutes, tenants, connections, bundle, built } = await yargs(process.argv.slice(2))
  .option('minutes', { type: 'number', default: 10, describe: 'how long to ask' })
  .option('tenants', { type: 'number', default: 1_000, describe: 'customers' })
  .option('connections', { type: 'number', default: 64, describe: 'kept open, asking at once' })
  .option('bundle', {
    type: 'boolean',
    default: false,
    describe: 'keys by a bundle made up in a second, and not by those of `keys generate`',
  })
  .option('built', { type: 'boolean', default: false, describe: 'run dist/ and not src/' })
  .strict()
  .parse();
const progress = stderrProgress();
const print = (name: string, ...values: readonly string[]) =>
  process.stdout.write(`| ${name} | ${values.join(', ')} |\n`);

const isMany = tenants > 10_000;
const stage = await openStage({
  isBuilt: built,
  tenants: isMany || bundle ? 1 : tenants,
  progress,
});
const { project } = stage;
const heapFile = join(project.directory, 'heap');
try {
  print('soak', `${tenants} tenants`);
  print('---', '---');
  if (isMany) await configure();
  else await soak();
} finally {
  await stage.close();
}

function start() {
  return stage.start({
    preload: join(import.meta.dirname, 'heap-preload.js'),
    environment: { TRIAL_HEAP_FILE: heapFile },
  });
}

async function configure(): Promise<void> {
  const apiKeys = addManyTenants(project, tenants);
  const gateway = await start();
  print('resident after the start', mebibytes(residentBytes(gateway.pid)));
  print('heap then, collected', mebibytes(await heapBytes(gateway, heapFile)));
  const load = new Load(gateway.address, { apiKeys, connections: 8, batch: 1 });
  await load.until(200, apiKeys.size);
  await load.stop();
  print(`resident after ${load.count} answers`, mebibytes(residentBytes(gateway.pid)));
  print('heap then, collected', mebibytes(await heapBytes(gateway, heapFile)));
  print('requests', shownStatuses(load));
  await gateway.end('SIGTERM');
}

async function soak(): Promise<void> {
  const { configPath, logDirectory } = project;
  const apiKeys = bundle ? addManyTenants(project, tenants) : project.apiKeys;
  const gateway = await start();
  const samples = new MemorySamples(gateway.pid);
  const load = new Load(gateway.address, { apiKeys, connections, batch: 1, keepsAnswers: false });
  const seconds = 60 * minutes;
  let earlier = 0;
  const begun = performance.now();
  for (let second = 0; second < seconds; second += 1) {
    await pause(1_000);
    if (second === Math.floor(seconds / 4)) earlier = await heapBytes(gateway, heapFile);
    progress('asking', second + 1, seconds);
  }
  await load.stop();
  const perSecond = (1000 * load.count) / (performance.now() - begun);
  samples.stop();
  const later = await heapBytes(gateway, heapFile);
  const code = await gateway.end('SIGTERM');
  progress('verifying the log', 0, 1);
  const { valid, problems, records } = await verifyLog({ configPath });
  const [second, last] = [samples.median(1), samples.median(3)];
  print('requests', shownStatuses(load), `${perSecond.toFixed(0)} answers per second`);
  print('milliseconds', ...[0.5, 0.99, 1].map((share) => shownQuantile(load, share)));
  print(
    'resident, medians of quarters',
    ...[0, 1, 2, 3].map((at) => mebibytes(samples.median(at))),
  );
  print('heap, collected, after a quarter and at the end', mebibytes(earlier), mebibytes(later));
  print(
    'records',
    `${records} of ${load.count} answers`,
    `${bytesIn(logDirectory, records)} bytes each`,
  );
  print('log verify', valid ? 'valid' : problems.slice(0, 3).join('; '));
  const broken = [
    ...unless(last <= second * (1 + growth), 'resident memory grew'),
    ...unless(later <= earlier * (1 + growth), 'the heap grew'),
    ...unless([...load.statuses.keys()].join() === '200', 'another status than 200'),
    ...unless(load.unanswered.length === 0, 'requests were cut off'),
    ...unless(records === load.count, `${load.count - records} records are missing`),
    ...unless(valid, 'the log does not verify'),
    ...unless(code === 0, `exit ${code}`),
  ];
  print('broken', ...broken);
  if (broken.length > 0) process.exitCode = 1;
}

function shownQuantile({ milliseconds }: Load, share: number): string {
  return `${share === 1 ? 'longest' : `p${100 * share}`} ${quantile(milliseconds, share).toFixed(1)}`;
}

function bytesIn(directory: string, records: number): string {
  const bytes = readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0);
  return (bytes / records).toFixed(0);
}
