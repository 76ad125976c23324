import { createInterface } from 'node:readline/promises';
import { TouchmarkError } from '../errors.ts';
import { displayWidth, steadyJson, visible } from '../report/text.ts';

/** Writes a result to stdout and resolves once it is handed over; a closed pipe is no error. */
export function print(text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    process.stdout.write(text.endsWith('\n') ? text : `${text}\n`, (error) => {
      if (error && !('code' in error && error.code === 'EPIPE')) reject(error);
      else resolve();
    });
  });
}

/** Writes a result as one JSON document to stdout, with nothing in it that could act on a terminal. */
export function printJson(value: unknown): Promise<void> {
  return print(steadyJson(value));
}

/** Tells the reader something on stderr, one line per line, with nothing in it that could act. */
export function note(text: string): void {
  process.stderr.write(`${printable(text)}\n`);
}

/** Returns text without characters that could steer a terminal; line ends stay. */
export function printable(text: string): string {
  return text
    .split('\n')
    .map((line) => (line === '' ? '' : visible(line, 2_000)))
    .join('\n');
}

/** Returns rows as aligned columns under their titles, without trailing blanks. */
export function table(titles: readonly string[], rows: readonly (readonly string[])[]): string {
  const cells = [titles, ...rows].map((row) =>
    row.map((cell) => (cell === '' ? '' : visible(cell, 300))),
  );
  const widths = titles.map((_, column) =>
    Math.max(...cells.map((row) => displayWidth(row[column] ?? ''))),
  );
  const lines = cells.map((row) =>
    row
      .map((cell, column) => cell + ' '.repeat((widths[column] ?? 0) - displayWidth(cell)))
      .join('  ')
      .trimEnd(),
  );
  return `${lines.join('\n')}\n`;
}

/**
 * Asks before something that cannot be undone, unless `--yes` was given.
 *
 * @throws TouchmarkError USAGE when nobody is there to ask, INTERRUPTED when the answer is not yes
 */
export async function confirm(question: string, yes: boolean): Promise<void> {
  if (yes) return;
  if (!process.stdin.isTTY || !process.stderr.isTTY) {
    throw new TouchmarkError('USAGE', `${question} Nobody is there to ask.`, {
      hint: 'Give --yes to go ahead without a question.',
    });
  }
  const dialogue = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await dialogue.question(`${printable(question)} [y/N] `);
    if (/^y(es)?$/i.test(answer.trim())) return;
  } finally {
    dialogue.close();
  }
  throw new TouchmarkError('INTERRUPTED', 'Nothing was done.');
}

/** A terminal and a process manager may both pass the same signal on; later ones mean impatience. */
const impatientMilliseconds = 1_000;

const resumable = 'What was done so far is kept; run the same command again to go on.';

/**
 * Returns a signal that SIGINT or SIGTERM aborts; one more after a second ends the process at once.
 * The listeners stay: locks are released on signals by a library that ends the process once it
 * finds itself the only listener.
 */
export function interruptSignal(hint = resumable): AbortSignal {
  const controller = new AbortController();
  let first: number | undefined;
  const interrupt = () => {
    const now = performance.now();
    first ??= now;
    if (now - first > impatientMilliseconds) process.exit(130);
    controller.abort(new TouchmarkError('INTERRUPTED', 'Interrupted.', { hint }));
  };
  process.on('SIGINT', interrupt);
  process.on('SIGTERM', interrupt);
  return controller.signal;
}
