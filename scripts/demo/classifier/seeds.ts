/** Runs the demonstration over many seeds and reports the weakest surrogate and the strongest innocent. */
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import yargs from 'yargs';
import { stderrProgress } from '../../progress.ts';
import { type DemoDocument, demoDocument } from '../document.ts';
import { runClassifierDemo } from './run.ts';

const { first, count, out, json } = await yargs(process.argv.slice(2))
  .scriptName('npm run demo:seeds --')
  .option('first', { type: 'number', default: 1001, describe: 'The first seed' })
  .option('count', { type: 'number', default: 20, describe: 'How many seeds' })
  .option('out', {
    type: 'string',
    default: 'demo-output/seeds',
    describe: 'Results; a seed found there is not run again',
  })
  .option('json', { type: 'boolean', default: false, describe: 'Print one JSON document' })
  .strict()
  .parseAsync();

const progress = stderrProgress();
await mkdir(resolve(out), { recursive: true });
const documents: DemoDocument[] = [];
for (let seed = first; seed < first + count; seed += 1) {
  documents.push(await resultOf(String(seed)));
  progress('seeds', documents.length, count);
}
const summary = summarise(documents);
process.stdout.write(
  json
    ? `${JSON.stringify(summary, null, 2)}\n`
    : `${Object.entries(summary)
        .map(([name, value]) => `${name}: ${JSON.stringify(value)}`)
        .join('\n')}\n`,
);

async function resultOf(seed: string): Promise<DemoDocument> {
  const path = join(resolve(out), `seed-${seed}.json`);
  const known = await readFile(path, 'utf8').catch(() => undefined);
  if (known !== undefined) return JSON.parse(known) as DemoDocument;
  const directory = join(resolve(out), `run-${seed}`);
  await rm(directory, { recursive: true, force: true });
  const document = demoDocument(
    await runClassifierDemo({ seed, out: directory, progress: () => undefined }),
  );
  await writeFile(path, JSON.stringify(document));
  await rm(directory, { recursive: true, force: true });
  return document;
}

function summarise(all: readonly DemoDocument[]): Record<string, unknown> {
  const suspects = all.flatMap((each) => each.suspects);
  const named = (name: string) => suspects.filter((suspect) => suspect.name === name);
  const scores = (name: string) => named(name).map(({ score }) => score);
  const signs = (name: string) =>
    named(name).map(({ tests }) => tests.find(({ test }) => test === 'probability-signs')!.log10E);
  const innocent = suspects.filter(({ truth }) => truth === 'independent');
  const counted = innocent.map(({ score }) => score);
  const costs = all.map((each) => each.protected);
  return {
    seeds: all.length,
    smallestScore: {
      'soft-network': Math.min(...scores('soft-network')),
      'soft-linear': Math.min(...scores('soft-linear')),
      'label-perceptron': Math.min(...scores('label-perceptron')),
    },
    smallestFreshSigns: {
      'soft-network': Math.min(...signs('soft-network')),
      'soft-linear': Math.min(...signs('soft-linear')),
    },
    naiveBayes: {
      smallest: Math.min(...scores('label-naive-bayes')),
      largest: Math.max(...scores('label-naive-bayes')),
      matches: named('label-naive-bayes').filter(({ verdict }) => verdict === 'match').length,
    },
    innocents: {
      audits: innocent.length,
      largest: Math.max(...counted),
      atLeastTwoBans: counted.filter((score) => score >= 2).length,
      matches: innocent.filter(({ verdict }) => verdict === 'match').length,
    },
    largestTotalVariation: Math.max(...costs.map((cost) => cost.meanTotalVariation)),
    largestAccuracyLoss: Math.max(...costs.map((cost) => cost.accuracyClean - cost.accuracyServed)),
    argMaxChangedByProbabilityMark: costs.reduce(
      (sum, cost) => sum + cost.argMaxChangedByProbabilityMark,
      0,
    ),
    longestSeconds: Math.max(...all.map(({ seconds }) => seconds)),
  };
}
