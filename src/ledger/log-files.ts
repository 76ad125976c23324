import { join } from 'node:path';
import { AppendFile, syncDirectory } from './files.ts';
import { type Layout, segmentName } from './layout.ts';

/** The files that a writing log holds open: payloads and chain of one segment, and checkpoints. */
export class LogFiles {
  readonly #layout: Layout;
  readonly #checkpoints: AppendFile;
  #payloads: AppendFile;
  #chain: AppendFile;

  private constructor(layout: Layout, checkpoints: AppendFile, segment: SegmentFiles) {
    this.#layout = layout;
    this.#checkpoints = checkpoints;
    this.#payloads = segment.payloads;
    this.#chain = segment.chain;
  }

  /** Opens the files of a segment, and makes those that are not there. */
  static async open(layout: Layout, segment: number): Promise<LogFiles> {
    const files = await openSegment(layout, segment);
    const checkpoints = await AppendFile.open(layout.checkpoints);
    await syncDirectory(layout.directory);
    return new LogFiles(layout, checkpoints, files);
  }

  /** Bytes of payloads in the segment. */
  get payloadBytes(): number {
    return this.#payloads.size;
  }

  /**
   * Writes payload lines, then chain lines, each with one write. When one of them fails, both files
   * are what they were.
   */
  async append(payloads: string, chain: string): Promise<void> {
    const { size } = this.#payloads;
    if (payloads !== '') await this.#payloads.append(Buffer.from(payloads, 'latin1'));
    try {
      await this.#chain.append(Buffer.from(chain, 'latin1'));
    } catch (cause) {
      await this.#payloads.truncate(size);
      throw cause;
    }
  }

  async appendCheckpoint(line: string): Promise<void> {
    await this.#checkpoints.append(Buffer.from(line));
    await this.#checkpoints.sync();
  }

  /** Goes on in the files of another segment; what the present one holds is durable then. */
  async beginSegment(segment: number): Promise<void> {
    await this.sync();
    const next = await openSegment(this.#layout, segment);
    const before = [this.#payloads, this.#chain];
    this.#payloads = next.payloads;
    this.#chain = next.chain;
    for (const file of before) await file.close();
  }

  /** Makes payloads durable, then the chain that commits to them. */
  async sync(): Promise<void> {
    await this.#payloads.sync();
    await this.#chain.sync();
  }

  async close(): Promise<void> {
    for (const file of [this.#payloads, this.#chain, this.#checkpoints]) await file.close();
  }
}

interface SegmentFiles {
  readonly payloads: AppendFile;
  readonly chain: AppendFile;
}

async function openSegment(layout: Layout, segment: number): Promise<SegmentFiles> {
  const payloads = await openSynced(layout.payloads, segmentName(segment));
  try {
    return { payloads, chain: await openSynced(layout.segments, segmentName(segment)) };
  } catch (cause) {
    await payloads.close();
    throw cause;
  }
}

async function openSynced(directory: string, name: string): Promise<AppendFile> {
  const file = await AppendFile.open(join(directory, name), { quick: true });
  await syncDirectory(directory);
  return file;
}
