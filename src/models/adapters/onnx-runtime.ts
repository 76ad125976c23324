import { createRequire } from 'node:module';
import { dirname, sep } from 'node:path';
import { pathToFileURL } from 'node:url';
import type * as onnx from 'onnxruntime-web';
import { TouchmarkError } from '../../errors.ts';

export type OnnxRuntime = Pick<typeof onnx, 'InferenceSession' | 'Tensor' | 'env'>;

let opened: Promise<OnnxRuntime> | undefined;

/**
 * Returns what runs ONNX models here, once: onnxruntime-node where it is installed, else
 * onnxruntime-web with the WebAssembly that its package ships, in one thread.
 */
export function openRuntime(): Promise<OnnxRuntime> {
  opened ??= nativeRuntime().catch(webRuntime);
  return opened;
}

async function nativeRuntime(): Promise<OnnxRuntime> {
  const name: string = 'onnxruntime-node';
  const runtime: OnnxRuntime = await import(name);
  return runtime;
}

/** Returns onnxruntime-web. @throws CONFIG_INVALID when its files are not there */
export async function webRuntime(): Promise<OnnxRuntime> {
  try {
    const runtime = await import('onnxruntime-web');
    const entry = createRequire(import.meta.url).resolve('onnxruntime-web');
    runtime.env.wasm.wasmPaths = pathToFileURL(dirname(entry) + sep).href;
    runtime.env.wasm.numThreads = 1;
    runtime.env.logLevel = 'error';
    return runtime;
  } catch (cause) {
    throw new TouchmarkError('CONFIG_INVALID', 'onnxruntime-web is not installed whole', {
      hint: 'it runs ONNX models: npm install onnxruntime-web',
      cause,
    });
  }
}
