import { hkdfSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { foreignTextKey, parseForeignTextKey } from '../../../src/watermark/text/text-key.ts';

const epochKey = Buffer.alloc(32, 7);

function purposeBytes(purpose: string): Buffer {
  const label = 'touchmark/v1/purpose';
  const parts = [label, purpose].flatMap((part) => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(part.length);
    return [length, Buffer.from(part)];
  });
  return Buffer.from(hkdfSync('sha256', epochKey, '', Buffer.concat(parts), 32));
}

describe("an epoch's keys for other stacks", () => {
  it('are the first bits of their purpose keys', () => {
    const huggingFace = purposeBytes('text-hugging-face').readBigUInt64BE();
    expect(foreignTextKey(epochKey, 'hugging-face')).toEqual({
      stack: 'hugging-face',
      hashingKey: (huggingFace / 2048n) | 1n,
    });
    expect(foreignTextKey(epochKey, 'vllm')).toEqual({
      stack: 'vllm',
      key: purposeBytes('text-vllm').readBigUInt64BE(),
    });
  });

  it('are in the range of every reader: whole in JSON, odd, apart modulo 65536', () => {
    for (let byte = 0; byte < 50; byte++) {
      const key = foreignTextKey(Buffer.alloc(32, byte), 'hugging-face');
      if (key.stack !== 'hugging-face') throw new Error('another stack');
      expect(key.hashingKey % 2n).toBe(1n);
      expect(Number.isSafeInteger(Number(key.hashingKey))).toBe(true);
    }
    for (const layers of [1, 30, 1024]) {
      const key = foreignTextKey(epochKey, 'synthid', layers);
      if (key.stack !== 'synthid') throw new Error('another stack');
      expect(new Set(key.keys.map((each) => each % 65536)).size).toBe(layers);
      expect(key.keys.every((each) => Number.isInteger(each) && each < 2 ** 32)).toBe(true);
    }
  });

  it('come back from their written form', () => {
    const vllm = foreignTextKey(epochKey, 'vllm');
    if (vllm.stack !== 'vllm') throw new Error('another stack');
    expect(parseForeignTextKey({ stack: 'vllm', key: String(vllm.key) }, 'it')).toEqual(vllm);
    const synthId = foreignTextKey(epochKey, 'synthid', 5);
    expect(parseForeignTextKey(synthId, 'it')).toEqual(synthId);
  });
});
