import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../../../src/stats/sampling.ts';
import { laneBit, nativePrf } from '../../../../src/watermark/text/prfs/native.ts';
import type { TokenPairs } from '../../../../src/watermark/text/prfs/prf.ts';
import {
  CodedGreen,
  parity,
  TenantCode,
} from '../../../../src/watermark/text/tenants/tenant-code.ts';
import { keyOf } from '../../fixtures.ts';

const prf = nativePrf(keyOf('common'), 2);
const code = new TenantCode(prf, 20);
const base = prf.green(0.5);
const vocabularySize = 1000;

/** Every token of the vocabulary after one context. */
function everyToken(context: readonly number[], tokens = vocabularySize): TokenPairs {
  return {
    count: tokens,
    width: 2,
    contexts: Int32Array.from({ length: 2 * tokens }, (_, at) => context[at % 2]!),
    tokens: Int32Array.from({ length: tokens }, (_, token) => token),
  };
}

describe('the tenant code', () => {
  it('draws one vector for a context and a block of 128 tokens, alike for lists and pairs', () => {
    const draws = code.draws(everyToken([3, 4]));
    const blocks = code.blockDraws(Int32Array.of(3, 4), 8);
    expect(draws).toEqual(draws.map((_, token) => blocks[Math.floor(token / 128)]!));
    expect(new Set(blocks).size).toBe(8);
    expect(Math.max(...blocks)).toBeLessThan(2 ** 20);
    expect(code.blockDraws(Int32Array.of(4, 3), 8)).not.toEqual(blocks);
  });

  it('gives lists, digits and pairs the base bit xor the parity of identifier and draw', () => {
    const identifier = 0b1011_0110_0111_0001_1010;
    const green = new CodedGreen(base, code, identifier);
    const context = Int32Array.of(17, 901);
    const pairs = everyToken([17, 901]);
    const draws = code.draws(pairs);
    const expected = base.bits(pairs).map((bit, token) => {
      const ones = [...(draws[token]! & identifier).toString(2)].filter((one) => one === '1');
      return (bit + ones.length) % 2;
    });
    expect(green.bits(pairs)).toEqual(expected);
    expect(green.list(context, vocabularySize)).toEqual(expected);
    const { count, threshold, stream } = green.keystream;
    expect([count, threshold]).toEqual([1, 1]);
    const digits = new Uint32Array(new Uint8Array(stream(context, vocabularySize)).buffer);
    expect(expected.map((_, token) => 1 - laneBit(digits, token))).toEqual(expected);
    expect(expected).not.toEqual(base.bits(pairs));
  });

  it('makes two tenants agree on half of the blocks, and never changes what zero sees', () => {
    const random = seededRandom('contexts');
    const first = new CodedGreen(base, code, 0x12345);
    const second = new CodedGreen(base, code, 0x6789a);
    let equal = 0;
    for (let turn = 0; turn < 500; turn++) {
      const context = Int32Array.of(random.integer(1000), random.integer(1000));
      const [one, two] = [first, second].map((each) => each.list(context, 128));
      const agreement = one!.reduce((sum, bit, token) => sum + Number(bit === two![token]), 0);
      expect([0, 128]).toContain(agreement);
      equal += agreement / 128;
      expect(new CodedGreen(base, code, 0).list(context, 128)).toEqual(base.list(context, 128));
    }
    // 500 fair coins leave 250 +- 56 once in 2 million seeds.
    expect(Math.abs(equal - 250)).toBeLessThan(56);
  });

  it('takes parities', () => {
    expect([0, 1, 3, 0x80000000, 0x80000001 | 0, 0xfffff, 0x7ffff].map(parity)).toEqual([
      0, 1, 0, 1, 0, 0, 1,
    ]);
  });
});
