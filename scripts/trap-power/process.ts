/** A process of its own for one task: a job comes in, progress and one outcome go out. */
import { remembered } from './remember.ts';
import { runScene, type SceneJob, type SceneOutcome } from './run-scene.ts';

/** What the process says to the one that started it. */
export type Message =
  | { readonly progress: readonly [stage: string, done: number, total: number] }
  | { readonly outcome: SceneOutcome };

const stop = new AbortController();
process.on('disconnect', () => stop.abort());
process.on('message', async (job: SceneJob) => {
  const send = (message: Message) => process.connected && process.send?.(message);
  const outcome = await remembered(job.cache, job, () =>
    runScene(job, (stage, done, total) => send({ progress: [stage, done, total] }), stop.signal),
  );
  send({ outcome });
});
