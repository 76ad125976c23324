import { randomUUID } from 'node:crypto';
import {
  type FileHandle,
  link,
  mkdir,
  open,
  readFile,
  rename,
  rm,
  truncate,
} from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { Outcome, Probe } from '../contracts.ts';
import { TouchmarkError } from '../errors.ts';
import { storageError, writeSecureFile } from './secure-file.ts';

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
  /** How long the answer took, where that is measured. */
  milliseconds: z.number().nonnegative().exactOptional(),
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

/** An outcome, and how long it took where that was measured. */
interface KeptOutcome {
  readonly outcome: Outcome;
  readonly milliseconds?: number;
}

/**
 * One audit on disk: the sealed plan, the material it was sealed over, and an append-only log of
 * the suspect's answers, synced batch by batch.
 */
export class RunDirectory {
  readonly path: string;
  readonly #outcomes: Map<string, KeptOutcome>;
  #log: FileHandle | undefined;
  #writing: Promise<void> = Promise.resolve();

  private constructor(path: string, outcomes: Map<string, KeptOutcome>) {
    this.path = path;
    this.#outcomes = outcomes;
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
  static async create(path: string, plan: string, material: string): Promise<RunDirectory> {
    await RunDirectory.requireVacant(path);
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

  /** @throws RUN_CONFLICT when the run lacks the file */
  async readText(name: keyof typeof runFiles): Promise<string> {
    const text = await readIfThere(join(this.path, runFiles[name]));
    if (text !== undefined) return text;
    throw new TouchmarkError('RUN_CONFLICT', `${this.path} has no ${runFiles[name]}`, {
      hint: 'it cannot be resumed without: start a new audit in an empty directory',
    });
  }

  recall(probe: Probe): Outcome | undefined {
    return this.#outcomes.get(probe.id)?.outcome;
  }

  /** How long a probe's answer took, where that was measured. */
  millisecondsOf(probe: Pick<Probe, 'id'>): number | undefined {
    return this.#outcomes.get(probe.id)?.milliseconds;
  }

  /**
   * Appends outcomes and resolves once they are synced; calls at the same time take turns. A write
   * that failed may have left part of a line, so those after it fail likewise, until a resume.
   */
  record(outcomes: readonly ({ readonly probe: Probe } & KeptOutcome)[]): Promise<void> {
    const turn = this.#writing.then(() => this.#append(outcomes));
    this.#writing = turn;
    return turn;
  }

  async #append(outcomes: readonly ({ readonly probe: Probe } & KeptOutcome)[]): Promise<void> {
    const path = join(this.path, runFiles.runLog);
    const lines = outcomes.map(({ probe, ...kept }) => JSON.stringify({ id: probe.id, ...kept }));
    try {
      this.#log ??= await open(path, 'a', 0o600);
      await this.#log.appendFile(`${lines.join('\n')}\n`);
      await this.#log.datasync();
    } catch (cause) {
      throw storageError('write', path, cause);
    }
    for (const { probe, ...kept } of outcomes) this.#outcomes.set(probe.id, kept);
  }

  async writeReport(name: 'json' | 'html', text: string): Promise<void> {
    await writeSecureFile(join(this.path, runFiles[name]), text);
  }

  async close(): Promise<void> {
    await Promise.allSettled([this.#writing]);
    await this.#log?.close();
    this.#log = undefined;
  }
}

async function readOutcomes(path: string): Promise<Map<string, KeptOutcome>> {
  const text = (await readIfThere(path)) ?? '';
  const whole = text.slice(0, text.lastIndexOf('\n') + 1);
  if (whole.length < text.length) await truncate(path, Buffer.byteLength(whole));
  const outcomes = new Map<string, KeptOutcome>();
  whole
    .split('\n')
    .filter((line) => line !== '')
    .forEach((line, index) => {
      const { id, ...kept } = parseLine(path, line, index + 1);
      outcomes.set(id, kept);
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
