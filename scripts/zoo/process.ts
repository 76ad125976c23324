/** A process that opens members of the zoo: a job comes in, progress and a summary go out. */
import type { MemberPlan } from './manifest.ts';
import { folderCache } from './school.ts';
import { type MemberSummary, summarise } from './summary.ts';

/** A member to open, and the folder of trained models. */
export interface MemberJob {
  readonly plan: MemberPlan;
  readonly cache: string;
}

/** What the process says to the one that started it. */
export type Message =
  | { readonly progress: readonly [stage: string, done: number, total: number] }
  | { readonly summary: MemberSummary };

const stop = new AbortController();
process.on('disconnect', () => stop.abort());
process.on('message', async ({ plan, cache }: MemberJob) => {
  const send = (message: Message) => process.connected && process.send?.(message);
  const summary = await summarise(plan, {
    cache: await folderCache(cache),
    signal: stop.signal,
    progress: (stage, done, total) => send({ progress: [stage, done, total] }),
  });
  send({ summary });
});
