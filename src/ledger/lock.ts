import { rmdir, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { lock } from 'proper-lockfile';
import { z } from 'zod';
import { TouchmarkError } from '../errors.ts';
import { parseJson } from '../json.ts';
import { errnoOf, exists, readIfPresent, storageError } from './files.ts';

const holderSchema = z.object({ pid: z.number().int(), host: z.string(), since: z.string() });
const heldHere = new Set<string>();
/** A holder whose process cannot be looked up (another machine) is dead after this silence. */
const staleMilliseconds = 30_000;
const door = { stale: 3_000, retries: { retries: 40, minTimeout: 25, maxTimeout: 100 } };

/** How a directory is locked. */
export interface LockOptions {
  /** What messages call it; "serving log" by default. */
  readonly what?: string;
  /** How long to wait for another holder to finish; not at all by default. */
  readonly waitMilliseconds?: number;
}

const pauseMilliseconds = 50;

/**
 * Takes the write lock of a directory and returns the function that releases it. The lock of a
 * process of this machine that no longer runs is taken over at once. Everybody who takes the lock
 * passes through one door, so the note of who holds it always belongs to the lock.
 *
 * @param onLost called when the lock was lost, because this process slept for too long
 * @throws TouchmarkError STORE_LOCKED naming the holder
 */
export async function lockDirectory(
  directory: string,
  now: Date,
  onLost: (error: TouchmarkError) => void,
  { what = 'serving log', waitMilliseconds = 0 }: LockOptions = {},
): Promise<() => Promise<void>> {
  const deadline = performance.now() + waitMilliseconds;
  for (;;) {
    try {
      return await takeLock(directory, now, onLost, what);
    } catch (cause) {
      const busy = TouchmarkError.isInstance(cause) && cause.code === 'STORE_LOCKED';
      if (!busy || performance.now() >= deadline) throw cause;
      await setTimeout(pauseMilliseconds);
    }
  }
}

async function takeLock(
  directory: string,
  now: Date,
  onLost: (error: TouchmarkError) => void,
  what: string,
): Promise<() => Promise<void>> {
  const paths = {
    lock: join(directory, 'lock'),
    door: join(directory, 'lock-door'),
    holder: join(directory, 'lock-holder.json'),
  };
  let held = true;
  const lost = () => {
    held = false;
    onLost(lostError(what, directory));
  };
  const take = () =>
    lock(paths.lock, {
      lockfilePath: paths.lock,
      realpath: false,
      stale: staleMilliseconds,
      update: staleMilliseconds / 6,
      onCompromised: lost,
    });
  try {
    const leaveDoor = await lock(paths.door, {
      ...door,
      lockfilePath: paths.door,
      realpath: false,
      onCompromised: lost,
    });
    try {
      if (await holderIsDead(paths.holder, paths.lock)) await removeIfThere(paths.lock);
      const release = await take();
      const leave = async () => {
        heldHere.delete(paths.lock);
        if (held) await release();
      };
      heldHere.add(paths.lock);
      try {
        const holder = { pid: process.pid, host: hostname(), since: now.toISOString() };
        await writeFile(paths.holder, JSON.stringify(holder), { mode: 0o600 });
      } catch (cause) {
        await leave();
        throw cause;
      }
      return leave;
    } finally {
      await leaveDoor();
    }
  } catch (cause) {
    if (errnoOf(cause) !== 'ELOCKED') throw storageError('lock', directory, cause);
    throw new TouchmarkError(
      'STORE_LOCKED',
      `The ${what} ${directory} is in use by ${await describeHolder(paths.holder)}.`,
      { hint: 'Stop that process, or wait until it is done.', cause },
    );
  }
}

/** A holder of this process may be giving up the lock at this moment. */
async function removeIfThere(directory: string): Promise<void> {
  await rmdir(directory).catch((cause: unknown) => {
    if (errnoOf(cause) !== 'ENOENT') throw cause;
  });
}

/** Asked behind the door, where the note is written: a lock without one is of a process that died there. */
async function holderIsDead(holderPath: string, lockPath: string): Promise<boolean> {
  const [holder, locked] = await Promise.all([readHolder(holderPath), exists(lockPath)]);
  if (!locked) return false;
  if (holder === undefined) return true;
  if (holder.host !== hostname()) return false;
  if (holder.pid === process.pid) return !heldHere.has(lockPath);
  try {
    process.kill(holder.pid, 0);
    return false;
  } catch (cause) {
    return errnoOf(cause) === 'ESRCH';
  }
}

async function describeHolder(path: string): Promise<string> {
  const holder = await readHolder(path);
  if (holder === undefined) return 'another process';
  return `process ${holder.pid} on ${holder.host}, since ${holder.since}`;
}

async function readHolder(path: string): Promise<z.infer<typeof holderSchema> | undefined> {
  const text = (await readIfPresent(path))?.toString('utf8');
  return text === undefined ? undefined : holderSchema.safeParse(parseJson(text)).data;
}

function lostError(what: string, directory: string): TouchmarkError {
  return new TouchmarkError('STORE_LOCKED', `The lock of the ${what} ${directory} was lost.`, {
    hint: 'This process was asleep for too long and another one may be writing. Start it again.',
  });
}
