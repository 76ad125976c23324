/** A process of its own for one member of the zoo: a job comes in, progress and findings go out. */
import { folderCache } from '../zoo/school.ts';
import type { MemberAudits } from './audit-power.ts';
import { rememberedAudits } from './audit-power-remember.ts';
import { type MeasureOptions, type MemberFindings, measureMember } from './measure-member.ts';
import { remembered, type Sources } from './remember.ts';

/** A member to measure, the folder of trained models and that of what was measured. */
export interface MemberJob
  extends Pick<MeasureOptions, 'plan' | 'referencesPerKind' | 'questions' | 'pairs'> {
  readonly cache: string;
  readonly results: string;
  /** Whether keyed audits of everybody are wanted too. */
  readonly audits: boolean;
}

/** What was measured on a member. */
export interface MemberResult {
  readonly findings: MemberFindings;
  readonly audits?: MemberAudits;
}

/** What the process says to the one that started it. */
export type Message =
  | { readonly progress: readonly [stage: string, done: number, total: number] }
  | { readonly result: MemberResult };

/** What findings depend on, besides their job; not how quirks are weighed. */
const sources: Sources = [
  ['src/fingerprints', /^(?!quirk-weights).*\.ts$/],
  ['src/audit/fingerprinting', /\.ts$/],
  ['src/audit', /^(path-between|reference-pool)\.ts$/],
  ['src/models/training', /\.ts$/],
  ['src/stats', /\.ts$/],
  ['scripts/zoo', /\.ts$/],
  ['scripts/fingerprint-power', /^measure-member\.ts$/],
];
/** Logged questions of an audit, and audits of each independent under keys of their own. */
const sizes = [100, 300, 1000, 3000];
const keys = 25;

const stop = new AbortController();
process.on('disconnect', () => stop.abort());
process.on('message', async ({ cache: folder, results, audits, ...job }: MemberJob) => {
  const send = (message: Message) => process.connected && process.send?.(message);
  const common = {
    cache: await folderCache(folder),
    signal: stop.signal,
    progress: (stage: string, done: number, total: number) =>
      void send({ progress: [stage, done, total] }),
  };
  const findings = await remembered(results, 'findings', job, sources, () =>
    measureMember({ ...job, ...common }),
  );
  const audited =
    audits && (await rememberedAudits(results, { plan: job.plan, sizes, keys, ...common }));
  send({ result: { findings, ...(audited && { audits: audited }) } });
});
