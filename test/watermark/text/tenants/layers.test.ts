import { describe, expect, it } from 'vitest';
import { nativePrf } from '../../../../src/watermark/text/prfs/native.ts';
import type { TokenPairs } from '../../../../src/watermark/text/prfs/prf.ts';
import { ContextLayers, LayeredGreen } from '../../../../src/watermark/text/tenants/layers.ts';
import { keyOf } from '../../fixtures.ts';

const prf = nativePrf(keyOf('common'), 2);
const count = 8000;
const pairs: TokenPairs = {
  count,
  width: 2,
  contexts: Int32Array.from({ length: 2 * count }, (_, at) => at),
  tokens: Int32Array.from({ length: count }, (_, row) => row % 300),
};

describe('layers of contexts', () => {
  it('share contexts out in the given sixteenths, each context once', () => {
    const layers = new ContextLayers(prf, { common: 3, code: 5, own: 8 });
    const sizes = (['common', 'code', 'own'] as const).map((layer) => {
      const rows = layers.rows(pairs)[layer];
      for (const row of rows.subarray(0, 50)) {
        expect(layers.of(pairs.contexts.subarray(2 * row, 2 * row + 2))).toBe(layer);
      }
      return rows.length;
    });
    expect(sizes.reduce((sum, size) => sum + size)).toBe(count);
    // Five standard deviations of Binomial(8000, share).
    expect(Math.abs(sizes[0]! - 1500)).toBeLessThan(175);
    expect(Math.abs(sizes[1]! - 2500)).toBeLessThan(208);
  });

  it('leave an absent layer empty', () => {
    const layers = new ContextLayers(prf, { common: 0, code: 16, own: 0 });
    expect(layers.rows(pairs).common.length).toBe(0);
    expect(layers.rows(pairs).code.length).toBe(count);
  });

  it('mark each context by the list of its layer', () => {
    const layers = new ContextLayers(prf, { common: 5, code: 5, own: 6 });
    const sources = {
      common: nativePrf(keyOf('a'), 2).green(0.5),
      code: nativePrf(keyOf('b'), 2).green(0.5),
      own: nativePrf(keyOf('c'), 2).green(0.5),
    };
    const green = new LayeredGreen(layers, sources);
    const bits = green.bits(pairs);
    for (let row = 0; row < 200; row++) {
      const context = pairs.contexts.subarray(2 * row, 2 * row + 2);
      const source = sources[layers.of(context)];
      expect(green.list(context, 300)).toEqual(source.list(context, 300));
      expect([...green.keystream.stream(context, 300)]).toEqual([
        ...source.keystream.stream(context, 300),
      ]);
      expect(bits[row]).toBe(source.list(context, 300)[pairs.tokens[row]!]);
    }
  });
});
