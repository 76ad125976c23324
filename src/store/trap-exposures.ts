import { type FileHandle, mkdir, open, readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type ExposureClaim, exposureClaimSchema } from '../traps/events.ts';
import type { ClaimedLot } from '../traps/stock.ts';
import { errnoOf, storageError, syncDirectory } from './secure-file.ts';

const fileName = /^([a-z]+-[0-9a-f]{16})-(\d+)\.json$/;

/**
 * Claims one lot for one audit, before any of its traps is asked: creates its file exclusively and
 * makes it survive a power cut. Returns false when somebody else has the lot.
 *
 * A claim that fails halfway still holds its lot, so that nobody can show it twice.
 *
 * @throws TouchmarkError STORE_FULL or STORE_DAMAGED: the lot must not be asked
 */
export async function claimLot(directory: string, claim: ExposureClaim): Promise<boolean> {
  const path = join(directory, `${claim.set}-${claim.lot}.json`);
  try {
    const made = await mkdir(directory, { recursive: true, mode: 0o700 });
    if (made !== undefined) await syncDirectory(dirname(directory));
    const handle = await openUnlessPresent(path);
    if (handle === undefined) return false;
    try {
      await handle.writeFile(`${JSON.stringify(claim)}\n`);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await syncDirectory(directory);
    return true;
  } catch (cause) {
    throw storageError('write', path, cause);
  }
}

async function openUnlessPresent(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, 'wx', 0o600);
  } catch (cause) {
    if (errnoOf(cause) === 'EEXIST') return undefined;
    throw cause;
  }
}

/**
 * Returns every claim. One whose file is empty or cut, as a crash while claiming leaves it, still
 * counts: its name says which lot it holds, and suspect and audit are 'unknown'.
 */
export async function readClaims(directory: string): Promise<ClaimedLot[]> {
  const names = await readNames(directory);
  const claims = names.map(async (name) => {
    const [, set = '', lot = ''] = fileName.exec(name) ?? [];
    const claim = parseClaim(await readClaimText(join(directory, name)));
    const { suspect = 'unknown', operator = null, audit = 'unknown' } = claim ?? {};
    return { set, lot: Number(lot), suspect, operator, audit };
  });
  return Promise.all(claims);
}

function parseClaim(text: string): ExposureClaim | undefined {
  try {
    return exposureClaimSchema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

async function readClaimText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    throw storageError('read', path, cause);
  }
}

async function readNames(directory: string): Promise<string[]> {
  try {
    return (await readdir(directory)).filter((name) => fileName.test(name)).sort();
  } catch (cause) {
    if (errnoOf(cause) === 'ENOENT') return [];
    throw storageError('list', directory, cause);
  }
}
