/** Compiles the kernel in assembly/ into the file that the text watermark loads it from. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { kernelModulePath, kernelSource } from './kernel-source.ts';

writeFileSync(join(import.meta.dirname, '..', '..', kernelModulePath), await kernelSource());
