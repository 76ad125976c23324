import { join } from 'node:path';
import { TouchmarkError } from '../errors.ts';
import { renderHtml } from '../report/html.ts';
import { parseReport, renderJson } from '../report/json.ts';
import { renderJunit } from '../report/junit.ts';
import type { AuditReport } from '../report/model.ts';
import { renderTerminal } from '../report/terminal.ts';
import { createFile, readTextIfPresent } from '../store/project-files.ts';
import type { ProjectOptions } from './project.ts';
import type { ReportFormat } from './report-formats.ts';
import { type RevealedTrap, revealTraps } from './traps/list.ts';

const renderers: Readonly<Record<ReportFormat, (report: AuditReport) => string>> = {
  terminal: renderTerminal,
  json: renderJson,
  html: renderHtml,
  junit: renderJunit,
};

export interface ReportOptions {
  readonly run: string;
  readonly format: ReportFormat;
  readonly out?: string;
  /** The project whose traps the report is to show in clear, after retiring them. */
  readonly reveal?: ProjectOptions & { readonly now: Date };
}

/**
 * Returns a finished audit's report in a format, and writes it to a new file when one is named.
 * Traps stand in it as commitments, unless they are to be revealed; the stored report stays as it is.
 *
 * @throws TouchmarkError USAGE when the directory holds no report or the file exists;
 *   EVIDENCE_INVALID when the report contradicts itself
 */
export async function renderRun(options: ReportOptions): Promise<string> {
  const path = join(options.run, 'report.json');
  const text = await readTextIfPresent(path);
  if (text === undefined) {
    throw new TouchmarkError('USAGE', `There is no ${path}.`, {
      hint: 'Give the directory of a finished audit; `touchmark audit --resume` finishes one.',
    });
  }
  const report = parseReport(text);
  const shown = options.reveal === undefined ? report : await withRevealed(report, options.reveal);
  const rendered = renderers[options.format](shown);
  if (options.out !== undefined) await createFile(options.out, [rendered], 0o600);
  return rendered;
}

async function withRevealed(
  report: AuditReport,
  reveal: NonNullable<ReportOptions['reveal']>,
): Promise<AuditReport> {
  if (report.traps === undefined) return report;
  const lots: NonNullable<AuditReport['traps']>['lots'][number][] = [];
  for (const lot of report.traps.lots) {
    const { lots: opened } = await revealTraps({ ...reveal, set: lot.set, lots: [lot.lot] });
    lots.push({ ...lot, revealed: opened[0]!.traps.map((trap) => shownTrap(report, trap)) });
  }
  return { ...report, traps: { ...report.traps, lots } };
}

function shownTrap({ protectedModel }: AuditReport, { input = '', label, opening }: RevealedTrap) {
  return {
    question: typeof input === 'string' ? input : JSON.stringify(input),
    label: (typeof label === 'number' ? protectedModel.labels[label] : label) ?? '',
    opening,
  };
}
