import { z } from 'zod';
import type { ServedRecord, ServedText } from '../contracts.ts';
import { TouchmarkError } from '../errors.ts';
import { publicKeyOf } from '../keys/signing.ts';
import { eraseTenant } from '../ledger/erase.ts';
import type { Expiry } from '../ledger/log-writer.ts';
import { pruneServingLog } from '../ledger/prune.ts';
import { readAnswers } from '../ledger/read-log.ts';
import { isText } from '../ledger/text-payload.ts';
import { type LogReport, verifyServingLog } from '../ledger/verify-log.ts';
import { createFile } from '../store/project-files.ts';
import { beginEpoch, type TenantOptions } from './keys.ts';
import { breakSince, hasSignedCheckpoint } from './log-checkpoints.ts';
import { openProject, openProjectRing, type ProjectOptions } from './project.ts';

/** What verifying a serving log found, in plain data. */
export interface VerifiedLog extends Omit<LogReport, 'problems'> {
  readonly directory: string;
  readonly valid: boolean;
  /** What is not as it was written, with file and line. */
  readonly problems: readonly string[];
}

/**
 * Checks a project's serving log, signatures included; see `verifyServingLog`. Breaks are returned,
 * not thrown.
 *
 * @param options.against a file with a checkpoint that was published before, which the log must extend
 */
export async function verifyLog(
  options: ProjectOptions & { readonly against?: string },
): Promise<VerifiedLog> {
  const project = await openProject(options);
  const { directory } = project.config.log;
  const isSigned = options.against !== undefined || (await hasSignedCheckpoint(directory));
  const publicKey = isSigned
    ? publicKeyOf((await openProjectRing(project)).signingKey())
    : undefined;
  const report = await verifyServingLog(directory, publicKey && { publicKey });
  const problems = report.problems.map(({ message }) => message);
  if (options.against !== undefined && publicKey !== undefined && problems.length === 0) {
    const broken = await breakSince(directory, options.against, publicKey);
    if (broken !== undefined) problems.push(broken);
  }
  return { ...report, directory, valid: problems.length === 0, problems };
}

/**
 * Erases a tenant's questions and answers, begins its next epoch, and returns how many records
 * were erased. What is destroyed is the key that opens them: as ciphertext they stay in files that all
 * tenants share until retention deletes those.
 *
 * The epoch must end: a question asked again after the erasure would look like one whose coin and
 * sign nobody could have known, and a tenant that remembers them could frame an innocent model.
 */
export async function eraseLog(options: TenantOptions): Promise<{
  readonly tenant: string;
  readonly erased: number;
  readonly epoch: string;
}> {
  const project = await openProject(options);
  const ring = await openProjectRing(project);
  ring.epochs(options.tenant);
  const erased = await eraseTenant(
    project.config.log.directory,
    options.tenant,
    new Date(),
    ring.signingKey(),
  );
  const { epoch } = await beginEpoch(ring, options.tenant);
  return { tenant: options.tenant, erased, epoch };
}

/**
 * Deletes the questions and answers of whole segments by age, and returns what is gone. Evidence of
 * those questions is gone with them, and that is not all: a question that is asked again looks like
 * a new one, whose coin and sign its tenant knows already. So every epoch that has answers among what
 * is deleted should end, and not be audited any more.
 *
 * @param options.before a date, `YYYY-MM-DD` (its beginning in UTC) or ISO 8601 with a time; without it
 *   log.retentionDays ago
 * @throws TouchmarkError USAGE for another date, or one in the future; CONFIG_INVALID when neither date
 *   nor retentionDays is given; as `pruneServingLog`
 */
export async function pruneLog(
  options: ProjectOptions & { readonly before?: string; readonly now: Date },
): Promise<Expiry & { readonly directory: string; readonly before: string }> {
  const project = await openProject(options);
  const { directory, retentionDays } = project.config.log;
  const { now } = options;
  const before =
    options.before === undefined
      ? daysBefore(now, retentionDays, project.path)
      : pastDate(options.before, now);
  const signingKey = (await openProjectRing(project)).signingKey();
  const expiry = await pruneServingLog(directory, { before, signingKey });
  return { directory, before: before.toISOString(), ...expiry };
}

function daysBefore(now: Date, days: number | undefined, configPath: string): Date {
  if (days !== undefined) return new Date(now.getTime() - days * 86_400_000);
  throw new TouchmarkError('CONFIG_INVALID', `${configPath} sets no log.retentionDays.`, {
    hint: 'Give --before DATE, or set log.retentionDays.',
  });
}

function pastDate(text: string, now: Date): Date {
  const parsed = z.union([z.iso.date(), z.iso.datetime({ offset: true })]).safeParse(text);
  const date = new Date(text);
  if (parsed.success && date <= now) return date;
  throw new TouchmarkError('USAGE', `"${text}" is not a date in the past.`, {
    hint: 'Give one such as 2026-01-31, whose beginning in UTC is meant, or 2026-01-31T12:00:00Z.',
  });
}

/**
 * Writes a tenant's records and texts in served order to a new JSONL file of mode 0600, and returns
 * how many. What was withheld or has expired is not there.
 *
 * @throws TouchmarkError as `readAnswers`; USAGE when the file exists
 */
export async function exportLog(
  options: TenantOptions & { readonly out: string },
): Promise<{ readonly file: string; readonly records: number }> {
  const { tenant, out } = options;
  const { directory } = (await openProject(options)).config.log;
  let records = 0;
  async function* lines(): AsyncGenerator<string> {
    for await (const answer of readAnswers(directory, { tenant })) {
      records += 1;
      yield `${JSON.stringify(plainAnswer(answer))}\n`;
    }
  }
  await createFile(out, lines(), 0o600);
  return { file: out, records };
}

function plainAnswer(answer: ServedRecord | ServedText): object {
  if (isText(answer)) return { schema: 'touchmark/exported-text@1', ...answer };
  const { input, ...record } = answer;
  const plain =
    typeof input === 'string' ? input : { shape: input.shape, data: Array.from(input.data) };
  return { schema: 'touchmark/exported-record@1', ...record, input: plain };
}
