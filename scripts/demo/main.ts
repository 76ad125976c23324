import { join, relative, resolve } from 'node:path';
import { styleText } from 'node:util';
import yargs from 'yargs';
import { TouchmarkError } from '../../src/errors.ts';
import { stderrProgress } from '../progress.ts';
import { demoDocument } from './document.ts';
import { type DemoResult, type DemoSuspect, runDemo } from './run.ts';

const { seed, out, json } = await yargs(process.argv.slice(2))
  .scriptName('npm run demo --')
  .usage(
    '$0 [options]\n\nSteals a real language identifier through its watermarked API, and finds the thieves.',
  )
  .option('seed', {
    type: 'string',
    default: '1',
    describe: 'Seed of the data, the keys and the models',
  })
  .option('out', {
    type: 'string',
    describe: 'A new directory for project, runs and reports; one in demo-output by default',
  })
  .option('json', { type: 'boolean', default: false, describe: 'Print one JSON document' })
  .strict()
  .parseAsync();

const stamp = new Date().toISOString().replaceAll(/[:.]/g, '');
const directory = resolve(out ?? join('demo-output', `seed-${seed}-${stamp}`));
try {
  const result = await runDemo({ seed, out: directory, progress: stderrProgress() });
  process.stdout.write(
    json ? `${JSON.stringify(demoDocument(result), null, 2)}\n` : asTable(result, directory),
  );
} catch (cause) {
  if (!TouchmarkError.isInstance(cause)) throw cause;
  process.stderr.write(`demo: ${cause.message}\n  hint: ${cause.hint}\n`);
  process.exitCode = cause.exitCode;
}

function asTable(demo: DemoResult, directory: string): string {
  const { protected: model } = demo;
  const tests = [
    'probability-per-query',
    'label-coins',
    'probability-signs',
    'probability-signs-replay',
  ];
  const header = [
    'suspect',
    'truth',
    'per-query',
    'coins',
    'signs',
    '(replay)',
    'score',
    'verdict',
    'probes',
    'seconds',
  ];
  const rows = demo.suspects.map((suspect) => [
    suspect.name,
    suspect.truth,
    ...tests.map((test) => bansOf(suspect, test)),
    suspect.report.score.toFixed(1),
    suspect.report.verdict,
    String(suspect.report.run.probesAsked),
    suspect.seconds.toFixed(1),
  ]);
  const widths = header.map((_, column) =>
    Math.max(...[header, ...rows].map((row) => row[column]!.length)),
  );
  const line = (row: readonly string[]) =>
    row
      .map((cell, column) =>
        column < 2 || column === 7 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!),
      )
      .join('  ');
  const percent = (share: number) => `${(100 * share).toFixed(2)}%`;
  return [
    `Protected: ${model.name}, ${model.labels} languages`,
    `Accuracy ${percent(model.accuracyClean)} clean, ${percent(model.accuracyServed)} served; mean total variation ${model.meanTotalVariation.toFixed(4)}`,
    '',
    styleText('bold', line(header)),
    ...rows.map(line),
    '',
    'Numbers are bans: log10 of the e-value. (replay) is shown and never counted: it assumes that the',
    'questions were not chosen from served answers. The score is after charges for looking often.',
    '',
    `Reports: ${relative(process.cwd(), join(directory, 'audits', 'soft-network', 'report.html'))} and one for each suspect beside it`,
    `${demo.seconds.toFixed(0)} seconds`,
    '',
  ].join('\n');
}

function bansOf({ report }: DemoSuspect, test: string): string {
  const evidence = report.evidence.find((each) => each.test === test);
  if (evidence === undefined || evidence.status === 'not-applicable') return '-';
  const bans = evidence.null === 'descriptive' ? (evidence.effect['bans'] ?? 0) : evidence.log10E;
  return evidence.counted ? bans.toFixed(1) : `(${bans.toFixed(1)})`;
}
