/** Runs the demonstration of traps over several seeds, and shows scores with traps beside those without. */
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import yargs from 'yargs';
import { hideBin } from 'yargs/helpers';
import { stderrProgress } from '../../progress.ts';
import { drawScores } from './draw-scores.ts';
import { runTrapsDemo } from './run.ts';
import { type AuditedSuspect, scorePair } from './scores.ts';

const { first, count, out, picture } = await yargs(hideBin(process.argv))
  .scriptName('npm run demo:traps --')
  .option('first', { type: 'number', default: 1, describe: 'The first seed' })
  .option('count', { type: 'number', default: 4, describe: 'How many seeds' })
  .option('out', {
    type: 'string',
    default: join('demo-output', 'traps'),
    describe: 'Results; a seed found there is not run again',
  })
  .option('picture', { type: 'string', describe: 'An SVG file to draw the scores into' })
  .strict()
  .parseAsync();

const progress = stderrProgress();
await mkdir(resolve(out), { recursive: true });
const audits: AuditedSuspect[] = [];
for (let seed = first; seed < first + count; seed += 1) {
  audits.push(...(await auditsOf(String(seed))));
  progress('seeds', seed - first + 1, count);
}
if (picture !== undefined) await writeFile(resolve(picture), drawScores(audits));
process.stdout.write(`${summary(audits)}\n`);

async function auditsOf(seed: string): Promise<readonly AuditedSuspect[]> {
  const path = join(resolve(out), `seed-${seed}.json`);
  const known = await readFile(path, 'utf8').catch(() => undefined);
  if (known !== undefined) return JSON.parse(known) as AuditedSuspect[];
  const directory = join(resolve(out), `run-${seed}`);
  await rm(directory, { recursive: true, force: true });
  const { suspects } = await runTrapsDemo({ seed, out: directory, progress: () => undefined });
  const found = suspects.map((suspect) => ({
    seed,
    name: suspect.name,
    truth: suspect.truth,
    ...scorePair(suspect),
    coinTraps: bansOf(suspect.evidence, 'label-coins'),
    regionTraps: bansOf(suspect.evidence, 'region-traps'),
  }));
  await writeFile(path, JSON.stringify(found));
  await rm(directory, { recursive: true, force: true });
  return found;
}

function bansOf(
  evidence: readonly { readonly test: string; readonly log10E: number }[],
  test: string,
) {
  return evidence.find((each) => each.test === test)?.log10E ?? 0;
}

/** For each suspect, smallest, median and largest score over the seeds, without traps and with. */
function summary(all: readonly AuditedSuspect[]): string {
  const names = [...new Set(all.map(({ name }) => name))];
  const header = ['suspect', 'truth', 'without traps', 'with traps', 'coin traps', 'region traps'];
  const rows = names.map((name) => {
    const own = all.filter((each) => each.name === name);
    const range = (pick: (audit: AuditedSuspect) => number) => rangeOf(own.map(pick));
    return [
      name,
      own[0]!.truth,
      range((audit) => audit.without),
      range((audit) => audit.with),
      range((audit) => audit.coinTraps),
      range((audit) => audit.regionTraps),
    ];
  });
  const widths = header.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]!.length)),
  );
  const lines = [header, ...rows].map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join('  ')
      .trimEnd(),
  );
  return [...lines, '', `smallest, median and largest of ${count} seeds, in bans`].join('\n');
}

function rangeOf(values: readonly number[]): string {
  const sorted = [...values].sort((left, right) => left - right);
  const places = [0, Math.floor(sorted.length / 2), sorted.length - 1];
  return places.map((place) => sorted[place]!.toFixed(1)).join(' ');
}
