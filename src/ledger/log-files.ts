import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { AppendFile, guarded, syncDirectory } from './files.ts';
import { type Layout, segmentName, tenantHash } from './layout.ts';

const mostOpenPayloadFiles = 128;

/** The files that a writing log holds open: the chain's segment, checkpoints, payloads by tenant. */
export class LogFiles {
  readonly #layout: Layout;
  readonly #checkpoints: AppendFile;
  /** By tenant, the least recently used first. */
  readonly #payloads = new Map<string, AppendFile>();
  #chain: AppendFile;
  #segment: { readonly number: number; readonly entries: number };

  private constructor(
    layout: Layout,
    segment: { readonly number: number; readonly entries: number },
    chain: AppendFile,
    checkpoints: AppendFile,
  ) {
    this.#layout = layout;
    this.#segment = segment;
    this.#chain = chain;
    this.#checkpoints = checkpoints;
  }

  /** Opens the chain at its last segment. */
  static async open(
    layout: Layout,
    segment: { readonly number: number; readonly entries: number },
  ): Promise<LogFiles> {
    const chain = await openSynced(layout.segments, segmentName(segment.number));
    const checkpoints = await AppendFile.open(layout.checkpoints);
    await syncDirectory(layout.directory);
    return new LogFiles(layout, segment, chain, checkpoints);
  }

  /**
   * Writes payload lines, then chain lines, with one write for each file. When one of them fails,
   * all files shrink back to what they were. A full segment is left before the write.
   */
  async append(
    payloads: ReadonlyMap<string, readonly string[]>,
    chain: readonly string[],
    segmentRecords: number,
  ): Promise<void> {
    if (this.#segment.entries >= segmentRecords) await this.#beginSegment();
    const grown: { readonly file: AppendFile; readonly size: number }[] = [];
    const grow = async (file: AppendFile, lines: readonly string[]) => {
      const { size } = file;
      await file.append(Buffer.from(lines.join('')));
      grown.push({ file, size });
    };
    try {
      for (const [tenant, lines] of payloads) await grow(await this.#payloadFile(tenant), lines);
      await grow(this.#chain, chain);
    } catch (cause) {
      for (const { file, size } of grown) await file.truncate(size);
      throw cause;
    }
    const { number, entries } = this.#segment;
    this.#segment = { number, entries: entries + chain.length };
  }

  async appendCheckpoint(line: string): Promise<void> {
    await this.#checkpoints.append(Buffer.from(line));
    await this.#checkpoints.sync();
  }

  /** Makes payloads durable, then the chain that commits to them. */
  async sync(): Promise<void> {
    for (const file of [...this.#payloads.values()]) await file.sync();
    await this.#chain.sync();
  }

  async close(): Promise<void> {
    for (const file of [...this.#payloads.values(), this.#chain, this.#checkpoints]) {
      await file.close();
    }
  }

  async #beginSegment(): Promise<void> {
    const number = this.#segment.number + 1;
    const next = await openSynced(this.#layout.segments, segmentName(number));
    for (const file of this.#payloads.values()) await file.close();
    this.#payloads.clear();
    await this.#chain.close();
    this.#chain = next;
    this.#segment = { number, entries: 0 };
  }

  async #payloadFile(tenant: string): Promise<AppendFile> {
    const present = this.#payloads.get(tenant);
    const file = present ?? (await this.#openPayloadFile(tenant));
    this.#payloads.delete(tenant);
    this.#payloads.set(tenant, file);
    return file;
  }

  async #openPayloadFile(tenant: string): Promise<AppendFile> {
    const [oldest] = this.#payloads;
    if (oldest && this.#payloads.size >= mostOpenPayloadFiles) {
      this.#payloads.delete(oldest[0]);
      await oldest[1].close();
    }
    const directory = join(this.#layout.payloads, tenantHash(tenant));
    await guarded('make', directory, () => mkdir(directory, { recursive: true, mode: 0o700 }));
    await syncDirectory(this.#layout.payloads);
    return openSynced(directory, segmentName(this.#segment.number));
  }
}

async function openSynced(directory: string, name: string): Promise<AppendFile> {
  const file = await AppendFile.open(join(directory, name));
  await syncDirectory(directory);
  return file;
}
