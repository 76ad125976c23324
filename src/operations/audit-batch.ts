import { join } from 'node:path';
import PQueue from 'p-queue';
import { parse } from 'yaml';
import { z } from 'zod';
import { type Suspects, suspectsSchema } from '../config/suspects.ts';
import { TouchmarkError } from '../errors.ts';
import type { AuditReport } from '../report/model.ts';
import { pathExists, readTextIfPresent } from '../store/project-files.ts';
import { runFiles } from '../store/run-directory.ts';
import { auditSuspect } from './audit.ts';
import { type AuditOptions, computeMaterial, openAudit } from './audit-preparation.ts';

/** What became of one suspect of a batch. */
export type BatchRow = { readonly name: string; readonly directory: string } & (
  | { readonly report: AuditReport }
  | {
      readonly failure: {
        readonly code: string;
        readonly message: string;
        readonly exitCode: number;
      };
    }
);

/** Audits under way at once: each keeps to its own suspect's pace. */
const atOnce = 4;

/**
 * Audits every suspect of a file for one tenant's key, several at once, each in a directory of its own
 * under `out`, all paying for their number, or for audit.suspects where that is larger. One that fails stops nobody else; those that were begun
 * before are resumed.
 *
 * @param options.file YAML: names to suspects, as under `suspects:` in touchmark.yaml, or to names there
 * @throws TouchmarkError INPUT_INVALID for the file; else as `runAudit` before anybody is asked
 */
export async function auditBatch(
  options: Omit<AuditOptions, 'suspect' | 'resume'> & { readonly file: string },
): Promise<readonly BatchRow[]> {
  const opened = await openAudit(options);
  const { audit, suspects: known } = opened.project.config;
  const suspects = await readSuspects(options.file, known);
  const names = Object.keys(suspects);
  const config = {
    ...opened.project.config,
    suspects: { ...known, ...suspects },
    audit: { ...audit, suspects: Math.max(audit.suspects, names.length) },
  };
  const project = { ...opened.project, config };
  const prepared = await computeMaterial({ ...opened, project }, options);
  const queue = new PQueue({ concurrency: atOnce });
  return Promise.all(
    names.map((name) =>
      queue.add(async (): Promise<BatchRow> => {
        const out = join(options.out, name);
        const resume = await pathExists(join(out, runFiles.plan));
        try {
          const asked = { ...options, suspect: name, suspectName: name, out, resume };
          return { name, directory: out, report: await auditSuspect(prepared, asked) };
        } catch (cause) {
          if (!TouchmarkError.isInstance(cause) || options.signal.aborted) throw cause;
          const { code, message, exitCode } = cause;
          return { name, directory: out, failure: { code, message, exitCode } };
        }
      }),
    ),
  );
}

/** The exit code of a batch: 4 when a run can be resumed, else that of the first failure, else 0. */
export function batchExitCode(rows: readonly BatchRow[]): number {
  const codes = rows.flatMap((row) => ('failure' in row ? [row.failure.exitCode] : []));
  return codes.includes(4) ? 4 : (codes[0] ?? 0);
}

async function readSuspects(path: string, known: Suspects): Promise<Suspects> {
  const text = await readTextIfPresent(path);
  const invalid = (why: string, cause?: unknown) =>
    new TouchmarkError('INPUT_INVALID', `${path} ${why}`, {
      hint: 'write one suspect a line: NAME: http:https://host/classify, or NAME: a name of touchmark.yaml',
      cause,
    });
  if (text === undefined) throw invalid('is not there');
  let document: unknown;
  try {
    document = withKnown(parse(text), known);
  } catch (cause) {
    throw invalid('is not YAML', cause);
  }
  const parsed = suspectsSchema.safeParse(document);
  if (!parsed.success) throw invalid(`lists no suspects: ${z.prettifyError(parsed.error)}`);
  if (Object.keys(parsed.data).length === 0) throw invalid('lists no suspects');
  return parsed.data;
}

function withKnown(document: unknown, known: Suspects): unknown {
  if (typeof document !== 'object' || document === null || Array.isArray(document)) return document;
  return Object.fromEntries(
    Object.entries(document).map(([name, value]) => [
      name,
      typeof value === 'string' && Object.hasOwn(known, value) ? known[value] : value,
    ]),
  );
}
