import { TouchmarkError } from '../errors.ts';
import { type AuditReport, auditReportSchema } from './model.ts';
import { steadyJson, visible } from './text.ts';

const schemaName = 'touchmark/audit-report';
const newestSchema = 2;

/**
 * Returns the report as indented JSON: keys in the order of the schema, those of free records
 * sorted, one newline at the end, and nothing that would steer a terminal.
 *
 * @throws TouchmarkError EVIDENCE_INVALID when the report breaks its own schema (a NaN, say).
 */
export function renderJson(report: AuditReport): string {
  return `${steadyJson(checked(report), sortedRecords)}\n`;
}

/**
 * Returns the report that `renderJson` wrote.
 *
 * @throws TouchmarkError EVIDENCE_INVALID when the text is not JSON, is another kind of document,
 * comes from a newer toolkit, or contradicts the schema; the message names the place.
 */
export function parseReport(text: string): AuditReport {
  const document = parsedJson(text);
  const schema =
    typeof document === 'object' && document !== null && 'schema' in document
      ? document.schema
      : undefined;
  const version = typeof schema === 'string' ? /^(.*)@(\d+)$/.exec(schema) : null;
  if (version?.[1] !== schemaName) {
    const found = schema === undefined ? 'no schema' : `schema ${visible(JSON.stringify(schema))}`;
    throw new TouchmarkError('EVIDENCE_INVALID', `This is not an audit report: it has ${found}.`, {
      hint: `Give the report.json of an audit; its schema is "${schemaName}@${newestSchema}".`,
    });
  }
  if (Number(version[2]) > newestSchema) {
    throw new TouchmarkError(
      'EVIDENCE_INVALID',
      `The report has schema "${visible(version[0])}"; this version reads up to "${schemaName}@${newestSchema}".`,
      { hint: 'Read it with the version of touchmark that wrote it, or a newer one.' },
    );
  }
  return checked(document);
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    const reason = cause instanceof Error ? visible(cause.message) : 'unreadable';
    throw new TouchmarkError('EVIDENCE_INVALID', `The report is not JSON: ${reason}.`, {
      hint: 'The file may be truncated; the audit can be rendered again from its run directory.',
      cause,
    });
  }
}

function checked(document: unknown): AuditReport {
  const result = auditReportSchema.safeParse(document);
  if (result.success) return result.data;
  const places = result.error.issues.map(
    ({ path, message }) => `${visible(path.join('.') || 'report', 60)}: ${visible(message)}`,
  );
  const shown = places.slice(0, 5).join('; ');
  const more = places.length > 5 ? `; and ${places.length - 5} more` : '';
  throw new TouchmarkError('EVIDENCE_INVALID', `The audit report is invalid: ${shown}${more}.`, {
    hint: 'Do not edit a report; render it again from its run directory.',
    cause: result.error,
  });
}

function sortedRecords(key: string, value: unknown): unknown {
  if ((key !== 'skipped' && key !== 'effect') || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value ?? {}).sort(([a], [b]) => (a < b ? -1 : 1)));
}
