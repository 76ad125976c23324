import { type FileHandle, mkdir, open, readFile, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { Outcome, Probe } from '../contracts.ts';
import { TouchmarkError } from '../errors.ts';
import { createSecureFile, storageError, writeSecureFile } from './secure-file.ts';

/** The files of one audit, relative to its directory. */
export const runFiles = {
  plan: 'plan.json',
  material: 'material.json',
  runLog: 'answers.jsonl',
  json: 'report.json',
  html: 'report.html',
} as const;

const outcomeLine = z.strictObject({
  id: z.string(),
  outcome: z.union([
    z.strictObject({
      answer: z.strictObject({
        label: z.string(),
        probabilities: z.array(z.number()).readonly().exactOptional(),
      }),
    }),
    z.strictObject({ missing: z.enum(['refused', 'failed', 'unsupported']) }),
  ]),
});

/**
 * One audit on disk: the sealed plan, the material it was sealed over, and an append-only log of
 * the suspect's answers, synced batch by batch.
 */
export class RunDirectory {
  readonly path: string;
  readonly #outcomes: Map<string, Outcome>;
  #log: FileHandle | undefined;
  #writing: Promise<void> = Promise.resolve();

  private constructor(path: string, outcomes: Map<string, Outcome>) {
    this.path = path;
    this.#outcomes = outcomes;
  }

  /** @throws RUN_CONFLICT when the directory holds a run */
  static async requireVacant(path: string): Promise<void> {
    if ((await readIfThere(join(path, runFiles.plan))) === undefined) return;
    throw new TouchmarkError('RUN_CONFLICT', `${path} already holds an audit`, {
      hint: 'continue it with --resume, or choose another --out directory',
    });
  }

  /**
   * Begins a run in a directory that holds none.
   *
   * The plan is written last and by exclusive create, so that of two audits at once one wins.
   *
   * @throws RUN_CONFLICT when there is a run already; STORE_FULL and the like.
   */
  static async create(path: string, plan: string, material: string): Promise<RunDirectory> {
    await RunDirectory.requireVacant(path);
    await mkdir(path, { recursive: true });
    await writeSecureFile(join(path, runFiles.material), material);
    await createSecureFile(join(path, runFiles.plan), plan);
    return new RunDirectory(path, new Map());
  }

  /**
   * Opens a run to go on with it; a line that a crash cut short is dropped.
   *
   * @throws RUN_CONFLICT when there is none; STORE_DAMAGED naming the line that cannot be read.
   */
  static async resume(path: string): Promise<RunDirectory> {
    if ((await readIfThere(join(path, runFiles.plan))) === undefined) {
      throw new TouchmarkError('RUN_CONFLICT', `${path} holds no audit to resume`, {
        hint: 'start one without --resume',
      });
    }
    return new RunDirectory(path, await readOutcomes(join(path, runFiles.runLog)));
  }

  /** Probes that have an answer on disk. */
  get answered(): number {
    return this.#outcomes.size;
  }

  readText(name: keyof typeof runFiles): Promise<string> {
    return readFile(join(this.path, runFiles[name]), 'utf8');
  }

  recall(probe: Probe): Outcome | undefined {
    return this.#outcomes.get(probe.id);
  }

  /** Appends outcomes and resolves once they are synced; calls at the same time take turns. */
  record(outcomes: readonly { readonly probe: Probe; readonly outcome: Outcome }[]): Promise<void> {
    const turn = this.#writing.then(() => this.#append(outcomes));
    this.#writing = turn.catch(() => undefined);
    return turn;
  }

  async #append(
    outcomes: readonly { readonly probe: Probe; readonly outcome: Outcome }[],
  ): Promise<void> {
    const path = join(this.path, runFiles.runLog);
    const lines = outcomes.map(({ probe, outcome }) => JSON.stringify({ id: probe.id, outcome }));
    try {
      this.#log ??= await open(path, 'a', 0o600);
      await this.#log.appendFile(`${lines.join('\n')}\n`);
      await this.#log.datasync();
    } catch (cause) {
      throw storageError('write', path, cause);
    }
    for (const { probe, outcome } of outcomes) this.#outcomes.set(probe.id, outcome);
  }

  async writeReport(name: 'json' | 'html', text: string): Promise<void> {
    await writeSecureFile(join(this.path, runFiles[name]), text);
  }

  async close(): Promise<void> {
    await this.#writing;
    await this.#log?.close();
    this.#log = undefined;
  }
}

async function readOutcomes(path: string): Promise<Map<string, Outcome>> {
  const text = (await readIfThere(path)) ?? '';
  const whole = text.slice(0, text.lastIndexOf('\n') + 1);
  if (whole.length < text.length) await truncate(path, Buffer.byteLength(whole));
  const outcomes = new Map<string, Outcome>();
  whole
    .split('\n')
    .filter((line) => line !== '')
    .forEach((line, index) => {
      const { id, outcome } = parseLine(path, line, index + 1);
      outcomes.set(id, outcome);
    });
  return outcomes;
}

function parseLine(path: string, line: string, number: number): z.infer<typeof outcomeLine> {
  try {
    return outcomeLine.parse(JSON.parse(line));
  } catch (cause) {
    throw new TouchmarkError('STORE_DAMAGED', `${path}: line ${number} is no recorded answer`, {
      hint: 'the file was edited or the disk is failing; start a new audit',
      cause,
    });
  }
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return undefined;
    throw storageError('read', path, cause);
  }
}
