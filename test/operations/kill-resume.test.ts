import { expect, it } from 'vitest';
import { killAndResume } from '../../scripts/kill-resume/trial.ts';

it('comes to the same report after SIGKILL at any moment, and asks no recorded probe again', async () => {
  const { midway, ...summary } = await killAndResume(3);
  expect(summary).toMatchObject({ moments: 3, different: 0, answeredAskedAgain: 0 });
  expect(midway).toBeGreaterThan(0);
}, 120_000);
