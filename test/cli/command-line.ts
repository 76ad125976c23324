import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { onTestFinished } from 'vitest';

const loader = createRequire(import.meta.url).resolve('tsx');
const main = join(import.meta.dirname, '../../src/cli/main.ts');

export interface Ended {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CommandOptions {
  readonly cwd: string;
  readonly environment?: Readonly<Record<string, string>>;
}

/** Starts the real command line in a process of its own. */
export function startCommand(
  words: readonly string[],
  { cwd, environment = {} }: CommandOptions,
): ChildProcessByStdio<null, Readable, Readable> {
  const child = spawn(process.execPath, ['--import', loader, main, ...words], {
    cwd,
    env: { PATH: process.env['PATH'] ?? '', ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  return child;
}

/** Runs the real command line to its end. */
export async function run(words: readonly string[], options: CommandOptions): Promise<Ended> {
  const child = startCommand(words, options);
  const [stdout, stderr, [exitCode]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close'),
  ]);
  return { exitCode, stdout, stderr };
}
