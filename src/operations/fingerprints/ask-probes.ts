import { performance } from 'node:perf_hooks';
import type { AnswerDetail } from '../../audit/answer-collection.ts';
import { askTests } from '../../audit/ask.ts';
import {
  ClassifierTaking,
  expectedQuestions,
  timedProbes,
} from '../../audit/fingerprinting/classifier-taking.ts';
import type { Classifier, Outcome, Probe, Progress } from '../../contracts.ts';
import { TouchmarkError } from '../../errors.ts';
import type { ClassifierAnswers } from '../../fingerprints/classifier-answers.ts';
import type { Fingerprint } from '../../fingerprints/fingerprint.ts';
import type { ClassifierProbeSet } from '../../fingerprints/probe-set.ts';

/** Keeps answers and how long they took, so that none is asked for again. */
export interface TimedRunLog {
  recall(probe: Probe): Outcome | undefined;
  millisecondsOf(probe: Probe): number | undefined;
  /** Resolves once the outcomes would survive a crash. */
  record(
    outcomes: readonly {
      readonly probe: Probe;
      readonly outcome: Outcome;
      readonly milliseconds?: number;
    }[],
  ): Promise<void>;
}

export interface ProbeAskOptions {
  readonly classifier: Classifier;
  readonly probes: ClassifierProbeSet;
  readonly detail: AnswerDetail;
  readonly runLog: TimedRunLog;
  /** Questions in one request. */
  readonly batchSize: number;
  /** Whether the timed questions are asked, too. */
  readonly times: boolean;
  readonly signal: AbortSignal;
  readonly progress?: Progress;
}

/** What a classifier answered to a probe set. */
export interface ProbeAnswers extends Pick<Fingerprint, 'outcomes'> {
  readonly answers: ClassifierAnswers;
}

const concurrency = 4;

/**
 * Puts a probe set to a classifier; what the run log knows is not asked again.
 *
 * @throws TouchmarkError INTERRUPTED when the signal fires, and what the classifier throws
 */
export async function askProbes(options: ProbeAskOptions): Promise<ProbeAnswers> {
  const { classifier, probes, detail, signal, times } = options;
  const taking = new ClassifierTaking(probes, detail);
  const timed = times ? timedProbes(probes) : [];
  const expected = expectedQuestions(probes) + timed.length;
  try {
    const observed = await askTests({
      ...options,
      ask: async (batch, asked) =>
        (await classifier.classify(inputsOf(batch), asked)).map((outcome) =>
          'answer' in outcome && detail === 'labels'
            ? { answer: { label: outcome.answer.label } }
            : outcome,
        ),
      runs: [taking],
      concurrency,
      expected,
    });
    const milliseconds = await askTimed(timed, observed.size, options);
    return {
      answers: { ...taking.answers(), ...(times && timed.length > 0 && { milliseconds }) },
      outcomes: taking.outcomes,
    };
  } catch (cause) {
    if (!signal.aborted) throw cause;
    if (TouchmarkError.isInstance(signal.reason)) throw signal.reason;
    throw new TouchmarkError('INTERRUPTED', 'The taking of the fingerprint was interrupted.', {
      hint: 'Run the same command again to go on: what was answered is kept.',
    });
  }
}

/** Asks one question at a time; NaN where no answer came. */
async function askTimed(
  probes: readonly Probe[],
  before: number,
  { classifier, runLog, signal, progress }: ProbeAskOptions,
): Promise<Float32Array> {
  const times = new Float32Array(probes.length).fill(Number.NaN);
  for (const [index, probe] of probes.entries()) {
    if (runLog.recall(probe) === undefined) {
      signal.throwIfAborted();
      const begun = performance.now();
      const [outcome] = await classifier.classify([probe.input], { signal });
      const milliseconds = performance.now() - begun;
      const answered = 'answer' in outcome!;
      await runLog.record([{ probe, outcome: outcome!, ...(answered && { milliseconds }) }]);
      const done = before + index + 1;
      progress?.('asking the suspect', done, before + probes.length);
    }
    times[index] = runLog.millisecondsOf(probe) ?? Number.NaN;
  }
  return times;
}

function inputsOf(probes: readonly Probe[]) {
  return probes.map(({ input }) => input);
}
