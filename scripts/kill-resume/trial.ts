import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, watch } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { TouchmarkError } from '../../src/errors.ts';
import { type AuditOptions, runAudit } from '../../src/operations/audit.ts';
import { parseReport } from '../../src/report/json.ts';
import type { AuditReport } from '../../src/report/model.ts';
import { type SeededRandom, seededRandom } from '../../src/stats/sampling.ts';
import {
  createScene,
  lookUpThief,
  type Scene,
  serve,
  type TestSuspect,
} from '../../test/operations/audit-scene.ts';
import { answeredIn, comparable, counted, differences, questionsById, sum } from './compare.ts';

/** What became of audits that were killed and gone on with. */
export interface KillResumeSummary {
  readonly moments: number;
  /** How many kills found an audit in each stage. */
  readonly stages: Readonly<Record<string, number>>;
  /** Audits that left no sealed plan and were started again in the same directory. */
  readonly startedAgain: number;
  /** Audits that had to wait until a lock was stale, as the kill came before its holder's name. */
  readonly lockedOut: number;
  /** Why audits could neither be resumed nor started again: nothing may. */
  readonly deadEnds: readonly string[];
  /** Reports that differ from the uninterrupted one in more than times, costs and the plan's name. */
  readonly different: number;
  /** Parts of reports that differ. */
  readonly differing: readonly string[];
  /** Recorded probes that a suspect was asked again: none may be. */
  readonly answeredAskedAgain: number;
  /** Probes asked again that were under way at a kill and not yet recorded. */
  readonly unrecordedAskedAgain: number;
}

/**
 * What is killed: a resumed audit of one sealed plan or a new audit, both at a random time, or a new
 * audit at a random change to its run directory, which is where sealing leaves off halfway.
 */
const modes = ['sealing', 'resumed', 'new'] as const;
type Mode = (typeof modes)[number];

const loader = createRequire(import.meta.url).resolve('tsx');
const settling = 30;
/** A lock whose holder left no name is believed to be stale after 30 s. */
const longestLock = 45_000;
const mostChanges = 24;
const settings = { audit: { freshProbes: 60, batchSize: 4 } };

/**
 * Kills audits with SIGKILL at random moments, goes on with each, and compares.
 *
 * @param onMoment hears how many moments are done
 */
export async function killAndResume(
  moments: number,
  onMoment: (done: number) => void = () => undefined,
): Promise<KillResumeSummary> {
  const scene = await createScene(150, settings);
  const suspect = await serve(lookUpThief(scene.served));
  suspect.milliseconds = 15;
  try {
    return await new Trial(scene, suspect).run(moments, onMoment);
  } finally {
    suspect.close();
    scene.close();
  }
}

