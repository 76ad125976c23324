import { existsSync, readFileSync, rmSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import type { GatewayProcess } from './processes.ts';

/** Returns a process's resident memory in bytes, as Linux tells it. */
export function residentBytes(pid: number): number {
  const [, kibibytes] = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return 1024 * Number(kibibytes);
}

/** Has a gateway with `heap-preload.js` collect its garbage, and returns the bytes of heap in use. */
export async function heapBytes({ child }: GatewayProcess, file: string): Promise<number> {
  rmSync(file, { force: true });
  child.kill('SIGUSR2');
  const deadline = performance.now() + 30_000;
  while (!existsSync(file)) {
    if (performance.now() > deadline) throw new Error('the gateway does not tell its heap');
    await pause(20);
  }
  const { heapUsed, external } = JSON.parse(readFileSync(file, 'utf8'));
  return heapUsed + external;
}

/** Samples a process's resident memory every half second until it is stopped. */
export class MemorySamples {
  readonly #values: number[] = [];
  readonly #timer: NodeJS.Timeout;

  constructor(pid: number) {
    this.#timer = setInterval(() => this.#values.push(residentBytes(pid)), 500);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** Median of a quarter, 0 to 3. */
  median(quarter: number): number {
    const size = this.#values.length / 4;
    return quantile(this.#values.slice(quarter * size, (quarter + 1) * size), 0.5);
  }
}

/** Returns a quantile of values, the nearest one; NaN of none. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}

/** Words bytes in mebibytes. */
export function mebibytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}
