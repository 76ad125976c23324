import { randomUUID } from 'node:crypto';
import { link, mkdir, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { TouchmarkError } from '../errors.ts';
import { storageError, writeSecureFile } from './secure-file.ts';

/** The files of one audit, relative to its directory. */
export const runFiles = {
  plan: 'plan.json',
  material: 'material.json',
  vouchers: 'vouchers.json',
  runLog: 'answers.jsonl',
  json: 'report.json',
  html: 'report.html',
} as const;

/** One audit on disk: the sealed plan, the material it was sealed over, and its reports. */
export class AuditDirectory {
  readonly path: string;

  protected constructor(path: string) {
    this.path = path;
  }

  /** @throws RUN_CONFLICT when the directory holds a run, or answers that belonged to one */
  static async requireVacant(path: string): Promise<void> {
    if ((await readIfThere(join(path, runFiles.plan))) !== undefined) throw occupied(path);
    if ((await readIfThere(join(path, runFiles.runLog))) === undefined) return;
    throw new TouchmarkError('RUN_CONFLICT', `${path} holds the answers of an audit without plan`, {
      hint: 'choose another --out directory: a new audit must not go on with old answers',
    });
  }

  /**
   * Begins a run in a directory that holds none.
   *
   * Both files are drafted under names of their own; the plan gets its name by exclusive link, so
   * that of two audits at once one wins, with its own material.
   *
   * @throws RUN_CONFLICT when there is a run already; STORE_FULL and the like.
   */
  static async create(path: string, plan: string, material: string): Promise<AuditDirectory> {
    await AuditDirectory.requireVacant(path);
    const draft = join(path, randomUUID());
    try {
      await mkdir(path, { recursive: true });
      await writeSecureFile(`${draft}.material`, material);
      await writeSecureFile(`${draft}.plan`, plan);
      await link(`${draft}.plan`, join(path, runFiles.plan));
      await rename(`${draft}.material`, join(path, runFiles.material));
    } catch (cause) {
      if (TouchmarkError.isInstance(cause)) throw cause;
      throw isErrno(cause, 'EEXIST') ? occupied(path) : storageError('begin', path, cause);
    } finally {
      await Promise.all(
        ['material', 'plan'].map((name) => rm(`${draft}.${name}`, { force: true })),
      );
    }
    return new AuditDirectory(path);
  }

  /** Opens a run that was begun. @throws RUN_CONFLICT when there is none */
  static async open(path: string): Promise<AuditDirectory> {
    await requireBegun(path);
    return new AuditDirectory(path);
  }

  /** @throws RUN_CONFLICT when the run lacks the file */
  async readText(name: keyof typeof runFiles): Promise<string> {
    const text = await readIfThere(join(this.path, runFiles[name]));
    if (text !== undefined) return text;
    throw new TouchmarkError('RUN_CONFLICT', `${this.path} has no ${runFiles[name]}`, {
      hint: 'it cannot be resumed without: start a new audit in an empty directory',
    });
  }

  /**
   * Returns the material that the plan sealed. A crash just after the plan got its name leaves the
   * material in its draft, which is taken up.
   *
   * @throws RUN_CONFLICT when the run lacks it
   */
  async readMaterial(isSealed: (text: string) => boolean): Promise<string> {
    const path = join(this.path, runFiles.material);
    const text = await readIfThere(path);
    if (text !== undefined) return text;
    const drafts = (await readdir(this.path)).filter((name) => name.endsWith('.material'));
    for (const draft of drafts) {
      const drafted = await readIfThere(join(this.path, draft));
      if (drafted === undefined || !isSealed(drafted)) continue;
      await rename(join(this.path, draft), path);
      return drafted;
    }
    return this.readText('material');
  }

  /** What others say of the sealed plan; undefined while nobody was asked. */
  readVouchers(): Promise<string | undefined> {
    return readIfThere(join(this.path, runFiles.vouchers));
  }

  async writeVouchers(text: string): Promise<void> {
    await writeSecureFile(join(this.path, runFiles.vouchers), text);
  }

  async writeReport(name: 'json' | 'html', text: string): Promise<void> {
    await writeSecureFile(join(this.path, runFiles[name]), text);
  }
}

/** @throws RUN_CONFLICT when the directory holds no run */
export async function requireBegun(path: string): Promise<void> {
  if ((await readIfThere(join(path, runFiles.plan))) !== undefined) return;
  throw new TouchmarkError('RUN_CONFLICT', `${path} holds no audit to resume`, {
    hint: 'start one without --resume',
  });
}

/** Returns the text of a file, or undefined when there is none. */
export async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    if (isErrno(cause, 'ENOENT')) return undefined;
    throw storageError('read', path, cause);
  }
}

function occupied(path: string): TouchmarkError {
  return new TouchmarkError('RUN_CONFLICT', `${path} already holds an audit`, {
    hint: 'continue it with --resume, or choose another --out directory',
  });
}

function isErrno(cause: unknown, code: string): boolean {
  return cause instanceof Error && 'code' in cause && cause.code === code;
}
