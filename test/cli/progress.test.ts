import { expect, it } from 'vitest';
import { milestones } from '../../src/cli/progress.ts';

function recorder() {
  const lines: string[] = [];
  let now = 0;
  const { progress } = milestones(
    (line) => lines.push(line),
    () => now,
  );
  return { lines, progress, wait: (milliseconds: number) => (now += milliseconds) };
}

it('writes a line at the beginning and at each quarter, and none between', () => {
  const { lines, progress } = recorder();
  for (let done = 0; done <= 100; done += 1) progress('asking', done, 100);
  expect(lines).toEqual([0, 25, 50, 75, 100].map((each) => `asking: ${each} % (${each}/100)\n`));
});

it('writes a line after ten seconds of silence', () => {
  const { lines, progress, wait } = recorder();
  progress('asking', 0, 1000);
  wait(9_999);
  progress('asking', 1, 1000);
  wait(1);
  progress('asking', 2, 1000);
  expect(lines).toEqual(['asking: 0 % (0/1000)\n', 'asking: 0 % (2/1000)\n']);
});

it('begins again with each stage, also one of unknown length', () => {
  const { lines, progress } = recorder();
  progress('training', 3, 4);
  progress('asking', 0, 0);
  progress('asking', 1, 4);
  expect(lines).toEqual(['training: 75 % (3/4)\n', 'asking: 0 % (0/0)\n', 'asking: 25 % (1/4)\n']);
});
