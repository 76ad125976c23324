/** Compiles what is in assembly/ into the files that the package loads it from. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { kernelSource, textKernel, trainingKernel } from './kernel-source.ts';

for (const module of [textKernel, trainingKernel]) {
  writeFileSync(join(import.meta.dirname, '..', '..', module.path), await kernelSource(module));
}
