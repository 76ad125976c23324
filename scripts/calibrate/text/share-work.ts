import { type ChildProcess, fork } from 'node:child_process';
import { addCounts, type Counts } from './counts.ts';
import type { Job } from './jobs.ts';

/**
 * Does jobs in several processes, a job at a time each, and returns the counts of all; they do not
 * depend on how many processes there are.
 */
export async function shareWork(
  jobs: readonly Job[],
  processes: number,
  done: (job: Job) => void,
): Promise<Counts> {
  const counts: Counts = {};
  const waiting = [...jobs].reverse();
  const workers = Array.from({ length: Math.min(processes, jobs.length) }, async () => {
    const child = fork(new URL('./process.ts', import.meta.url));
    try {
      for (let job = waiting.pop(); job; job = waiting.pop()) {
        addCounts(counts, await answerOf(child, job));
        done(job);
      }
    } finally {
      child.kill();
    }
  });
  await Promise.all(workers);
  return counts;
}

function answerOf(child: ChildProcess, job: Job): Promise<Counts> {
  return new Promise((resolve, reject) => {
    const failed = (): void => reject(new Error(`a process ended in: ${job.task} ${job.name}`));
    child.once('exit', failed);
    child.once('message', (counts) => {
      child.off('exit', failed);
      resolve(counts as Counts);
    });
    child.send(job);
  });
}
