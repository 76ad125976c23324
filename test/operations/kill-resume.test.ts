import { expect, it } from 'vitest';
import { cutAndResume } from '../../scripts/kill-resume/cuts.ts';
import { killAndResume } from '../../scripts/kill-resume/trial.ts';

/** A busy machine may take long. */
const patience = 240_000;

it('comes to the same report after SIGKILL at any moment, and asks no recorded probe again', {
  timeout: patience,
}, async () => {
  const { stages, ...summary } = await killAndResume(2);
  expect(summary).toMatchObject({ moments: 2, deadEnds: [], different: 0, answeredAskedAgain: 0 });
  const { done = 0, ...killed } = stages;
  expect(done).toBeLessThan(2);
  expect(Object.keys(killed)).not.toEqual([]);
});

it('comes to the same report when the run log ends anywhere in its last two lines', {
  timeout: patience,
}, async () => {
  const { cuts, ...summary } = await cutAndResume(131);
  expect(cuts).toBeGreaterThan(4);
  expect(summary).toEqual({ different: 0, askedOtherwise: 0, rewritten: 0 });
});
