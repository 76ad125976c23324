import { afterEach, expect, it, vi } from 'vitest';

const seeds = [
  0n,
  1n,
  0xffffffffn - 5n,
  2n ** 64n - 3n,
  2n ** 96n - 1n,
  2n ** 128n - 7n,
  0x0123456789abcdeffedcba9876543210n,
];

function wordsOf(number: bigint): Int32Array {
  const bytes = Buffer.from((number % 2n ** 128n).toString(16).padStart(32, '0'), 'hex');
  return new Int32Array(Uint8Array.from(bytes).buffer);
}

afterEach(() => {
  vi.unstubAllGlobals();
  vi.resetModules();
});

it('counts in 128 bits, carries included, with the kernel and without', async () => {
  for (const webAssembly of [WebAssembly, undefined]) {
    vi.resetModules();
    vi.stubGlobal('WebAssembly', webAssembly);
    const counters = await import('../../../../src/watermark/text/kernel/counters.ts');
    for (const seed of seeds) {
      for (const blocks of [1, 3, 8, 5000]) {
        const expected = Array.from({ length: blocks }, (_, index) => [
          ...wordsOf(seed + BigInt(index)),
        ]);
        expect([...counters.consecutiveCounters(wordsOf(seed), blocks)]).toEqual(expected.flat());
      }
      const indices = Int32Array.of(0, 2 ** 31 - 1, 6, 7);
      const sums = new Int32Array(4 * indices.length);
      counters.writeSums(sums, 0, wordsOf(seed), 0, 0, indices);
      const expected = Array.from(indices, (index) => [...wordsOf(seed + BigInt(index))]);
      expect([...sums]).toEqual(expected.flat());
    }
  }
});
