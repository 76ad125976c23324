import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { kernelSource, textKernel } from '../../../../scripts/kernel/kernel-source.ts';

it('is what assembly/ compiles to', async () => {
  expect(readFileSync(textKernel.path, 'utf8')).toBe(await kernelSource(textKernel));
});
