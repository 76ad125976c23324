import { createCipheriv, createHmac } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { lengthPrefixed } from '../../src/keys/encoding.ts';
import { KeyedBlocks, KeyedStream, keyedBit } from '../../src/keys/keyed-stream.ts';
import vectors from '../vectors/keys.json' with { type: 'json' };

const key = Buffer.from(vectors.root, 'hex');
const frozen = vectors.stream;
const stream = () => new KeyedStream(key, frozen.domain);
const times = <Value>(count: number, next: () => Value) => Array.from({ length: count }, next);

describe('keyed stream', () => {
  it('gives the frozen bytes, also across its buffer', () => {
    expect(stream().bytes(48).toString('hex')).toBe(frozen.firstBytes);
    const later = stream();
    later.bytes(8180);
    expect(later.bytes(40).toString('hex')).toBe(frozen.bytesFrom8180);
  });

  it('gives the frozen numbers', () => {
    const [words, uniforms, normals, signs] = [stream(), stream(), stream(), stream()];
    expect(times(frozen.uint32.length, () => words.nextUint32())).toEqual(frozen.uint32);
    expect(times(frozen.uniform.length, () => uniforms.nextUniform())).toEqual(frozen.uniform);
    expect(times(frozen.sign.length, () => signs.nextSign())).toEqual(frozen.sign);
    for (const expected of frozen.normal) expect(normals.nextNormal()).toBeCloseTo(expected, 13);
  });

  it('is one sequence of bytes however it is cut', () => {
    const whole = stream().bytes(20_000);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 5000 }), { maxLength: 4 }), (cuts) => {
        const cut = stream();
        const parts = cuts.map((count) => cut.bytes(count));
        const length = cuts.reduce((total, count) => total + count, 0);
        expect(Buffer.concat(parts).equals(whole.subarray(0, length))).toBe(true);
        const last = length <= 19_996 ? whole.readUInt32LE(length) : undefined;
        if (last !== undefined) expect(cut.nextUint32()).toBe(last);
      }),
    );
  });

  it('has the moments of its distributions', () => {
    const [normals, uniforms, signs] = [stream(), stream(), stream()];
    const count = 40_000;
    const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;
    const draws = times(count, () => normals.nextNormal());
    expect(Math.abs(mean(draws))).toBeLessThan(4 / Math.sqrt(count));
    expect(Math.abs(mean(draws.map((x) => x * x)) - 1)).toBeLessThan(4 * Math.sqrt(2 / count));
    expect(Math.abs(mean(draws.map((x) => x ** 4)) - 3)).toBeLessThan(4 * Math.sqrt(96 / count));
    expect(Math.abs(mean(times(count, () => uniforms.nextUniform())) - 0.5)).toBeLessThan(0.006);
    expect(Math.abs(mean(times(count, () => signs.nextSign())))).toBeLessThan(0.02);
  });

  it('differs between domains and keys', () => {
    const first = stream().bytes(16);
    expect(new KeyedStream(key, 'other').bytes(16)).not.toEqual(first);
    expect(new KeyedStream(Buffer.alloc(32, 7), frozen.domain).bytes(16)).not.toEqual(first);
  });

  it('refuses a key of the wrong length', () => {
    expect(() => new KeyedStream(key.subarray(16), 'x')).toThrow(/stream key has 16 bytes/);
    expect(() => keyedBit(key.subarray(1), key)).toThrow(/coin key has 31 bytes/);
  });
});

describe('keyed bit', () => {
  it.each(vectors.bits)('is $bit for "$message"', ({ message, bit }) => {
    expect(keyedBit(key, Buffer.from(message, 'hex'))).toBe(bit);
  });

  it('is fair over messages and over keys', () => {
    const count = 4000;
    const numbered = times(count, () => Buffer.alloc(32));
    for (const [index, bytes] of numbered.entries()) bytes.writeUInt32LE(index);
    const overMessages = numbered.filter((message) => keyedBit(key, message) === 1).length;
    const overKeys = numbered.filter((each) => keyedBit(each, key) === 1).length;
    expect(Math.abs(overMessages - count / 2)).toBeLessThan(2 * Math.sqrt(count));
    expect(Math.abs(overKeys - count / 2)).toBeLessThan(2 * Math.sqrt(count));
  });
});

describe('keyed blocks', () => {
  it('are the keystream, wherever it is read', () => {
    const whole = stream().bytes(16 * 3 * 1000);
    const blocks = new KeyedBlocks(key, frozen.domain);
    for (const numbers of [[], [0], [999, 0, 5, 5], [256, 21845 % 1000]]) {
      const runs = blocks.runs(Uint32Array.from(numbers), 3);
      expect(runs).toHaveLength(12 * numbers.length);
      runs.forEach((word, index) => {
        const run = numbers[Math.floor(index / 12)]!;
        expect(word).toBe(whole.readUInt32LE(48 * run + 4 * (index % 12)));
      });
    }
  });

  it('reach beyond 2^31 blocks, and belong to a key and a domain', () => {
    const counter = Buffer.alloc(16);
    counter.writeUInt32BE(0x9000_0002, 12);
    const streamKey = createHmac('sha256', key)
      .update(lengthPrefixed('touchmark/v1/stream', frozen.domain))
      .digest();
    const expected = createCipheriv('aes-256-ctr', streamKey, counter).update(Buffer.alloc(32));
    const runs = new KeyedBlocks(key, frozen.domain).runs(Uint32Array.of(0x4800_0001), 2);
    expect([...runs]).toEqual(Array.from({ length: 8 }, (_, at) => expected.readUInt32LE(4 * at)));
    expect(new KeyedBlocks(key, 'other').runs(Uint32Array.of(0x4800_0001), 2)).not.toEqual(runs);
  });
});
