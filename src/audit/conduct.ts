import type {
  Capability,
  Classifier,
  Evidence,
  Observation,
  Probe,
  Progress,
} from '../contracts.ts';
import { topTwo } from '../watermark/probability/distribution.ts';
import { type AnswerChecks, checkAnswers, RepeatRun, repeatedProbes } from './answer-checks.ts';
import { type AskOptions, askTests, type RunLog } from './ask.ts';
import { coverProbes, expectedProbes, probesAhead, repeatable } from './audit-probes.ts';
import type { Disguise } from './disguise.ts';
import type { AuditMaterial } from './material.ts';
import { evidenceOf, type StopRule } from './replay.ts';
import type { AskedProbes } from './requests.ts';
import { type FingerprintFindings, FingerprintQuirksRun } from './tests/fingerprint-quirks.ts';
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
  /** The probes that each test asked, by its name, in folding order. */
  readonly probes: ReadonlyMap<string, readonly string[]>;
  /** Rows: protected model's label; columns: the suspect's, the last one for labels outside the set. */
  readonly confusion: readonly (readonly number[])[];
  readonly outcomes: AskedProbes['outcomes'];
  /** What asking some questions twice says of how the suspect answers. */
  readonly checks: AnswerChecks;
  /** Absent where the protected model has no fingerprint. */
  readonly fingerprint?: FingerprintFindings;
}

export interface ConductOptions {
  readonly material: AuditMaterial;
  readonly suspect: Classifier;
  readonly gives: readonly Capability[];
  readonly runLog: RunLog;
  readonly batchSize: number;
  readonly disguise: DisguiseOptions;
  /** How fast the suspect can be asked; a fixed number of requests at once without it. */
  readonly pace?: NonNullable<AskOptions['pace']>;
  /** How long an answer took, where that was measured. */
  readonly millisecondsOf?: (probe: Pick<Probe, 'id'>) => number | undefined;
  readonly stopWhen?: StopRule;
  readonly signal: AbortSignal;
  readonly progress?: Progress;
}

/** How an audit is made to look like traffic; see `Disguise`. */
export interface DisguiseOptions extends Pick<Disguise, 'seed' | 'pauseMilliseconds'> {
  /** Cover questions beside each trap, where no other test asks ordinary ones. */
  readonly coverPerTrap: number;
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
  const { seed, pauseMilliseconds } = options.disguise;
  const cover = coverProbes(options);
  const applicable = runs.filter(({ applies }) => applies);
  const trajectories = new Map<string, [number, number][]>();
  const probes = new Map<string, string[]>(applicable.map(({ test }) => [test.name, []]));
  const { firsts, seconds } = repeatedProbes(repeatable(material, cover), seed);
  const asking = {
    ...options,
    ask: (batch: readonly Probe[], asked: { readonly signal: AbortSignal }) =>
      options.suspect.classify(
        batch.map(({ input }) => input),
        asked,
      ),
    alone: new Set([...firsts, ...seconds].map(({ id }) => id)),
  };
  const asked = await askTests({
    ...asking,
    runs: applicable.map(({ run }) => run),
    concurrency,
    ahead: probesAhead(material, options.gives),
    expected: expectedProbes(material, options.gives) + cover.length,
    disguise: { seed, pauseMilliseconds, cover },
    onFold: (evidence, folded) => {
      const points = trajectories.get(evidence.test) ?? [[0, 0]];
      points.push([evidence.probes, shownBans(evidence)]);
      trajectories.set(evidence.test, points);
      for (const { id } of folded) probes.get(evidence.test)!.push(id);
    },
  });
  const first = observationsOf(firsts, asked);
  const { stopWhen: _, disguise: __, ...again } = asking;
  const repeated = await askTests({
    ...again,
    runs: [new RepeatRun(firsts, seconds, first)],
    concurrency,
    expected: first.size,
  });
  const fingerprint = runs
    .map(({ run }) => run)
    .find((run) => run instanceof FingerprintQuirksRun)
    ?.findings();
  return {
    evidence: runs.map(({ run, applies }) => evidenceOf(run.evidence(), applies)),
    trajectories: [...trajectories].map(([test, points]) => ({ test, points })),
    probes,
    confusion: confusionOf(material, asked),
    outcomes: asked.outcomes,
    checks: checkAnswers(
      firsts,
      new Map([...first, ...observationsOf(seconds, repeated)]),
      options.millisecondsOf ?? (() => undefined),
    ),
    ...(fingerprint && { fingerprint }),
  };
}

function shownBans(evidence: Evidence): number {
  return evidence.null === 'descriptive' ? (evidence.effect['bans'] ?? 0) : evidence.log10E;
}

function confusionOf(material: AuditMaterial, asked: AskedProbes): number[][] {
  const { labels } = material.profile;
  const counts = labels.map(() => new Array<number>(labels.length + 1).fill(0));
  for (const { probe, baselines } of [...material.fresh, ...material.logged]) {
    const outcome = asked.outcomeOf(probe);
    const clean = baselines.at(-1);
    if (outcome === undefined || clean === undefined || !('answer' in outcome)) continue;
    const column = labels.indexOf(outcome.answer.label);
    counts[topTwo(clean)[0]]![column < 0 ? labels.length : column]! += 1;
  }
  return counts;
}

/** What was observed of those probes that were asked, by id. */
function observationsOf(
  probes: readonly Probe[],
  asked: AskedProbes,
): ReadonlyMap<string, Observation> {
  return new Map(
    probes.flatMap((probe) => {
      const outcome = asked.outcomeOf(probe);
      return outcome === undefined ? [] : [[probe.id, { probe, ...outcome }] as const];
    }),
  );
}
