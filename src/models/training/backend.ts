import { createRequire } from 'node:module';
import { dirname, sep } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm';

export type BackendName = 'tensorflow' | 'wasm';

let started: Promise<BackendName> | undefined;

/**
 * Starts the fastest tensor backend that works here, once: tfjs-node where it is installed and
 * passes a self-check, else WebAssembly with the binaries that its package ships.
 */
export function startBackend(): Promise<BackendName> {
  started ??= start();
  return started;
}

async function start(): Promise<BackendName> {
  if (await nativeBackendWorks()) return 'tensorflow';
  const require = createRequire(import.meta.url);
  setWasmPaths(dirname(require.resolve('@tensorflow/tfjs-backend-wasm')) + sep);
  const foreign = withoutNewListeners(['uncaughtException', 'unhandledRejection']);
  await tf.setBackend('wasm');
  await tf.ready();
  foreign.remove();
  return 'wasm';
}

/** The WebAssembly loader takes over the process's crash handling, which is not its own to take. */
function withoutNewListeners(events: readonly string[]): { remove(): void } {
  const before = events.map((event) => new Set(process.rawListeners(event)));
  return {
    remove() {
      events.forEach((event, index) => {
        for (const listener of process.rawListeners(event)) {
          if (before[index]?.has(listener)) continue;
          process.removeListener(event, listener as (...values: unknown[]) => void);
        }
      });
    },
  };
}

/** tfjs-node is optional, and some of its releases load but fail at the first operation. */
async function nativeBackendWorks(): Promise<boolean> {
  const name: string = '@tensorflow/tfjs-node';
  try {
    await import(name);
    await tf.setBackend('tensorflow');
    return tf.tidy(() => tf.matMul(tf.ones([2, 2]), tf.ones([2, 2])).dataSync()[0]) === 2;
  } catch {
    return false;
  }
}
