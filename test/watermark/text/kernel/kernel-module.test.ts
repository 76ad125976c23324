import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { kernelModulePath, kernelSource } from '../../../../scripts/kernel/kernel-source.ts';

it('is what assembly/ compiles to', async () => {
  expect(readFileSync(kernelModulePath, 'utf8')).toBe(await kernelSource());
});
