/** Writes the JSON schema of audit reports to docs/schemas/audit-report.json. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { auditReportJsonSchema } from '../src/report/model.ts';

const folder = join(import.meta.dirname, '..', 'docs', 'schemas');
await mkdir(folder, { recursive: true });
await writeFile(
  join(folder, 'audit-report.json'),
  `${JSON.stringify(auditReportJsonSchema(), null, 2)}\n`,
);
