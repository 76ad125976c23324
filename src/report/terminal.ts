import { type AuditReport, keyedBans, quirkCounts, shownBans, type Verdict } from './model.ts';
import { partLines } from './terminal-parts.ts';
import {
  bans,
  boundAbove,
  clipped,
  displayWidth,
  duration,
  grouped,
  lineWidth,
  pValue,
  visible,
  wrapped,
} from './text.ts';
import {
  besideVerdict,
  bound,
  plain,
  restsOn,
  verdictDoesNotSay,
  verdictSays,
  verdictTitle,
  withReferences,
} from './words.ts';

interface Column {
  readonly title: string;
  readonly width: number;
  readonly align: 'left' | 'right';
}

const columns: readonly Column[] = [
  { title: 'test', width: 28, align: 'left' },
  { title: 'null', width: 11, align: 'left' },
  { title: 'counted', width: 7, align: 'left' },
  { title: 'bans', width: 8, align: 'right' },
  { title: 'log10 p', width: 9, align: 'right' },
  { title: 'probes', width: 9, align: 'right' },
  { title: 'status', width: 14, align: 'left' },
];

const ink: Readonly<Record<Verdict, string>> = {
  match: '\u001b[1;31m',
  'no-match-found': '\u001b[1;36m',
  inconclusive: '\u001b[1;33m',
};

/** How a report is printed. */
export interface TerminalOptions {
  /** Paints the verdict; default false. */
  readonly color?: boolean;
  /** Where the run is, so that the path of the full report can be followed. */
  readonly directory?: string;
}

/**
 * Returns the report as a plain table for stdout: verdict and score, one row per test, what the
 * verdict says and does not say, and the name of the HTML file. No line but that
 * path exceeds 100 columns; a stranger's control characters are shown, never sent.
 */
export function renderTerminal(
  report: AuditReport,
  { color = false, directory }: TerminalOptions = {},
): string {
  const title = verdictTitle(report).toUpperCase();
  const verdict = color ? `${ink[report.verdict]}${title}\u001b[0m` : title;
  const { run, plan } = report;
  const { operator } = report.suspect;
  const beside = besideVerdict(report);
  const lines = [
    `${verdict}  ${clipped(visible(report.suspect.name, 60), 70)}`,
    `score ${bans(keyedBans(report))} bans · threshold ${grouped(plan.threshold)} · ${plan.standing} · tier ${report.tier}`,
    ...(withReferences(report) === '' ? [] : [withReferences(report).trim()]),
    ...(operator === undefined
      ? []
      : [clipped(`run by ${visible(operator)}, by the owner’s word`, lineWidth)]),
    '',
    row(columns.map((column) => column.title)),
    row(columns.map((column) => '─'.repeat(column.width))),
    ...report.evidence.map((evidence) => evidenceRow(report, evidence)),
    '',
    ...report.multiplicity.map(({ reason, bans: charge }) =>
      clipped(`charged ${boundAbove(charge, 2)} bans: ${visible(reason)}`, lineWidth),
    ),
    `${grouped(run.probesAsked)} probes, ${grouped(run.answered)} answered, in ${duration(run.seconds)}`,
    ...trapLines(report),
    ...quirkLines(report),
    ...partLines(report),
    '',
    ...wrapped(plain(verdictSays(report))),
    ...(beside === '' ? [] : wrapped(beside)),
    ...(report.verdict === 'match' ? [] : wrapped(sentence(plain(bound(report))))),
    ...(plan.assumptions.length === 0 ? [] : wrapped(plain(restsOn(report)))),
    ...wrapped(verdictDoesNotSay(report)),
    '',
    `Full report: ${visible(directory === undefined ? report.files.html : `${directory}/${report.files.html}`)}`,
  ];
  return `${lines
    .map((line) => line.trimEnd())
    .join('\n')
    .replaceAll('−', '-')}\n`;
}

function trapLines({ traps }: AuditReport): string[] {
  if (traps === undefined) return [];
  const shown = traps.lots.reduce((sum, { commitments }) => sum + commitments.length, 0);
  const left = traps.remaining.map(({ kind, audits }) => `${grouped(audits)} ${kind}`).join(', ');
  return [
    `${grouped(shown)} traps exposed for good; audits that the stock can still serve: ${left}`,
  ];
}

function quirkLines(report: AuditReport): string[] {
  const { fingerprint } = report;
  if (fingerprint === undefined) return [];
  const { quirks, references } = fingerprint;
  const read = quirks.filter(({ suspect }) => suspect !== null);
  const counted = read.filter((quirk) => quirkCounts(report, quirk)).length;
  const beyond = read.filter(
    ({ suspect, same, other }) =>
      [...same, ...other].every((value) => value < (suspect ?? value)) &&
      same.length + other.length > 0,
  ).length;
  return [
    `${read.length} of ${quirks.length} quirks read, ${counted} counted; in ${beyond} the suspect goes further than every reference`,
    `R: ${grouped(references.same)} references on the same data, ${grouped(references.other)} on other data; smallest possible p ${pValue(references.smallestP)}`,
  ];
}

function evidenceRow(report: AuditReport, evidence: AuditReport['evidence'][number]): string {
  const found = bans(shownBans(report, evidence), 2);
  return row([
    visible(evidence.test),
    evidence.null,
    evidence.counted ? 'yes' : 'no',
    evidence.counted ? found : `(${found})`,
    evidence.log10P === undefined ? '–' : boundAbove(evidence.log10P, 2),
    grouped(evidence.probes),
    evidence.status,
  ]);
}

function row(cells: readonly string[]): string {
  return columns
    .map(({ width, align }, index) => {
      const cell = clipped(cells[index] ?? '', width);
      const padding = ' '.repeat(width - displayWidth(cell));
      return align === 'left' ? cell + padding : padding + cell;
    })
    .join('  ');
}

function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
