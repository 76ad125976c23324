import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { kernelFor, openTextKernel } from '../../../../src/watermark/text/kernel/text-kernel.ts';

const hardLogit = fc.oneof(
  fc.float({ noNaN: false }),
  fc.constantFrom(NaN, Infinity, -Infinity, -0, 0, 1e-45, -1e-45, 1.1754942e-38, 3.4028235e38),
  fc.float({ min: -30, max: 30, noNaN: true }),
);
const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });

const greenCase = fc
  .tuple(fc.integer({ min: 1, max: 700 }), fc.integer({ min: 1, max: 16 }))
  .chain(([size, count]) =>
    fc.record({
      logits: fc.array(hardLogit, { minLength: size, maxLength: size }),
      keystream: bytes(Math.ceil(size / 128) * count * 16),
      count: fc.constant(count),
      threshold: fc.integer({ min: 1, max: 2 ** count - 1 }),
      half: fc.constantFrom(1, -1, 0.5, Math.fround(0.7), Math.fround(1e-3), 25, 0),
    }),
  );

/** Bits of float32, with one NaN for all. */
function bitsOf(logits: Float32Array): number[] {
  return [...new Uint32Array(logits.map((value) => (Number.isNaN(value) ? NaN : value)).buffer)];
}

/** The number of a token, read digit by digit from the layout's description. */
function isGreen(token: number, count: number, threshold: number, keystream: Uint8Array): boolean {
  let number = 0;
  for (let digit = 0; digit < count; digit++) {
    const block = (Math.floor(token / 128) * count + digit) * 16;
    const place = token % 128;
    const bit = 7 - Math.floor(place / 16);
    const byte = keystream[block + (place % 16)]!;
    number = 2 * number + (Math.floor(byte / 2 ** bit) % 2);
  }
  return number < threshold;
}

afterEach(() => {
  vi.unstubAllGlobals();
  vi.resetModules();
});

describe('openTextKernel', () => {
  it('runs in WebAssembly here', () => {
    expect(openTextKernel(100).implementation).toBe('simd');
    expect(openTextKernel(100, { simd: false }).implementation).toBe('plain');
  });

  it('biases green tokens bit for bit as the definition says, in any memory', () => {
    fc.assert(
      fc.property(greenCase, ({ logits, keystream, count, threshold, half }) => {
        const size = logits.length;
        const expected = Float32Array.from(logits, (logit, token) =>
          Math.fround(
            Math.fround(logit) + (isGreen(token, count, threshold, keystream) ? half : -half),
          ),
        );
        const [simd, plain] = [openTextKernel(size + 3), openTextKernel(size, { simd: false })];
        const places = [
          { kernel: simd, place: simd.logits.subarray(0, size) },
          { kernel: simd, place: simd.logits.subarray(3) },
          { kernel: simd, place: new Float32Array(size) },
          { kernel: plain, place: plain.logits },
        ];
        for (const { kernel, place } of places) {
          place.set(logits);
          kernel.biasGreen(place, size, { count, threshold }, keystream, half);
          expect(bitsOf(place)).toEqual(bitsOf(expected));
        }
      }),
      { numRuns: 300, seed: 2 },
    );
  });

  it('leaves what lies behind the marked logits alone', () => {
    const kernel = openTextKernel(300);
    kernel.logits.fill(5);
    kernel.biasGreen(kernel.logits, 130, { count: 1, threshold: 1 }, new Uint8Array(32), 1);
    expect([...kernel.logits.subarray(0, 130)].every((logit) => logit === 6)).toBe(true);
    expect([...kernel.logits.subarray(130)].every((logit) => logit === 5)).toBe(true);
  });

  it('keeps every token that may win, and drops most others', () => {
    const size = 5000;
    const kernel = openTextKernel(size);
    const logits = Float32Array.from({ length: size }, (_, token) => 3 * Math.sin(token * token));
    const coarse = Uint8Array.from({ length: size }, (_, token) => (token * 40503) >>> 4);
    for (const temperature of [0.1, 0.7, 1, 3]) {
      const survivors = kernel.gumbelSurvivors(logits, size, coarse, temperature);
      const least = (token: number, rest: number) =>
        logits[token]! / temperature - Math.log(-Math.log((coarse[token]! + rest) / 256));
      const best = Math.max(...Array.from(logits, (_, token) => least(token, 2 ** -33)));
      const possible = Array.from(logits.keys()).filter(
        (token) => least(token, 1 - 2 ** -33) >= best,
      );
      expect([...survivors]).toEqual(expect.arrayContaining(possible));
      expect(survivors.length).toBeLessThan(possible.length + 50);
    }
  });

  it('tries all tokens where the filter cannot tell', () => {
    const kernel = openTextKernel(40);
    const coarse = new Uint8Array(40).fill(128);
    const survivors = (logits: Float32Array, temperature: number) => [
      ...kernel.gumbelSurvivors(logits, logits.length, coarse, temperature),
    ];
    expect(survivors(new Float32Array(40).fill(-Infinity), 1)).toEqual([]);
    expect(survivors(new Float32Array(40).fill(NaN), 1)).toEqual([]);
    const infinite = new Float32Array(40);
    infinite[7] = Infinity;
    expect(survivors(infinite, 1)).toContain(7);
    expect(survivors(new Float32Array(40), 1e-9)).toHaveLength(40);
    expect(survivors(new Float32Array(40).fill(-3.4028235e38), 1)).toHaveLength(40);
  });
});

describe('kernelFor', () => {
  it('finds the kernel whose memory the logits lie in, and shares one otherwise', () => {
    const kernel = openTextKernel(64);
    expect(kernelFor(kernel.logits.subarray(0, 10), 64)).toBe(kernel);
    expect(kernelFor(kernel.logits, 65)).not.toBe(kernel);
    expect(kernelFor(new Float32Array(5), 77)).toBe(kernelFor(new Float32Array(9), 77));
  });

  it('falls back to TypeScript on machines without WebAssembly, or without SIMD in it', async () => {
    for (const missing of [undefined, { validate: () => false }]) {
      vi.resetModules();
      vi.stubGlobal('WebAssembly', missing);
      const fresh = await import('../../../../src/watermark/text/kernel/text-kernel.ts');
      expect(fresh.openTextKernel(10).implementation).toBe('plain');
    }
  });
});
