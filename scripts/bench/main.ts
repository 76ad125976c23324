/**
 * Measures what marking, testing and logging cost. Each bench has a process of its own, so that none
 * runs in code that another one has taught the compiler.
 */
import { fork } from 'node:child_process';
import yargs from 'yargs';
import { hideBin } from 'yargs/helpers';
import type { BenchRow } from './measure.ts';

type Bench = () => readonly BenchRow[] | Promise<readonly BenchRow[]>;

/** Loaded where they are run: what one keeps in memory is none of the others' business. */
const benches: Readonly<Record<string, readonly Bench[]>> = {
  embed: [() => import('./embed.ts').then((bench) => bench.benchEmbedding())],
  stats: [() => import('./binomial-tail.ts').then((bench) => bench.benchBinomialTail())],
  ledger: [() => import('./ledger-append.ts').then((bench) => bench.benchLedger())],
  fingerprints: [() => import('./fingerprints.ts').then((bench) => bench.benchFingerprints())],
  training: [() => import('./training.ts').then((bench) => bench.benchTraining())],
  text: [
    () => import('./text-marks.ts').then((bench) => bench.benchTextGreenLists()),
    () => import('./text-marks.ts').then((bench) => bench.benchTextDraws()),
    () => import('./text-detection.ts').then((bench) => bench.benchTextDetection()),
  ],
  gateway: [
    () => import('./gateway.ts').then((bench) => bench.benchGateway()),
    () => import('./gateway-streaming.ts').then((bench) => bench.benchStreaming()),
  ],
  'audit-engine': [
    () => import('./audit-engine.ts').then((bench) => bench.benchAuditParts()),
    () => import('./audit-engine.ts').then((bench) => bench.benchAuditEngine()),
    () => import('./audit-engine.ts').then((bench) => bench.benchAuditMemory()),
  ],
};

if (process.send === undefined) await measureAll();
else process.once('message', (which: [name: string, part: number]) => void measureOne(...which));

async function measureAll(): Promise<void> {
  const { json, only } = await yargs(hideBin(process.argv))
    .scriptName('bench')
    .option('json', { type: 'boolean', default: false, describe: 'print rows as JSON' })
    .option('only', {
      choices: Object.keys(benches),
      type: 'string',
      array: true,
      describe: 'measure these alone',
    })
    .strict()
    .parseAsync();
  const rows: BenchRow[] = [];
  for (const name of only ?? Object.keys(benches)) {
    process.stderr.write(`measuring ${name}\n`);
    for (const part of benches[name]!.keys()) rows.push(...(await inProcess(name, part)));
  }
  process.stdout.write(json ? `${JSON.stringify(rows, null, 2)}\n` : rows.map(line).join(''));
}

function inProcess(name: string, part: number): Promise<readonly BenchRow[]> {
  const child = fork(new URL(import.meta.url), []);
  return new Promise((resolve, reject) => {
    child.once('message', (rows) => resolve(rows as readonly BenchRow[]));
    child.once('exit', (code) => reject(new Error(`the bench ${name} ended with code ${code}`)));
    child.send([name, part]);
  });
}

async function measureOne(name: string, part: number): Promise<void> {
  const rows = await benches[name]![part]!();
  process.send!(rows, () => process.disconnect());
}

function line({ name, value, unit, ratio, against }: BenchRow): string {
  return `${name.padEnd(26)} ${value.toFixed(2).padStart(8)} ${unit}; ${ratio.toFixed(3)} of ${against}\n`;
}
