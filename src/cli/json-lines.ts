import { TouchmarkError } from '../errors.ts';
import type { LineCounts, LineStream } from '../operations/json-lines.ts';
import { readPieces } from '../store/line-source.ts';
import { interruptSignal, note } from './terminal.ts';

const longestKey = 2 ** 20;

/** Returns the lines of a file, or of stdin without one, until the process is interrupted. */
export function openLineStream(path: string | undefined): LineStream {
  const signal = interruptSignal('What was written so far stands; the rest was not read.');
  const counts = { lines: 0, failed: 0 };
  if (path !== undefined) return { source: readPieces(path), signal, counts };
  if (process.stdin.isTTY) note('Reading JSON lines from the terminal; end with Ctrl-D.');
  return { source: readInput(process.stdin, signal), signal, counts };
}

/**
 * Returns the key that stdin holds.
 *
 * @param isFree stdin does not give the lines too
 * @throws TouchmarkError USAGE when it does, or holds more than a key
 */
export async function readKey(isFree: boolean): Promise<string> {
  if (!isFree) {
    throw new TouchmarkError('USAGE', 'stdin cannot give both the key and the lines.', {
      hint: 'Give the lines with --in FILE.',
    });
  }
  let key = '';
  for await (const piece of process.stdin) {
    key += String(piece);
    if (key.length > longestKey) {
      throw new TouchmarkError('USAGE', 'stdin holds more than a key.');
    }
  }
  return key;
}

/**
 * Writes batches of records as JSON lines, each only when those before it were taken. A reader that
 * goes away ends the work; that is no error.
 */
export async function writeJsonLines(batches: AsyncIterable<readonly object[]>): Promise<void> {
  for await (const batch of batches) {
    const text = batch.map((record) => `${JSON.stringify(record)}\n`).join('');
    if (!(await isTaken(text))) return;
  }
}

/**
 * Ends a command that worked on lines: says how many failed, and sets the exit code.
 *
 * @param where says where the reasons are
 */
export function concludeLines({ lines, failed }: LineCounts, where: string): void {
  if (failed === 0) return;
  note(`${failed} of ${lines} lines could not be used; ${where}.`);
  process.exitCode = new TouchmarkError('INPUT_INVALID', '').exitCode;
}

async function* readInput(
  input: NodeJS.ReadStream,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  signal.addEventListener('abort', () => input.destroy(), { once: true });
  try {
    for await (const piece of input) yield piece;
  } catch (cause) {
    throw signal.aborted ? signal.reason : cause;
  }
}

/** Hands text to the reader of stdout; false when there is no reader any more. */
function isTaken(text: string): Promise<boolean> {
  const gone = new Set(['EPIPE', 'ERR_STREAM_DESTROYED']);
  return new Promise((resolve, reject) => {
    process.stdout.write(text, (error) => {
      if (!error) resolve(true);
      else if ('code' in error && gone.has(String(error.code))) resolve(false);
      else reject(error);
    });
  });
}
