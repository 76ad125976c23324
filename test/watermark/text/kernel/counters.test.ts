import { afterEach, expect, it, vi } from 'vitest';

const seeds = [
  [0, 0, 0, 0],
  [1, 2, 3, -1],
  [-5, 0x7fffffff, -0x80000000, 0x12345678],
];

afterEach(() => {
  vi.unstubAllGlobals();
  vi.resetModules();
});

it('xors the number of the block into the last word, with the kernel and without', async () => {
  for (const webAssembly of [WebAssembly, undefined]) {
    vi.resetModules();
    vi.stubGlobal('WebAssembly', webAssembly);
    const counters = await import('../../../../src/watermark/text/kernel/counters.ts');
    for (const seed of seeds) {
      const words = Int32Array.from(seed);
      const [first, second, third, last] = seed as [number, number, number, number];
      for (const blocks of [1, 3, 8, 5000]) {
        const expected = Array.from({ length: blocks }, (_, block) => [
          first,
          second,
          third,
          last ^ block,
        ]);
        expect([...counters.consecutiveCounters(words, blocks)]).toEqual(expected.flat());
      }
      const numbers = Int32Array.of(0, 2 ** 31 - 1, 6, 7);
      const written = new Int32Array(4 * numbers.length);
      counters.writeCounters(written, 0, words, 0, 0, numbers);
      const expected = Array.from(numbers, (number) => [first, second, third, last ^ number]);
      expect([...written]).toEqual(expected.flat());
    }
  }
});
