import { join } from 'node:path';
import asc from 'assemblyscript/asc';

const root = join(import.meta.dirname, '..', '..');

/**
 * Compiles one entry of assembly/ to WebAssembly. The module imports its memory as `env.memory` and
 * keeps no data in it, so that the caller lays it out.
 *
 * @throws Error with the compiler's messages
 */
export async function compileAssembly(entry: string): Promise<Uint8Array> {
  const written: Uint8Array[] = [];
  const { error, stderr } = await asc.main(
    [
      `assembly/${entry}`,
      ...['--baseDir', root, '--outFile', 'module.wasm', '--runtime', 'stub', '--noAssert'],
      ...['--importMemory', '--noExportMemory', '--enable', 'simd', '-O3', '--converge'],
    ],
    {
      writeFile: (_name, contents) => {
        if (typeof contents !== 'string') written.push(contents);
      },
    },
  );
  const [module] = written;
  if (error !== null || module === undefined) {
    throw new Error(`assembly/${entry} does not compile: ${error?.message}\n${stderr.toString()}`);
  }
  return module;
}
