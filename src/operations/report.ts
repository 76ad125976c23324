import { join } from 'node:path';
import { TouchmarkError } from '../errors.ts';
import { renderHtml } from '../report/html.ts';
import { parseReport, renderJson } from '../report/json.ts';
import type { AuditReport } from '../report/model.ts';
import { renderTerminal } from '../report/terminal.ts';
import { createFile, readTextIfPresent } from '../store/project-files.ts';
import type { ReportFormat } from './report-formats.ts';

const renderers: Readonly<Record<ReportFormat, (report: AuditReport) => string>> = {
  terminal: renderTerminal,
  json: renderJson,
  html: renderHtml,
};

/**
 * Returns a finished audit's report in a format, and writes it to a new file when one is named.
 *
 * @throws TouchmarkError USAGE when the directory holds no report or the file exists;
 *   EVIDENCE_INVALID when the report contradicts itself
 */
export async function renderRun(options: {
  readonly run: string;
  readonly format: ReportFormat;
  readonly out?: string;
}): Promise<string> {
  const path = join(options.run, 'report.json');
  const text = await readTextIfPresent(path);
  if (text === undefined) {
    throw new TouchmarkError('USAGE', `There is no ${path}.`, {
      hint: 'Give the directory of a finished audit; `touchmark audit --resume` finishes one.',
    });
  }
  const rendered = renderers[options.format](parseReport(text));
  if (options.out !== undefined) await createFile(options.out, [rendered], 0o600);
  return rendered;
}
