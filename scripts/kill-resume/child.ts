/** Runs one audit in a process of its own, which tells its parent each stage and is killed by it. */
import { runAudit } from '../../src/operations/audit.ts';

process.once('message', async (options: Omit<Parameters<typeof runAudit>[0], 'signal'>) => {
  let last = '';
  const progress = (stage: string) => {
    if (stage !== last) process.send!(stage);
    last = stage;
  };
  await runAudit({ ...options, progress, signal: new AbortController().signal });
  process.disconnect();
});
process.send!('ready');
