/** Resumes one audit in a process of its own, which its parent kills. */
import { runAudit } from '../../src/operations/audit.ts';

process.once('message', async (options: Omit<Parameters<typeof runAudit>[0], 'signal'>) => {
  await runAudit({ ...options, signal: new AbortController().signal });
  process.disconnect();
});
process.send!('ready');