class Trial {
  readonly #scene: Scene;
  readonly #suspect: TestSuspect;
  readonly #random: SeededRandom = seededRandom('kill-resume');
  readonly #stages: Record<string, number> = {};
  readonly #deadEnds: string[] = [];
  readonly #differing = new Set<string>();
  readonly #sums = {
    startedAgain: 0,
    lockedOut: 0,
    different: 0,
    answeredAskedAgain: 0,
    unrecordedAskedAgain: 0,
  };

  constructor(scene: Scene, suspect: TestSuspect) {
    this.#scene = scene;
    this.#suspect = suspect;
  }

  async run(moments: number, onMoment: (done: number) => void): Promise<KillResumeSummary> {
    const begun = performance.now();
    let asking = begun;
    const progress = (stage: string) => {
      if (stage !== 'asking the suspect') asking = performance.now();
    };
    const expected = comparable(await runAudit({ ...this.#options('whole'), progress }));
    const ended = performance.now();
    const longest = { new: ended - begun, sealing: ended - begun, resumed: 1.5 * (ended - asking) };
    this.#keepPlan();
    const textOf = await questionsById(this.#options('whole'));
    let spare = startChild();
    for (let moment = 0; moment < moments; moment += 1) {
      const child = await spare;
      spare = startChild();
      const mode = modes[moment % modes.length]!;
      await this.#kill(child, this.#begin(mode), mode, longest[mode]);
      await this.#goOn(expected, textOf);
      onMoment(moment + 1);
    }
    (await spare).kill('SIGKILL');
    return {
      ...{ moments, stages: this.#stages, deadEnds: this.#deadEnds },
      ...{ differing: [...this.#differing], ...this.#sums },
    };
  }

  #options(name: string): AuditOptions {
    return { ...this.#scene.options(this.#suspect.kserve, name), suspectName: 'thief' };
  }

  /** Drops all but the sealed plan and its material from the whole audit. */
  #keepPlan(): void {
    for (const name of ['plan.json', 'material.json']) {
      cpSync(join(this.#scene.out('whole'), name), join(this.#scene.out('sealed'), name));
    }
  }

  /** Every moment finds the project as it was before the first audit. */
  #begin(mode: Mode): AuditOptions {
    const out = this.#scene.out('moment');
    rmSync(out, { recursive: true, force: true });
    rmSync(join(this.#scene.directory, '.touchmark/audits.jsonl'), { force: true });
    if (mode === 'resumed') cpSync(this.#scene.out('sealed'), out, { recursive: true });
    else mkdirSync(out, { recursive: true });
    return { ...this.#options('moment'), resume: mode === 'resumed' };
  }

  async #kill(child: ChildProcess, options: AuditOptions, mode: Mode, longest: number) {
    let stage = 'opening';
    child.on('message', (said: string) => {
      stage = said;
    });
    this.#suspect.asked.length = 0;
    const { signal: _, ...sent } = options;
    const change = mode === 'sealing' ? 1 + this.#random.integer(mostChanges) : 0;
    const due =
      mode === 'sealing'
        ? changes(options.out, change)
        : setTimeout(this.#random.uniform() * longest);
    child.send(sent);
    await Promise.race([due, once(child, 'exit')]);
    if (child.exitCode === null && child.kill('SIGKILL')) await once(child, 'exit');
    else stage = 'done';
    await setTimeout(settling);
    const sealed = existsSync(join(options.out, 'plan.json'));
    const answered = answeredIn(options.out).length > 0;
    const asking = answered ? 'asking' : sealed ? 'sealed, nothing answered' : stage;
    this.#count(stage === 'done' ? stage : asking);
  }

  #count(stage: string): void {
    this.#stages[stage] = (this.#stages[stage] ?? 0) + 1;
  }

  /** Runs an audit whose lock a kill may have left behind without a name: that stands for a while. */
  async #run(options: AuditOptions): Promise<AuditReport | undefined> {
    const begun = performance.now();
    let waited = false;
    for (;;) {
      try {
        return await runAudit(options);
      } catch (error) {
        const locked = TouchmarkError.isInstance(error) && error.code === 'STORE_LOCKED';
        if (!locked || performance.now() - begun > longestLock) {
          this.#deadEnds.push(String(error));
          return undefined;
        }
        if (!waited) this.#sums.lockedOut += 1;
        waited = true;
        await setTimeout(1000);
      }
    }
  }

  async #goOn(
    expected: ReturnType<typeof comparable>,
    textOf: ReadonlyMap<string, string>,
  ): Promise<void> {
    const options = this.#options('moment');
    const tally = (ids: readonly string[]) =>
      counted(ids.map((id) => textOf.get(id.replace(/^repeat\//, ''))!));
    const before = tally(answeredIn(options.out));
    const first = counted(this.#suspect.asked);
    this.#suspect.asked.length = 0;
    const resume = existsSync(join(options.out, 'plan.json'));
    if (!resume) this.#sums.startedAgain += 1;
    const report = await this.#run({ ...options, resume });
    if (report === undefined) return;
    const second = counted(this.#suspect.asked);
    const total = tally(answeredIn(options.out));
    for (const [text, times] of total) {
      const recorded = before.get(text) ?? 0;
      const left = times - recorded;
      this.#sums.answeredAskedAgain += Math.max(0, (second.get(text) ?? 0) - left);
      this.#sums.unrecordedAskedAgain += Math.max(0, (first.get(text) ?? 0) - recorded);
    }
    const written = parseReport(readFileSync(join(options.out, 'report.json'), 'utf8'));
    const differing = [report, written].flatMap((each) => differences(comparable(each), expected));
    if (differing.length > 0 || sum(total) === 0) this.#sums.different += 1;
    for (const name of differing) this.#differing.add(name);
  }
}

/** Resolves at the n-th change in a directory. */
function changes(directory: string, count: number): Promise<void> {
  return new Promise((resolve) => {
    let seen = 0;
    const watcher = watch(directory, () => {
      seen += 1;
      if (seen < count) return;
      watcher.close();
      resolve();
    });
    watcher.unref();
  });
}

async function startChild(): Promise<ChildProcess> {
  const child = fork(join(import.meta.dirname, 'child.ts'), [], {
    execArgv: ['--import', loader],
  });
  await once(child, 'message');
  return child;
}
