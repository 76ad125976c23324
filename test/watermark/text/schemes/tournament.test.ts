import { expect, it } from 'vitest';
import { seededRandom } from '../../../../src/stats/sampling.ts';
import { playTournament } from '../../../../src/watermark/text/schemes/tournament.ts';

it('plays one layer as the definition says', () => {
  const probabilities = Float64Array.of(0.5, 0.3, 0.2);
  playTournament(probabilities, Uint32Array.of(1, 0, 1), 1, 1);
  expect([...probabilities]).toEqual([
    expect.closeTo(0.5 * 1.3, 12),
    expect.closeTo(0.3 * 0.3, 12),
    expect.closeTo(0.2 * 1.3, 12),
  ]);
});

it('reads layers beyond 32 from the next word', () => {
  const probabilities = Float64Array.of(0.5, 0.5);
  const onlyLayer40 = Uint32Array.of(0, 1 << 8, 0, 0);
  playTournament(probabilities, onlyLayer40, 2, 40);
  expect([...probabilities]).toEqual([0.5, 0.5]);
  playTournament(probabilities, onlyLayer40, 2, 41);
  expect([...probabilities]).toEqual([0.75, 0.25]);
});

it('never makes a probability negative, however the sums are rounded', () => {
  const random = seededRandom('rounded sums');
  for (let turn = 0; turn < 3000; turn++) {
    const count = 2 + random.integer(40);
    const weights = Array.from({ length: count }, () => random.uniform() ** 4);
    const sum = weights.reduce((total, weight) => total + weight, 0) * (1 - 4e-16);
    const probabilities = Float64Array.from(weights, (weight) => weight / sum);
    const leaves = Uint32Array.from({ length: count }, () =>
      random.uniform() < 0.9 ? 0x3fffffff : random.integer(2 ** 30),
    );
    playTournament(probabilities, leaves, 1, 30);
    expect(probabilities.every((probability) => probability >= 0)).toBe(true);
    expect(probabilities.reduce((total, each) => total + each, 0)).toBeCloseTo(1, 9);
  }
});
