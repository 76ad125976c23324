import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { runAudit } from '../../src/operations/audit.ts';
import { openAudit } from '../../src/operations/audit-preparation.ts';
import { parseReport } from '../../src/report/json.ts';
import type { AuditReport } from '../../src/report/model.ts';
import { seededRandom } from '../../src/stats/sampling.ts';
import { createScene, lookUpThief, type Scene, serve } from '../../test/operations/audit-scene.ts';

/** What became of audits that were killed and resumed. */
export interface KillResumeSummary {
  readonly moments: number;
  /** Kills that came while some answers were recorded and others were missing. */
  readonly midway: number;
  /** Reports that differ from the uninterrupted one in more than times and costs. */
  readonly different: number;
  /** Recorded probes that a suspect was asked again: none may be. */
  readonly answeredAskedAgain: number;
  /** Probes asked again that were under way at a kill and not yet recorded. */
  readonly unrecordedAskedAgain: number;
}

const loader = createRequire(import.meta.url).resolve('tsx');
const settling = 30;

/**
 * Kills audits of one sealed plan with SIGKILL at random moments, resumes each, and compares.
 *
 * @param onMoment hears how many moments are done
 */
export async function killAndResume(
  moments: number,
  onMoment: (done: number) => void = () => undefined,
): Promise<KillResumeSummary> {
  const scene = await createScene(300);
  const suspect = await serve(lookUpThief(scene.served));
  suspect.milliseconds = 15;
  const random = seededRandom('kill-resume');
  try {
    const optionsOf = (name: string) => scene.options(suspect.kserve, name);
    await sealPlan(scene, optionsOf('sealed'));
    const resumeIn = (name: string) => {
      cpSync(scene.out('sealed'), scene.out(name), { recursive: true });
      return { ...optionsOf(name), resume: true, suspectName: 'thief' };
    };
    const textOf = await questionsById(optionsOf('sealed'));
    const begun = performance.now();
    const expected = await runAudit(resumeIn('whole'));
    const longest = performance.now() - begun;
    const total = tally(answeredIn(scene.out('whole')), textOf);
    const summary = { midway: 0, different: 0, answeredAskedAgain: 0, unrecordedAskedAgain: 0 };
    let spare = startChild();
    for (let moment = 0; moment < moments; moment += 1) {
      const name = `moment-${moment}`;
      const { signal: _, ...options } = resumeIn(name);
      const child = await spare;
      spare = startChild();
      suspect.asked.length = 0;
      child.send(options);
      await Promise.race([setTimeout(random.uniform() * longest), once(child, 'exit')]);
      if (child.exitCode === null && child.kill('SIGKILL')) await once(child, 'exit');
      await setTimeout(settling);
      const before = tally(answeredIn(scene.out(name)), textOf);
      if (before.size > 0 && sum(before) < sum(total)) summary.midway += 1;
      const first = counted(suspect.asked);
      suspect.asked.length = 0;
      const resumed = await runAudit({ ...options, signal: new AbortController().signal });
      const second = counted(suspect.asked);
      for (const [text, times] of total) {
        const recordedTimes = before.get(text) ?? 0;
        const left = times - recordedTimes;
        summary.answeredAskedAgain += Math.max(0, (second.get(text) ?? 0) - left);
        summary.unrecordedAskedAgain += Math.max(0, (first.get(text) ?? 0) - recordedTimes);
      }
      const written = parseReport(readFileSync(join(scene.out(name), 'report.json'), 'utf8'));
      const same = [resumed, written].every((each) =>
        isDeepStrictEqual(comparable(each), comparable(expected)),
      );
      if (!same) summary.different += 1;
      rmSync(scene.out(name), { recursive: true });
      onMoment(moment + 1);
    }
    (await spare).kill('SIGKILL');
    return { moments, ...summary };
  } finally {
    suspect.close();
    scene.close();
  }
}

/** Begins an audit and drops what it asked: every moment starts from the same sealed plan. */
async function sealPlan(scene: Scene, options: ReturnType<Scene['options']>): Promise<void> {
  const stop = new AbortController();
  const progress = (stage: string) => {
    if (stage === 'asking the suspect') stop.abort();
  };
  await runAudit({ ...options, progress, signal: stop.signal }).catch(() => undefined);
  for (const name of ['answers.jsonl', 'attempts.jsonl', 'lock-holder.json']) {
    rmSync(join(scene.out('sealed'), name), { force: true });
  }
}

async function questionsById(options: ReturnType<Scene['options']>) {
  const { records } = await openAudit(options);
  const { fresh } = JSON.parse(readFileSync(join(options.out, 'material.json'), 'utf8')) as {
    fresh: readonly { readonly input: string }[];
  };
  return new Map([
    ...fresh.map(({ input }, index) => [`fresh/${index}`, input] as const),
    ...records.map(({ sequence, input }) => [`log/${sequence}`, String(input)] as const),
  ]);
}

async function startChild(): Promise<ChildProcess> {
  const child = fork(join(import.meta.dirname, 'child.ts'), [], {
    execArgv: ['--import', loader],
  });
  await once(child, 'message');
  return child;
}

/** Probes in complete lines of the run log. */
function answeredIn(out: string): string[] {
  const path = join(out, 'answers.jsonl');
  if (!existsSync(path)) return [];
  const lines = readFileSync(path, 'utf8').split('\n').slice(0, -1);
  return lines.map((line): string => JSON.parse(line).payload.id);
}

function tally(ids: readonly string[], textOf: ReadonlyMap<string, string>): Map<string, number> {
  return counted(ids.map((id) => textOf.get(id.replace(/^repeat\//, ''))!));
}

function counted(texts: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const text of texts) counts.set(text, (counts.get(text) ?? 0) + 1);
  return counts;
}

function sum(counts: ReadonlyMap<string, number>): number {
  return [...counts.values()].reduce((total, count) => total + count, 0);
}

/** A report without times, what sessions cost, and digests of files that hold these. */
function comparable(report: AuditReport): object {
  const { startedAt: _, finishedAt: __, dossier, budget, checks, ...rest } = report;
  const { seconds: ___, requests: ____, retries: _____, ...run } = rest.run;
  const { likelyCaching: ______, ...answers } = checks ?? {};
  const limits = { ...budget, spent: null };
  const custody = rest.custody?.map(({ what }) => what);
  return JSON.parse(
    JSON.stringify({ ...rest, run, custody, limits, answers, dossier: dossier?.keyIdentifier }),
  );
}
