import type { ChainEntry } from './chain.ts';

/** One segment of a log that is being written, in a few numbers. */
export interface SegmentSummary {
  readonly number: number;
  readonly entries: number;
  /** Served records among them. */
  readonly served: number;
  /** The last entry's sequence and time in milliseconds since 1970; undefined while there is none. */
  readonly last: { readonly sequence: number; readonly time: number } | undefined;
}

/** The segments of a log whose payloads have not expired, oldest first; the last one grows. */
export class SegmentList {
  #closed: SegmentSummary[] = [];
  #current: SegmentSummary = emptySegment(1);
  #lastTime = 0;

  /** The segment that grows. */
  get current(): SegmentSummary {
    return this.#current;
  }

  /** The time of the last entry, in milliseconds since 1970; 0 while the log has none. */
  get lastTime(): number {
    return this.#lastTime;
  }

  /** Counts entries that were written to the current segment. */
  add(entries: readonly ChainEntry[]): void {
    const { number, entries: before, served, last: lastBefore } = this.#current;
    const entry = entries.at(-1);
    const last = entry && { sequence: entry.sequence, time: Date.parse(entry.at) };
    this.#lastTime = last?.time ?? this.#lastTime;
    this.#current = {
      number,
      entries: before + entries.length,
      served: served + entries.filter(({ kind }) => kind === 'served').length,
      last: last ?? lastBefore,
    };
  }

  /** Goes on with a later segment. */
  begin(number: number): void {
    if (this.#current.last !== undefined) this.#closed.push(this.#current);
    this.#current = emptySegment(number);
  }

  /** Returns the oldest closed segments, as far as all their entries are from before a time. */
  endingBefore(time: Date): readonly SegmentSummary[] {
    const limit = time.getTime();
    const first = this.#closed.findIndex(({ last }) => last !== undefined && last.time >= limit);
    return first < 0 ? [...this.#closed] : this.#closed.slice(0, first);
  }

  /** Removes the closed segments whose entries all stand up to a sequence, and returns them. */
  removeThrough(sequence: number): readonly SegmentSummary[] {
    const isThrough = ({ last }: SegmentSummary) => (last?.sequence ?? 0) <= sequence;
    const removed = this.#closed.filter(isThrough);
    this.#closed = this.#closed.filter((segment) => !isThrough(segment));
    return removed;
  }
}

function emptySegment(number: number): SegmentSummary {
  return { number, entries: 0, served: 0, last: undefined };
}
