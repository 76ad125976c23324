import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { kernelSource, trainingKernel } from '../../../../scripts/kernel/kernel-source.ts';

it('is what assembly/ compiles to', async () => {
  expect(readFileSync(trainingKernel.path, 'utf8')).toBe(await kernelSource(trainingKernel));
});
