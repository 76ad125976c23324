import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Order } from './model-process.ts';

const loader = createRequire(import.meta.url).resolve('tsx');
const repository = join(import.meta.dirname, '..', '..');

/** A model server that runs. */
export interface ModelProcess {
  readonly port: number;
  tell(order: Order): Promise<void>;
  /** Texts that it was asked since the last time. */
  asked(): Promise<readonly string[]>;
  kill(): Promise<void>;
}

/** Starts the model server; on the same port again when one is given. */
export async function startModel(port = 0): Promise<ModelProcess> {
  const child = fork(join(import.meta.dirname, 'model-process.ts'), [String(port)], {
    execArgv: ['--import', loader],
  });
  const reply = async (order: Order) => {
    const answer = once(child, 'message');
    child.send(order);
    return (await answer)[0];
  };
  const [taken]: number[] = await once(child, 'message');
  return {
    port: taken!,
    tell: async (order) => void (await reply(order)),
    asked: () => reply({ tellAsked: true }),
    kill: () => end(child, 'SIGKILL').then(() => undefined),
  };
}

/** A gateway that runs. */
export interface GatewayProcess {
  readonly address: string;
  readonly admin: string;
  readonly pid: number;
  readonly child: ChildProcess;
  /** All that it wrote on standard error. */
  stderr(): string;
  /** Ends it and returns its exit code; null when it did not end by itself. */
  end(signal: 'SIGTERM' | 'SIGKILL'): Promise<number | null>;
}

export interface GatewayProcessOptions {
  readonly configPath: string;
  /** Runs dist/ and not src/. */
  readonly isBuilt?: boolean;
  /** A module that is loaded before everything else. */
  readonly preload?: string;
  readonly environment?: Readonly<Record<string, string>>;
}

/** Starts `touchmark serve`. @throws Error with what it said when it ends before it listens */
export async function startGateway(options: GatewayProcessOptions): Promise<GatewayProcess> {
  const { child, stderr } = spawnGateway(options);
  const lines = createInterface({ input: child.stdout! });
  const first = await Promise.race([
    once(lines, 'line').then(([line]) => String(line)),
    once(child, 'exit').then(() => undefined),
  ]);
  if (first === undefined) {
    throw new Error(
      `serve ended with ${child.exitCode} at ${options.configPath}: ${stderr().slice(-900)}`,
    );
  }
  const { address, admin } = JSON.parse(first);
  return { address, admin, pid: child.pid!, child, stderr, end: (signal) => end(child, signal) };
}

/** Starts the process without waiting until it listens. */
export function spawnGateway(options: GatewayProcessOptions) {
  const { configPath, isBuilt = false, preload, environment } = options;
  const child = spawn(
    process.execPath,
    [
      ...(preload === undefined ? [] : ['--import', preload]),
      ...(isBuilt ? [] : ['--import', loader]),
      join(repository, isBuilt ? 'dist/cli/main.js' : 'src/cli/main.ts'),
      ...['serve', '--config', configPath, '--port', '0', '--json'],
    ],
    { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...environment } },
  );
  let text = '';
  child.stderr.setEncoding('utf8').on('data', (piece: string) => {
    text += piece;
  });
  return { child, stderr: () => text };
}

async function end(child: ChildProcess, signal: 'SIGTERM' | 'SIGKILL'): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
  const ended = once(child, 'exit');
  child.kill(signal);
  await ended;
  return child.exitCode;
}
