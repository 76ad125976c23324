import type {
  Evidence,
  Observation,
  Outcome,
  Probe,
  Progress,
  Task,
  TestRun,
} from '../contracts.ts';
import type { Disguise } from './disguise.ts';
import type { Pace } from './pace.ts';
import { type AskedProbes, Requests } from './requests.ts';

/** Where answers are kept before they are believed, so that no recorded one is asked for again. */
export interface RunLog<T extends Task = 'classify'> {
  /** What is already known of a probe. */
  recall(probe: Probe<T>): Outcome<T> | undefined;
  /** Resolves once the outcomes would survive a crash. */
  record(
    outcomes: readonly {
      readonly probe: Probe<T>;
      readonly outcome: Outcome<T>;
      readonly milliseconds?: number;
    }[],
  ): Promise<void>;
}

/** Puts some inputs to a suspect and returns one outcome for each, in order. */
export type Ask<T extends Task> = (
  probes: readonly Probe<T>[],
  options: { readonly signal: AbortSignal },
) => Promise<readonly Outcome<T>[]>;

export interface AskOptions<T extends Task = 'classify'> {
  readonly ask: Ask<T>;
  readonly runs: readonly TestRun<T>[];
  readonly runLog: RunLog<T>;
  readonly batchSize: number;
  /** Requests under way at once, where no pace decides. */
  readonly concurrency: number;
  /** How fast the suspect can be asked; the same that its adapter passes requests through. */
  readonly pace?: Pick<Pace, 'concurrency' | 'disturbances'>;
  /** Ids of probes to ask in a request of their own, whose time is recorded. */
  readonly alone?: ReadonlySet<string>;
  /**
   * Probes that the tests will want whatever is answered, about in their order. They are asked while
   * answers are folded, unless there is a rule by which the asking may stop before.
   */
  readonly ahead?: readonly Probe<T>[];
  /** Probes over all tests and their cover, for progress. */
  readonly expected: number;
  /** How the asking is made to look like traffic; in plain order and at full speed without it. */
  readonly disguise?: Disguise<T>;
  readonly signal: AbortSignal;
  readonly progress?: Progress;
  /** Called after each fold with the evidence of the test and the probes that it folded. */
  readonly onFold?: (evidence: Evidence, probes: readonly Probe<T>[]) => void;
  /** Decides, after each round of folds, from the evidence of all tests that no more is asked. */
  readonly stopWhen?: (evidence: readonly Evidence[]) => boolean;
}

/**
 * Puts the tests' probes to the suspect until no test has a next one, or until the rule for stopping
 * holds. What a test hands out is folded whole before the rule is looked at.
 *
 * A test's `next` depends on the sealed plan and on what was folded only, and observations are
 * folded in probe order whatever the concurrency: asking again after an interruption replays the
 * run log and goes on. One answer serves every test that names its probe.
 *
 * @throws INTERRUPTED when the signal fires; what the suspect's adapter throws. Answers that had
 *   arrived are in the run log; before RUN_INCOMPLETE those under way are waited for.
 */
export async function askTests<T extends Task = 'classify'>(
  options: AskOptions<T>,
): Promise<AskedProbes<T>> {
  const { runs, stopWhen, onFold } = options;
  const requests = new Requests(options);
  const observe = (probe: Probe<T>): Observation<T> => ({ probe, ...requests.outcomeOf(probe)! });
  for (;;) {
    const wanted = runs.map((run) => run.next());
    if (wanted.every((probes) => probes.length === 0)) break;
    const due = wanted.flat();
    requests.ask(due);
    if (stopWhen === undefined) requests.askAhead();
    do await requests.settle(due);
    while (requests.isTiming);
    wanted.forEach((probes, index) => {
      if (probes.length === 0) return;
      const run = runs[index]!;
      run.fold(probes.map(observe));
      onFold?.(run.evidence(), probes);
    });
    if (stopWhen?.(runs.map((run) => run.evidence()))) break;
  }
  await requests.finish();
  return requests;
}
