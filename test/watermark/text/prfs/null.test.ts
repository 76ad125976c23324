import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import { log10BinomialUpperTail } from '../../../../src/stats/tails/binomial.ts';
import { detectText } from '../../../../src/watermark/text/detect.ts';
import type { TextProfile } from '../../../../src/watermark/text/profile.ts';
import { openTextWatermark } from '../../../../src/watermark/text/watermark.ts';
import { stackProfile } from './stacks.ts';

const vocabularySize = 120;
const level = 0.05;

/** A text of few words in few orders: every pair occurs often. */
const words = [3, 17, 3, 44, 17, 91, 3, 17, 5, 44, 60, 3, 61, 17, 44, 3, 17, 8];
const repetitive = Int32Array.from({ length: 260 }, (_, at) => words[(at * at + at) % 18]!);

const philox = { name: 'vllm-philox', contextWidth: 2, keys: 'single' } as const;
const cases: readonly [TextProfile['prf'], TextProfile['scheme'], number][] = [
  [
    { name: 'hugging-face', seeding: 'lefthash', contextWidth: 1 },
    { name: 'green-list', gamma: 0.25, delta: 2 },
    600,
  ],
  [
    { name: 'hugging-face', seeding: 'selfhash', contextWidth: 3 },
    { name: 'green-list', gamma: 0.5, delta: 2 },
    80,
  ],
  [{ name: 'synthid-hf', ngramLength: 3 }, { name: 'tournament', depth: 30 }, 1000],
  [{ name: 'synthid-hf', ngramLength: 3 }, { name: 'green-list', gamma: 0.5, delta: 2 }, 1000],
  [{ name: 'synthid-deepmind', ngramLength: 3 }, { name: 'tournament', depth: 12 }, 1000],
  [philox, { name: 'gumbel' }, 1000],
  [{ ...philox, keys: 'dual' }, { name: 'gumbel' }, 1000],
  [philox, { name: 'green-list', gamma: 0.25, delta: 2 }, 1000],
];

it.each(
  cases,
)('%j with %j accuses no more than its level under random keys', (prf, scheme, keys) => {
  const profile = stackProfile(prf, scheme, 'mark', vocabularySize);
  const text = { tokens: repetitive, promptLength: 0 };
  let accused = 0;
  let wealth = 0;
  for (let index = 0; index < keys; index++) {
    const epochKey = createHash('sha256').update(`null ${index}`).digest();
    const watermark = openTextWatermark(profile, { stack: 'touchmark', epochKey });
    const { log10P, log10E } = detectText(watermark, text);
    if (log10P <= Math.log10(level)) accused++;
    wealth += Math.min(10 ** log10E, 100) / keys;
  }
  expect(log10BinomialUpperTail(accused, keys, level), `${accused} of ${keys}`).toBeGreaterThan(-5);
  expect(wealth).toBeLessThan(2);
});
