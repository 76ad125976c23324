import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { ErrorCode } from '../../errors.ts';
import { TouchmarkError } from '../../errors.ts';
import { excerpt } from './excerpt.ts';
import type { Surroundings } from './suspect-surroundings.ts';

export interface ProgramOptions extends Pick<Surroundings, 'environment'> {
  /** The command as it may be shown. */
  readonly shown: string;
  readonly signal: AbortSignal;
  readonly timeoutMilliseconds?: number;
  readonly responseLimitBytes?: number;
}

const longestLineBytes = 2 ** 20;
const keptErrorBytes = 4096;

/**
 * Runs a program once and returns the lines that it wrote, without empty ones.
 *
 * It is the leader of a process group of its own, which is killed when it takes too long, writes too
 * much, when the signal fires, and when it has ended and left others behind.
 *
 * @throws SUSPECT_UNREACHABLE, SUSPECT_ANSWER_INVALID; the signal's own reason
 */
export async function runProgram(
  [program = '', ...words]: readonly string[],
  input: readonly string[],
  options: ProgramOptions,
): Promise<readonly string[]> {
  const { signal, shown, timeoutMilliseconds = 30_000 } = options;
  signal.throwIfAborted();
  const child = spawn(program, words, {
    shell: false,
    detached: true,
    windowsHide: true,
    stdio: ['pipe', 'pipe', 'pipe'],
    env: withoutOurs(options.environment ?? process.env),
  });
  const errors = new ErrorTail(child);
  const ending = new AbortController();
  const stop = (reason: unknown) => {
    ending.abort(reason);
    killGroup(child);
    // A child that left the group could hold these open for ever.
    child.stdout.destroy();
    child.stderr.destroy();
  };
  const aborted = () => stop(signal.reason);
  const leaving = () => killGroup(child);
  const late = `took longer than ${timeoutMilliseconds / 1000} s`;
  const timer = setTimeout(
    () => stop(failure('SUSPECT_UNREACHABLE', shown, late, errors.text())),
    timeoutMilliseconds,
  );
  const output = new Output(child, options, stop);
  signal.addEventListener('abort', aborted, { once: true });
  process.once('exit', leaving);
  try {
    child.stdin.on('error', () => {});
    child.stdin.end(input.map((each) => `${each}\n`).join(''));
    const [code, killedBy] = await ended(child, shown);
    ending.signal.throwIfAborted();
    if (code === 0) return output.lines();
    const how = code === null ? `was ended by ${killedBy}` : `ended with exit code ${code}`;
    throw failure('SUSPECT_UNREACHABLE', shown, how, errors.text());
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', aborted);
    process.removeListener('exit', leaving);
    killGroup(child);
  }
}

async function ended(
  child: ChildProcess,
  shown: string,
): Promise<readonly [number | null, NodeJS.Signals | null]> {
  try {
    const [code, signal] = await once(child, 'close');
    return [code, signal];
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown error';
    throw failure('SUSPECT_UNREACHABLE', shown, `could not be run (${code})`);
  }
}

/** What a program may not see: our secrets, and what would change what a touchmark inside it does. */
function withoutOurs(environment: NonNullable<Surroundings['environment']>): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(environment).filter(([name]) => !/^TOUCHMARK_/i.test(name)),
  );
}

/** Kills a program and its children; where there are no process groups, the program. */
function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    child.kill('SIGKILL');
  }
}

/** The end of what a program writes to stderr. */
class ErrorTail {
  #kept: Buffer<ArrayBufferLike> = Buffer.alloc(0);

  constructor({ stderr }: ChildProcess) {
    stderr?.on('data', (chunk: Buffer) => {
      this.#kept = Buffer.concat([this.#kept, chunk]).subarray(-keptErrorBytes);
    });
  }

  text(): string {
    const lines = this.#kept.toString('utf8').trim().split('\n').slice(-5);
    return excerpt(lines.join(' ').slice(-400), 400);
  }
}

/** What a program writes to stdout, as far as it may. */
class Output {
  readonly #chunks: Buffer[] = [];

  constructor(
    { stdout }: ChildProcess,
    { responseLimitBytes = 16 * 2 ** 20, shown }: ProgramOptions,
    stop: (reason: unknown) => void,
  ) {
    let size = 0;
    let lineSize = 0;
    const refuse = (what: string) => stop(failure('SUSPECT_ANSWER_INVALID', shown, what));
    stdout?.on('data', (chunk: Buffer) => {
      size += chunk.length;
      const end = chunk.lastIndexOf(0x0a);
      lineSize = end < 0 ? lineSize + chunk.length : chunk.length - end - 1;
      if (size > responseLimitBytes) return refuse(`wrote more than ${responseLimitBytes} bytes`);
      if (lineSize > longestLineBytes)
        return refuse(`wrote a line of more than ${longestLineBytes} bytes`);
      this.#chunks.push(chunk);
    });
  }

  lines(): readonly string[] {
    return Buffer.concat(this.#chunks)
      .toString('utf8')
      .split('\n')
      .filter((line) => line.trim() !== '');
  }
}

function failure(code: ErrorCode, shown: string, what: string, stderr = ''): TouchmarkError {
  const said = stderr === '' ? '' : `: ${stderr}`;
  return new TouchmarkError(code, `the program ${shown} ${what}${said}`, {
    hint: 'run it by hand with one line {"id": "0", "input": "..."} on its standard input',
  });
}
