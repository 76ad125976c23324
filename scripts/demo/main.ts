/** Demonstrates the whole road, from the mark in the answers to the verdict on who learned from them. */
import { join, relative, resolve } from 'node:path';
import yargs from 'yargs';
import { TouchmarkError } from '../../src/errors.ts';
import { stderrProgress } from '../progress.ts';
import { type DemoResult, demoDocument } from './document.ts';
import { bansColumn, demoTable } from './table.ts';

const which = ['classifier', 'text', 'traps'] as const;

const options = await yargs(process.argv.slice(2))
  .scriptName('npm run demo --')
  .usage(
    '$0 [classifier|text|traps] [options]\n\nSteals a model through its watermarked answers, and finds the thieves.\n\n  classifier  a real language identifier, over HTTP (the default)\n  text        an n-gram language model, in this process\n  traps       a network of ours, over HTTP, whose audits show rotating traps',
  )
  .option('seed', {
    type: 'string',
    default: '1',
    describe: 'Seed of the data, the keys and the models',
  })
  .option('out', {
    type: 'string',
    describe:
      'A new directory for project, runs and reports of the classifier; one in demo-output by default',
  })
  .option('json', { type: 'boolean', default: false, describe: 'Print one JSON document' })
  .example('$0', 'the language identifier')
  .example('$0 text --json', 'the language model, as one JSON document')
  .example('$0 traps', 'scores with rotating traps and without')
  .check(({ _: words, out }) => {
    const isKnown = words.length === 0 || (words.length === 1 && which.includes(nameOf(words)));
    if (!isKnown) throw new Error(`Say which demonstration: ${which.join(' or ')}.`);
    if (out !== undefined && nameOf(words) === 'text') {
      throw new Error('The text demonstration writes no files: leave --out away.');
    }
    return true;
  })
  .strictOptions()
  .parseAsync();

const demonstrations = {
  classifier: demonstrateClassifier,
  text: demonstrateText,
  traps: demonstrateTraps,
} as const;
const progress = stderrProgress();
try {
  const { result, table } = await demonstrations[nameOf(options._)]();
  process.stdout.write(
    options.json ? `${JSON.stringify(demoDocument(result), null, 2)}\n` : table(),
  );
} catch (cause) {
  if (!TouchmarkError.isInstance(cause)) throw cause;
  process.stderr.write(`demo: ${cause.message}\n  hint: ${cause.hint}\n`);
  process.exitCode = cause.exitCode;
}

interface Demonstration {
  readonly result: DemoResult;
  readonly table: () => string;
}

async function demonstrateClassifier(): Promise<Demonstration> {
  const { runClassifierDemo } = await import('./classifier/run.ts');
  const directory = newDirectory();
  const result = await runClassifierDemo({ seed: options.seed, out: directory, progress });
  const example = join(directory, 'audits', 'soft-network', 'report.html');
  const table = () =>
    demoTable(
      result,
      `Protected: ${result.protected.name}, ${result.protected.labels} languages`,
      [
        bansColumn('per-query', 'probability-per-query'),
        bansColumn('coins', 'label-coins'),
        bansColumn('signs', 'probability-signs'),
        bansColumn('(replay)', 'probability-signs-replay'),
      ],
      [
        'Numbers are bans: log10 of the e-value. (replay) is shown and never counted: it assumes that the',
        'questions were not chosen from served answers. The score is after charges for looking often.',
        '',
        `Reports: ${relative(process.cwd(), example)} and one for each suspect beside it`,
      ],
    );
  return { result, table };
}

async function demonstrateText(): Promise<Demonstration> {
  const { runTextDemo } = await import('./text/run.ts');
  const result = await runTextDemo({ seed: options.seed, progress });
  const table = () =>
    demoTable(
      result,
      `Protected: ${result.protected.name}, ${result.protected.labels} tokens`,
      [
        bansColumn('samples', 'text-samples'),
        bansColumn('reading', 'text-reading'),
        bansColumn('contrast', 'text-contrast'),
      ],
      [
        'Numbers are bans: log10 of the e-value. The three tests share one key, so their mean counts.',
        'The score is after charges for looking often. Accuracy is of the likeliest next token.',
        '',
      ],
    );
  return { result, table };
}

async function demonstrateTraps(): Promise<Demonstration> {
  const { runTrapsDemo } = await import('./traps/run.ts');
  const { trapsTable } = await import('./traps/table.ts');
  const directory = newDirectory();
  const result = await runTrapsDemo({ seed: options.seed, out: directory, progress });
  const example = join(directory, 'audits', 'soft-network', 'report.html');
  return { result, table: () => trapsTable(result, relative(process.cwd(), example)) };
}

function newDirectory(): string {
  const stamp = new Date().toISOString().replaceAll(/[:.]/g, '');
  return resolve(options.out ?? join('demo-output', `seed-${options.seed}-${stamp}`));
}

function nameOf(words: readonly (string | number)[]): (typeof which)[number] {
  return String(words[0] ?? 'classifier') as (typeof which)[number];
}
