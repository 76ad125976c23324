/** A process of its own for one member of the zoo: a job comes in, progress and findings go out. */
import { folderCache } from '../zoo/school.ts';
import { type MeasureOptions, type MemberFindings, measureMember } from './measure-member.ts';

/** A member to measure, and the folder of trained models. */
export interface MemberJob
  extends Pick<MeasureOptions, 'plan' | 'referencesPerKind' | 'questions' | 'pairs'> {
  readonly cache: string;
}

/** What the process says to the one that started it. */
export type Message =
  | { readonly progress: readonly [stage: string, done: number, total: number] }
  | { readonly findings: MemberFindings };

const stop = new AbortController();
process.on('disconnect', () => stop.abort());
process.on('message', async ({ cache, ...job }: MemberJob) => {
  const send = (message: Message) => process.connected && process.send?.(message);
  const findings = await measureMember({
    ...job,
    cache: await folderCache(cache),
    signal: stop.signal,
    progress: (stage, done, total) => send({ progress: [stage, done, total] }),
  });
  send({ findings });
});
