import { TouchmarkError } from '../errors.ts';

/** What became of the lines of a stream so far. */
export interface LineCounts {
  /** Lines that were not blank. */
  lines: number;
  /** Lines among them that could not be worked on. */
  failed: number;
}

/** Stands for a line that could not be worked on. */
export interface FailedLine {
  /** The number of the line, from 1. */
  readonly line: number;
  /** The line's own `id`, where one could be read. */
  readonly id?: string | number;
  readonly error: { readonly code: string; readonly message: string; readonly hint: string };
}

/** Where JSON lines come from, and what stops them. */
export interface LineStream {
  readonly source: AsyncIterable<Uint8Array>;
  readonly signal: AbortSignal;
  /** Counts as the lines are read. */
  readonly counts: LineCounts;
}

/** A dense line of logits over the largest vocabularies has some 5 million bytes. */
export const mostLineBytes = 2 ** 25;
const newline = 10;

/**
 * Works on JSON lines one after another, in memory that does not grow with their number: one batch
 * of results for each piece that the source gives. Blank lines are skipped. A line that is too long,
 * not UTF-8, not JSON or that `work` refuses becomes a `FailedLine` in its place.
 *
 * @throws the signal's reason, and whatever `work` throws that is no TouchmarkError
 */
export async function* mapJsonLines<Result extends object>(
  { source, signal, counts }: LineStream,
  work: (value: unknown, line: number) => Result,
): AsyncGenerator<readonly (Result | FailedLine)[]> {
  for await (const lines of splitLines(source)) {
    signal.throwIfAborted();
    const results = lines.flatMap((line) => {
      if (line.bytes !== undefined && isBlank(line.bytes)) return [];
      counts.lines++;
      const result = workOn(line, work);
      if ('error' in result) counts.failed++;
      return [result];
    });
    if (results.length > 0) yield results;
  }
  signal.throwIfAborted();
}

interface RawLine {
  readonly number: number;
  /** Absent when the line is longer than is taken. */
  readonly bytes?: Uint8Array;
}

/** Yields the lines that each piece of the source completes. */
async function* splitLines(source: AsyncIterable<Uint8Array>): AsyncGenerator<RawLine[]> {
  let number = 0;
  let kept: Uint8Array[] = [];
  let length = 0;
  const keep = (part: Uint8Array) => {
    length += part.length;
    if (length > mostLineBytes) kept = [];
    else kept.push(part);
  };
  const take = (): RawLine => {
    const [first = new Uint8Array(0)] = kept;
    const bytes = kept.length > 1 ? Buffer.concat(kept) : first;
    const line = length > mostLineBytes ? { number: ++number } : { number: ++number, bytes };
    kept = [];
    length = 0;
    return line;
  };
  for await (const piece of source) {
    const lines: RawLine[] = [];
    let from = 0;
    for (let end = piece.indexOf(newline); end >= 0; end = piece.indexOf(newline, from)) {
      keep(piece.subarray(from, end));
      lines.push(take());
      from = end + 1;
    }
    if (from < piece.length) keep(piece.slice(from));
    if (lines.length > 0) yield lines;
  }
  if (length > 0) yield [take()];
}

function workOn<Result extends object>(
  line: RawLine,
  work: (value: unknown, line: number) => Result,
): Result | FailedLine {
  let value: unknown;
  try {
    value = parseLine(line);
    return work(value, line.number);
  } catch (cause) {
    if (!TouchmarkError.isInstance(cause)) throw cause;
    const { code, message, hint } = cause;
    return { line: line.number, ...idOf(value), error: { code, message, hint } };
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

function parseLine({ bytes }: RawLine): unknown {
  if (bytes === undefined) {
    throw lineError(
      `The line is longer than ${mostLineBytes} bytes.`,
      'Split it, or send fewer tokens.',
    );
  }
  try {
    return JSON.parse(utf8.decode(bytes));
  } catch (cause) {
    const reason = cause instanceof TypeError ? 'not valid UTF-8' : 'not valid JSON';
    throw lineError(`The line is ${reason}.`, 'Every line is one JSON document in UTF-8.');
  }
}

/** Returns the error for a line that is not as it should be. */
export function lineError(message: string, hint: string): TouchmarkError {
  return new TouchmarkError('INPUT_INVALID', message, { hint });
}

/** Returns a line's `id`, if it has one that can be given back. */
export function idOf(value: unknown): { readonly id?: string | number } {
  if (typeof value !== 'object' || value === null || !('id' in value)) return {};
  const { id } = value;
  return typeof id === 'string' || typeof id === 'number' ? { id } : {};
}

function isBlank(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 32 || byte === 9 || byte === 13);
}
