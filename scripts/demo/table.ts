import { styleText } from 'node:util';
import type { DemoResult, DemoSuspect } from './document.ts';

/** A column about each suspect: its title and what stands in a row. */
export type Column = readonly [title: string, cell: (suspect: DemoSuspect) => string];

/** A column of bans of one test. */
export function bansColumn(title: string, test: string): Column {
  return [title, (suspect) => bansOf(suspect, test)];
}

/** A demonstration's suspects as a table of bans, with what the mark costs above it. */
export function demoTable(
  demo: DemoResult,
  heading: string,
  columns: readonly Column[],
  footnotes: readonly string[],
): string {
  const { protected: model } = demo;
  const header = [
    'suspect',
    'truth',
    ...columns.map(([title]) => title),
    'score',
    'verdict',
    'probes',
    'seconds',
  ];
  const rows = demo.suspects.map((suspect) => [
    suspect.name,
    suspect.truth,
    ...columns.map(([, cell]) => cell(suspect)),
    suspect.score.toFixed(1),
    suspect.verdict,
    String(suspect.probes),
    suspect.seconds.toFixed(1),
  ]);
  const widths = header.map((_, column) =>
    Math.max(...[header, ...rows].map((row) => row[column]!.length)),
  );
  const leftAligned = ['suspect', 'truth', 'verdict'];
  const line = (row: readonly string[]) =>
    row
      .map((cell, column) =>
        leftAligned.includes(header[column]!)
          ? cell.padEnd(widths[column]!)
          : cell.padStart(widths[column]!),
      )
      .join('  ');
  const percent = (share: number) => `${(100 * share).toFixed(2)}%`;
  return [
    heading,
    `Accuracy ${percent(model.accuracyClean)} clean, ${percent(model.accuracyServed)} served; mean total variation ${model.meanTotalVariation.toFixed(4)}`,
    '',
    styleText('bold', line(header)),
    ...rows.map(line),
    '',
    ...footnotes,
    `${demo.seconds.toFixed(0)} seconds`,
    '',
  ].join('\n');
}

function bansOf({ evidence }: DemoSuspect, test: string): string {
  const found = evidence.find((each) => each.test === test);
  if (found === undefined || found.status === 'not-applicable') return '-';
  const bans = found.null === 'descriptive' ? (found.effect['bans'] ?? 0) : found.log10E;
  return found.counted ? bans.toFixed(1) : `(${bans.toFixed(1)})`;
}
