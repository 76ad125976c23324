import type {
  Capability,
  Classifier,
  Evidence,
  Observation,
  Progress,
  TestRun,
} from '../contracts.ts';
import { topTwo } from '../watermark/probability/distribution.ts';
import { askTests, type RunLog } from './ask.ts';
import type { AuditMaterial } from './material.ts';
import { provenanceTests } from './tests/registry.ts';

/** A test's e-value after each fold: pairs [probes, bans]. */
export interface Trajectory {
  readonly test: string;
  readonly points: readonly (readonly [probes: number, bans: number])[];
}

/** Everything an audit has seen and weighed. */
export interface AuditFindings {
  readonly evidence: readonly Evidence[];
  readonly trajectories: readonly Trajectory[];
  /** Rows: protected model's label; columns: the suspect's, the last one for labels outside the set. */
  readonly confusion: readonly (readonly number[])[];
  readonly outcomes: Readonly<Record<'answered' | 'refused' | 'failed' | 'unsupported', number>>;
}

export interface ConductOptions {
  readonly material: AuditMaterial;
  readonly suspect: Classifier;
  readonly gives: readonly Capability[];
  readonly runLog: RunLog;
  readonly batchSize: number;
  readonly signal: AbortSignal;
  readonly progress?: Progress;
}

const concurrency = 4;

/** Runs every test that the suspect's answers can carry, over the sealed material. */
export async function conductAudit(options: ConductOptions): Promise<AuditFindings> {
  const { material } = options;
  const runs = provenanceTests.map((test) => ({
    test,
    run: test.start(material),
    applies: test.needs.every((need) => options.gives.includes(need)),
  }));
  const trajectories = new Map<string, [number, number][]>();
  const observations = await askTests({
    ...options,
    ask: (probes, asked) =>
      options.suspect.classify(
        probes.map(({ input }) => input),
        asked,
      ),
    runs: runs.filter(({ applies }) => applies).map(({ run }) => run),
    concurrency,
    expected: expectedProbes(material, options.gives),
    onEvidence: (evidence) => {
      const points = trajectories.get(evidence.test) ?? [[0, 0]];
      points.push([evidence.probes, shownBans(evidence)]);
      trajectories.set(evidence.test, points);
    },
  });
  return {
    evidence: runs.map(({ run, applies }) => (applies ? run.evidence() : notApplicable(run))),
    trajectories: [...trajectories].map(([test, points]) => ({ test, points })),
    confusion: confusionOf(material, observations),
    outcomes: countOutcomes([...observations.values()]),
  };
}

function shownBans(evidence: Evidence): number {
  return evidence.null === 'descriptive' ? (evidence.effect['bans'] ?? 0) : evidence.log10E;
}

function notApplicable(run: TestRun): Evidence {
  const { log10P: _, ...evidence } = run.evidence();
  return { ...evidence, status: 'not-applicable', log10E: 0 };
}

function expectedProbes(material: AuditMaterial, gives: readonly Capability[]): number {
  const coins = material.logged.filter(({ record }) => record.marks.coin !== undefined).length;
  return gives.includes('probabilities') ? material.fresh.length + material.logged.length : coins;
}

function confusionOf(
  material: AuditMaterial,
  observations: ReadonlyMap<string, Observation>,
): number[][] {
  const { labels } = material.profile;
  const counts = labels.map(() => new Array<number>(labels.length + 1).fill(0));
  for (const { probe, baselines } of [...material.fresh, ...material.logged]) {
    const observation = observations.get(probe.id);
    const clean = baselines.at(-1);
    if (observation === undefined || clean === undefined || !('answer' in observation)) continue;
    const column = labels.indexOf(observation.answer.label);
    counts[topTwo(clean)[0]]![column < 0 ? labels.length : column]! += 1;
  }
  return counts;
}

function countOutcomes(observations: readonly Observation[]): AuditFindings['outcomes'] {
  const counts = { answered: 0, refused: 0, failed: 0, unsupported: 0 };
  for (const observation of observations) {
    counts['answer' in observation ? 'answered' : observation.missing] += 1;
  }
  return counts;
}
