import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import { chanceZ, searchNativeKey, searchTableKeys } from '../../../scripts/key-security/attack.ts';
import { markedText, tournamentProfile } from '../../../scripts/key-security/marked-text.ts';
import { foreignTextKey } from '../../../src/watermark/text/text-key.ts';
import { openTextWatermark } from '../../../src/watermark/text/watermark.ts';

const epochKey = createHash('sha256').update('to be found').digest();

it('finds most keys of synthid-hf in 1,000 tokens, and none in a text without them', () => {
  const key = foreignTextKey(epochKey, 'synthid');
  if (key.stack !== 'synthid') throw new Error('another stack');
  const watermark = openTextWatermark(
    tournamentProfile({ name: 'synthid-hf', ngramLength: 5 }),
    key,
  );
  const { pairs, entropy } = markedText(watermark, 'synthid', 1000, 3);
  expect(entropy).toBeGreaterThan(2);
  expect(searchTableKeys(pairs, key.keys).recovered).toBeGreaterThanOrEqual(20);
  const tokens = Int32Array.from(pairs.tokens, (token) => (7919 * token) % 1000);
  const other = searchTableKeys({ ...pairs, tokens }, key.keys);
  expect(other.recovered).toBeLessThanOrEqual(1);
  expect(other.best[0]?.z).toBeLessThan(chanceZ + 1.5);
});

it('finds nothing of the native key in the same way', () => {
  const inReach = Buffer.from(epochKey);
  inReach.writeUInt16LE(1234, 0);
  const watermark = openTextWatermark(tournamentProfile({ name: 'native', contextWidth: 4 }), {
    stack: 'touchmark',
    epochKey: inReach,
  });
  const { pairs } = markedText(watermark, 'native', 40, 3);
  const { recovered, best } = searchNativeKey(pairs, inReach, {
    depth: 30,
    parts: 1,
    tried: 4096,
  });
  expect(recovered).toBe(0);
  expect(best[0]?.z).toBeLessThan(chanceZ + 1.5);
});
