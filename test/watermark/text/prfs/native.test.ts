import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nativePrf } from '../../../../src/watermark/text/prfs/native.ts';
import vectors from '../../../vectors/native-text.json' with { type: 'json' };
import { keyOf } from '../../fixtures.ts';

const key = keyOf('native');

/** Pairs of one context repeated for every token. */
function pairsAfter(context: Int32Array, tokens: Int32Array) {
  const contexts = new Int32Array(context.length * tokens.length);
  for (let at = 0; at < contexts.length; at += context.length) contexts.set(context, at);
  return { count: tokens.length, width: context.length, contexts, tokens };
}

describe('nativePrf', () => {
  it.each(vectors.cases)('gives the values of another implementation after $context', (vector) => {
    const context = Int32Array.from(vector.context);
    const tokens = Int32Array.from(vector.tokens);
    const prf = nativePrf(Buffer.from(vector.epochKey, 'hex'), context.length);
    const pairs = pairsAfter(context, tokens);
    const size = 131072;
    for (const { share, bits } of vector.green) {
      const green = prf.green(share);
      expect(green.share).toBe(share);
      expect([...green.bits(pairs)]).toEqual(bits);
      const list = green.list(context, size);
      tokens.forEach((token, row) => {
        if (token < size) expect(list[token]).toBe(bits[row]);
      });
    }
    const uniforms = vector.uniforms.map((numerator) => (Number(numerator) + 0.5) / 2 ** 40);
    expect([...prf.uniform().uniforms(pairs)]).toEqual(uniforms);
    expect([...prf.uniform().candidates(context, tokens)]).toEqual(uniforms);
    const coarse = prf.uniform().coarse!(context, size);
    tokens.forEach((token, row) => {
      if (token < size) expect(coarse[token]).toBe(Math.floor(uniforms[row]! * 256));
    });
    for (const { depth, words } of vector.leaves) {
      expect([...prf.leaf(depth).leaves(pairs)]).toEqual(words.flat());
      expect([...prf.leaf(depth).candidates(context, tokens)]).toEqual(words.flat());
    }
  });

  it('draws many pairs at once as it draws each, whatever their contexts', () => {
    const prf = nativePrf(key, 3);
    const count = 9001;
    const contexts = Int32Array.from({ length: 3 * count }, (_, at) => (at * at) % 50021);
    const tokens = Int32Array.from({ length: count }, (_, at) => (at * 7919) % 131072);
    const pairs = { count, width: 3, contexts, tokens };
    const [green, uniform, leaf] = [prf.green(0.3), prf.uniform(), prf.leaf(40)];
    const [bits, uniforms, leaves] = [
      green.bits(pairs),
      uniform.uniforms(pairs),
      leaf.leaves(pairs),
    ];
    for (const row of [0, 1, 4095, 4096, 4097, 8191, 8192, 9000]) {
      const one = {
        count: 1,
        width: 3,
        contexts: contexts.slice(3 * row, 3 * row + 3),
        tokens: tokens.slice(row, row + 1),
      };
      expect(bits[row]).toBe(green.bits(one)[0]);
      expect(uniforms[row]).toBe(uniform.uniforms(one)[0]);
      expect([...leaves.subarray(2 * row, 2 * row + 2)]).toEqual([...leaf.leaves(one)]);
    }
  });

  it('draws nothing for no pairs', () => {
    for (const width of [0, 2]) {
      const prf = nativePrf(key, width);
      const none = { count: 0, width, contexts: new Int32Array(0), tokens: new Int32Array(0) };
      expect(prf.green(0.5).bits(none)).toHaveLength(0);
      expect(prf.uniform().uniforms(none)).toHaveLength(0);
      expect(prf.leaf(3).leaves(none)).toHaveLength(0);
    }
  });

  it('tells lists of tokens of different lengths, domains and keys apart', () => {
    const streams = [
      nativePrf(key, 1).stream(1, Int32Array.of(5), 32),
      nativePrf(key, 2).stream(1, Int32Array.of(5, -1), 32),
      nativePrf(key, 1).stream(2, Int32Array.of(5), 32),
      nativePrf(keyOf('another'), 1).stream(1, Int32Array.of(5), 32),
    ];
    expect(new Set(streams.map((stream) => stream.toString('hex'))).size).toBe(streams.length);
  });

  it('refuses widths, shares and depths outside their ranges', () => {
    const bad = fc.oneof(
      fc.integer({ max: -1 }),
      fc.integer({ min: 2000 }),
      fc.constantFrom(NaN, Infinity, 0.5, 17.5),
    );
    fc.assert(
      fc.property(bad, (value) => {
        expect(() => nativePrf(key, value)).toThrow(/context width/);
        expect(() => nativePrf(key, 1).leaf(value)).toThrow(/depth/);
      }),
    );
    for (const share of [0, 1, -0.1, 2 ** -18, NaN]) {
      expect(() => nativePrf(key, 1).green(share)).toThrow(/share/);
    }
    expect(() => nativePrf(new Uint8Array(31), 1)).toThrow(/32 bytes|31/);
  });
});
