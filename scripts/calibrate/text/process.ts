/** One of the processes that share the work: jobs come in, counts go out. */
import { type Job, Worker } from './jobs.ts';

const worker = new Worker();
process.on('message', async (job: Job) => {
  process.send?.(await worker.do(job));
});
