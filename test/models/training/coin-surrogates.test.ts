import { describe, expect, it } from 'vitest';
import {
  type StolenAnswer,
  simulateCoinSurrogates,
} from '../../../src/models/training/coin-surrogates.ts';
import { seededRandom } from '../../../src/stats/sampling.ts';
import { textProfile } from '../../watermark/fixtures.ts';

/** Distinct short texts, a fifth of them, which begin alike, answered by coins between two classes. */
function answers(count: number): StolenAnswer[] {
  const random = seededRandom('answers');
  const word = () => Array.from({ length: 7 }, () => 'abcdefgh'[random.integer(8)]!).join('');
  return Array.from({ length: count }, (_, index) => {
    const hasCoin = index % 5 === 0;
    const outcome = random.uniform() < 0.5 ? 1 : 0;
    const label = hasCoin ? outcome : 2 + random.integer(2);
    return {
      input: hasCoin ? `zz${word()}` : word(),
      served: [0, 1, 2, 3].map((k) => (k === label ? 0.85 : 0.05)),
      label,
      coin: hasCoin ? { top: 0, second: 1, outcome } : undefined,
    };
  });
}

describe('simulateCoinSurrogates', () => {
  it('trains three students that remember coins better than chance, the same each time', async () => {
    const stolen = answers(600);
    const students = await simulateCoinSurrogates(textProfile(), stolen);
    expect(students.map(({ name }) => name)).toEqual([
      'network on probabilities',
      'network on labels',
      'averaged perceptron on labels',
    ]);
    for (const { coins, insideShare, repeatedShare } of students) {
      expect(coins).toBe(120);
      expect(insideShare).toBeGreaterThan(0.5);
      expect(repeatedShare).toBeGreaterThan(0.65);
      expect(repeatedShare).toBeLessThanOrEqual(1);
    }
    expect(await simulateCoinSurrogates(textProfile(), stolen)).toEqual(students);
  });

  it('reports each epoch, and stops when progress throws', async () => {
    const told: string[] = [];
    const run = simulateCoinSurrogates(textProfile(), answers(60), (stage, done, total) => {
      told.push(`${stage} ${done}/${total}`);
      if (done === 3) throw new Error('stopped');
    });
    await expect(run).rejects.toThrow('stopped');
    expect(told.at(-1)).toMatch(/^training a network on probabilities as a thief would 3\//);
  });
});
