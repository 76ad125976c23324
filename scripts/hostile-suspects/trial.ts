import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { answerKinds, kserveKinds } from './answer-kinds.ts';
import { type Ended, openStage, runCommand, type Stage } from './stage.ts';
import type { Hostility } from './suspect.ts';
import { transportKinds } from './transport-kinds.ts';

/** What became of an audit of one hostile suspect. */
export interface HostileRow extends Ended {
  readonly kind: string;
  /** From its first answer on, or after honest ones. */
  readonly begins: 'at once' | 'midway';
}

export interface TrialOptions {
  /** Runs what `npm run build` has made, as users do, in the place of the source. */
  readonly isBuilt: boolean;
  /** What the names of kinds to try match. */
  readonly only: RegExp;
  /** How long a suspect may take to answer, and a tenth of how long it may answer 429 alone. */
  readonly timeoutSeconds: number;
}

interface Meeting extends Pick<HostileRow, 'kind' | 'begins'>, Pick<TrialOptions, 'isBuilt'> {
  readonly hostility: Hostility;
  readonly address: string;
}

const honestRequests = 6;
const name = 'hostile';

/**
 * Puts each kind of hostile suspect through whole audits in a process of their own, once hostile at
 * once and once midway, and resumes what was not finished against the suspect as an honest one.
 */
export async function* meetHostileSuspects(options: TrialOptions): AsyncGenerator<HostileRow> {
  const { isBuilt, only, timeoutSeconds } = options;
  const stage = await openStage(300, { timeoutSeconds, freshProbes: 160, batchSize: 16 });
  try {
    for (const [kinds, address] of [
      [{ ...transportKinds, ...answerKinds(stage.canary) }, stage.suspect.http],
      [kserveKinds, stage.suspect.kserve],
    ] as const) {
      for (const [kind, hostility] of Object.entries(kinds)) {
        if (!only.test(kind)) continue;
        for (const begins of ['at once', 'midway'] as const) {
          yield await meet(stage, { kind, begins, hostility, address, isBuilt });
        }
      }
    }
  } finally {
    stage.close();
  }
}

async function meet(stage: Stage, meeting: Meeting): Promise<HostileRow> {
  const { scene, suspect } = stage;
  const { kind, begins, hostility, address, isBuilt } = meeting;
  const out = scene.out(name);
  rmSync(out, { recursive: true, force: true });
  suspect.turn(hostility, begins === 'midway' ? honestRequests : 0);
  const met = await runCommand(stage, { address, name, isBuilt });
  const faults = [...met.faults];
  if (![0, 3, 4].includes(met.exit ?? -1)) faults.push(`ended with ${met.exit}`);
  if (met.exit === 0 && !existsSync(join(out, 'report.html'))) faults.push('no report');
  if (met.exit !== 0 && (begins === 'midway' || existsSync(join(out, 'plan.json')))) {
    suspect.turn(undefined, 0);
    const resumed = await runCommand(stage, { address, name, isBuilt }, '--resume');
    faults.push(...resumed.faults);
    if (resumed.exit !== 0) faults.push(`resumed, it ended with ${resumed.exit}: ${resumed.said}`);
  }
  return { ...met, kind, begins, faults };
}
