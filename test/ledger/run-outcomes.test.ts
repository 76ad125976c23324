import { expect, it } from 'vitest';
import { RunOutcomes } from '../../src/ledger/run-outcomes.ts';

it('keeps a hundred thousand answers of 24 classes in less than 60 MB', () => {
  const used = () => {
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    return heapUsed + arrayBuffers;
  };
  const outcomes = new RunOutcomes();
  const rowOf = (index: number) => Array.from({ length: 24 }, (_, k) => index + k / 100);
  const before = used();
  for (let index = 0; index < 100_000; index += 1) {
    const answer = { label: `label ${index % 24}`, probabilities: rowOf(index) };
    outcomes.add(`logged/${index}`, { answer }, index);
  }
  globalThis.gc?.();
  expect(used() - before).toBeLessThan(60e6);
  for (const index of [0, 1, 2_730, 2_731, 65_535, 65_536, 99_999]) {
    expect(outcomes.outcomeOf(`logged/${index}`)).toEqual({
      answer: { label: `label ${index % 24}`, probabilities: rowOf(index) },
    });
    expect(outcomes.millisecondsOf(`logged/${index}`)).toBe(index);
  }
});
