import { type FileHandle, open, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { Outcome, Probe } from '../contracts.ts';
import { TouchmarkError } from '../errors.ts';
import { AuditDirectory, readIfThere, requireBegun, runFiles } from './audit-directory.ts';
import { storageError } from './secure-file.ts';

export { runFiles } from './audit-directory.ts';

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
 * Work on disk that asks a model of the owner's, such as a taking: an append-only log of answers
 * beside what was asked, synced batch by batch. What a suspect answers is in the ledger's run log.
 */
export class RunDirectory extends AuditDirectory {
  readonly #outcomes: Map<string, KeptOutcome>;
  #log: FileHandle | undefined;
  #writing: Promise<void> = Promise.resolve();

  private constructor(path: string, outcomes: Map<string, KeptOutcome>) {
    super(path);
    this.#outcomes = outcomes;
  }

  /** Begins a run in a directory that holds none; as `AuditDirectory.create`. */
  static override async create(
    path: string,
    plan: string,
    material: string,
  ): Promise<RunDirectory> {
    await AuditDirectory.create(path, plan, material);
    return new RunDirectory(path, new Map());
  }

  /**
   * Opens a run to go on with it; a line that a crash cut short is dropped.
   *
   * @throws RUN_CONFLICT when there is none; STORE_DAMAGED naming the line that cannot be read.
   */
  static async resume(path: string): Promise<RunDirectory> {
    await requireBegun(path);
    return new RunDirectory(path, await readOutcomes(join(path, runFiles.runLog)));
  }

  /** Probes that have an answer on disk. */
  get answered(): number {
    return this.#outcomes.size;
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
