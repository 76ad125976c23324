import { once } from 'node:events';
import { Cron } from 'croner';
import type { Progress } from '../../contracts.ts';
import { TouchmarkError } from '../../errors.ts';
import { lockSchedule } from '../../ledger/schedule-lock.ts';
import { openProject, type ProjectOptions } from '../project.ts';
import { type Rotation, rotateProject } from './rotate-project.ts';
import { readTrapStock, trapFolders } from './stock.ts';

export interface ScheduleOptions extends ProjectOptions {
  /** Minute, hour, day of month, month, day of week. */
  readonly cron: string;
  /** The scheduler stops when it fires; a rotation under way is finished first. */
  readonly signal: AbortSignal;
  readonly progress: Progress;
  /** Told when the next rotation is due. */
  readonly onWaiting: (next: Date) => void;
  readonly onRotation: (rotation: Rotation) => void;
  /** Told of a rotation that failed; the schedule goes on. */
  readonly onFailure: (error: unknown) => void;
}

/**
 * Rotates traps on schedule until the signal fires, in the time zone of `traps.timezone`. When the
 * last time that was due passed without a rotation, as after downtime, it rotates at once.
 *
 * A time that a change to summer time skips is due right after the gap, one that occurs twice is due
 * once (croner, jobs at fixed times); rotation is idempotent for each day in any case.
 *
 * @throws TouchmarkError STORE_LOCKED naming the scheduler that runs already; USAGE for a pattern
 *   that is none or never due
 */
export async function scheduleRotations(options: ScheduleOptions): Promise<void> {
  const { signal } = options;
  const project = await openProject(options);
  const { ledger } = trapFolders(project);
  const job = parseCron(options.cron, project.config.traps.timezone);
  const lost = new AbortController();
  const unlock = await lockSchedule(ledger, new Date(), (error) => lost.abort(error));
  let running: Promise<void> = Promise.resolve();
  const run = () => {
    running = running.then(() => rotateOnce(options));
    return running;
  };
  const waiting = () => {
    const next = job.nextRun();
    if (next && !signal.aborted) options.onWaiting(next);
  };
  try {
    job.schedule(async () => {
      await run();
      waiting();
    });
    if (await wasMissed(project, job)) await run();
    waiting();
    const either = AbortSignal.any([signal, lost.signal]);
    if (!either.aborted) await once(either, 'abort');
    job.stop();
    await running;
    lost.signal.throwIfAborted();
  } finally {
    job.stop();
    await unlock();
  }
}

/** Returns the schedule, not running yet. @throws TouchmarkError USAGE */
export function parseCron(pattern: string, timezone: string): Cron {
  const refuse = (reason: string, cause?: unknown) =>
    new TouchmarkError('USAGE', `--cron "${pattern}" ${reason}`, {
      hint: 'Write minute, hour, day of month, month and day of week, such as "0 3 * * *".',
      cause,
    });
  let job: Cron;
  try {
    const fixedTimeRule = 'no-wildcard';
    job = new Cron(pattern, {
      timezone,
      mode: '5-part',
      paused: false,
      protect: true,
      fixedTimeRule,
    });
  } catch (cause) {
    throw refuse(`is no schedule: ${cause instanceof Error ? cause.message : cause}`, cause);
  }
  if (job.nextRun() === null) throw refuse('is never due.');
  return job;
}

async function rotateOnce(options: ScheduleOptions): Promise<void> {
  try {
    const unstoppable = new AbortController().signal;
    options.onRotation(await rotateProject({ ...options, signal: unstoppable, now: new Date() }));
  } catch (error) {
    options.onFailure(error);
  }
}

/** A ledger that cannot be read counts as missed: the rotation then says what is wrong with it. */
async function wasMissed(project: { readonly directory: string }, job: Cron): Promise<boolean> {
  const [due] = job.previousRuns(1);
  const stock = await readTrapStock(project).catch(() => undefined);
  const last = stock?.lastRotation?.at;
  return last === undefined || (due !== undefined && Date.parse(last) < due.getTime());
}
