import { digestOf } from '../audit/plan.ts';
import type { Input } from '../contracts.ts';
import { TouchmarkError } from '../errors.ts';
import { upstreamError } from '../models/clean-answers.ts';
import {
  ClassifierMarker,
  type MarkedAnswer,
  markerBytes,
} from '../watermark/classifier-marker.ts';
import type { ClassifierProfile } from '../watermark/classifier-profile.ts';
import { servingFloor, toDistribution, topTwo } from '../watermark/probability/distribution.ts';
import type { ServedAnswer } from './answering.ts';
import { failClosed, isRequestsFault } from './failure-policy.ts';
import { type MarkingGround, sealingBefore } from './marking-ground.ts';
import { RecentlyUsed } from './recently-used.ts';

/** Memory for markers kept ready; a tenant beyond these waits for its own to be derived again. */
const markersBytes = 64 * 2 ** 20;

export interface MarkingOptions extends MarkingGround {
  readonly profile: ClassifierProfile;
}

/** What a tenant asks a classifier. */
export interface AskedInputs {
  readonly tenant: string;
  /** Canonical, see `canonicalInput`. */
  readonly inputs: readonly Input[];
  /** False leaves the answers as they are; they are recorded all the same. */
  readonly marked?: boolean;
}

/** What the classifier says to it. */
export interface CleanAnswers {
  /** The model's own probabilities, one row for each input. */
  readonly clean: readonly ArrayLike<number>[];
  /** What the model says its version is; the marking's own without it. */
  readonly modelVersion?: string;
}

/** Marks a classifier's answers and records them. */
export interface Marking {
  readonly profile: ClassifierProfile;
  /**
   * Does what does not need the answers, while the model works on them.
   *
   * @throws TouchmarkError TENANT_UNKNOWN, and INPUT_INVALID for inputs that the profile does not fit;
   *   whatever else keeps them from being marked comes when they are served
   */
  prepare(asked: AskedInputs): PreparedMarking;
  /** Prepares and serves at once. */
  serve(answered: AskedInputs & CleanAnswers): Promise<readonly ServedAnswer[]>;
}

/** Answers that wait for their model. */
export interface PreparedMarking {
  /**
   * Resolves with what may be sent, once the log has it.
   *
   * @throws TouchmarkError UPSTREAM_ANSWER_INVALID for rows that are no distributions over the profile's
   *   labels; and, under a policy that fails closed, what kept the answers from being marked or recorded
   */
  serve(answers: CleanAnswers): Promise<readonly ServedAnswer[]>;
}

type Mark = (clean: Float64Array) => MarkedAnswer;

/**
 * Marks each answer under the tenant's current epoch, records question, clean and served answer, and
 * only then lets the answers go. Before the first record under an epoch and a profile, the log has the
 * epoch's commitment and the profile's digest.
 *
 * What fails is served by the policy: closed, it is not; open, the model's own answers are, recorded
 * as unmarked where the log still takes them. No answer is both marked and missing from the log.
 */
export function createMarking(options: MarkingOptions): Marking {
  const { profile, modelVersion, keys, log, clock, policy = failClosed, onAlarm } = options;
  const markers = new RecentlyUsed<ClassifierMarker>(
    Math.max(16, Math.floor(markersBytes / markerBytes(profile))),
  );
  const sealBefore = sealingBefore(log, digestOf(profile));

  /** Returns what marks each answer, or what keeps them from being marked. */
  const marksFor = ({ tenant, inputs, marked = true }: AskedInputs, epoch: string) => {
    if (!marked) return { marks: inputs.map(() => unmarked) };
    try {
      const marker = markers.get(
        `${tenant} ${epoch}`,
        () => new ClassifierMarker(keys.epochKey(tenant, epoch), profile),
      );
      return { marks: inputs.map((input) => marker.prepare(input)) };
    } catch (cause) {
      if (isRequestsFault(cause)) throw cause;
      return { cause };
    }
  };

  const prepare = (asked: AskedInputs): PreparedMarking => {
    const { tenant, inputs } = asked;
    const { epoch, commitment } = keys.currentEpoch(tenant);
    const { marks, cause: unmarkable } = marksFor(asked, epoch);
    const requireMarks = (): readonly Mark[] => {
      if (marks) return marks;
      if (policy.ifMarkingFails === 'fail-closed') throw unmarkable;
      onAlarm?.('unmarked', inputs.length, unmarkable);
      return inputs.map(() => unmarked);
    };
    return {
      async serve(answered) {
        const clean = distributions(inputs, answered, profile.labels.length);
        const answers = requireMarks().map((mark, index) => mark(clean[index]!));
        const servedAt = clock().toISOString();
        const records = answers.map(({ served, label, marks: applied }, index) => ({
          tenant,
          epoch,
          servedAt,
          modelVersion: answered.modelVersion ?? modelVersion,
          input: inputs[index]!,
          clean: Array.from(clean[index]!),
          served: Array.from(served),
          label,
          marks: applied,
        }));
        try {
          await sealBefore(commitment);
          await log.append(records);
        } catch (cause) {
          if (policy.ifLogFails === 'fail-closed') throw cause;
          onAlarm?.('unrecorded', inputs.length, cause);
          return clean.map((row) => answerOf(unmarked(row)));
        }
        return records.map(({ label, served }) => ({ label, probabilities: served }));
      },
    };
  };

  return {
    profile,
    prepare,
    serve: async (answered) => prepare(answered).serve(answered),
  };
}

function answerOf({ label, served }: MarkedAnswer): ServedAnswer {
  return { label, probabilities: Array.from(served) };
}

function unmarked(clean: Float64Array): MarkedAnswer {
  return { served: clean, label: topTwo(clean)[0], marks: { probability: false } };
}

function distributions(
  inputs: readonly Input[],
  { clean }: CleanAnswers,
  classes: number,
): Float64Array[] {
  const invalid = (message: string, hint: string) =>
    new TouchmarkError('UPSTREAM_ANSWER_INVALID', `the protected model ${message}`, { hint });
  if (clean.length !== inputs.length) {
    throw invalid(
      `gave ${clean.length} answers to ${inputs.length} inputs`,
      'it must answer every input, in order',
    );
  }
  return clean.map((row, index) => {
    if (row.length !== classes) {
      throw invalid(
        `gave ${row.length} probabilities for input ${index}; the watermark was sealed for ${classes}`,
        'serve the model that the profile was sealed for, with one probability per label',
      );
    }
    try {
      return toDistribution(row, servingFloor);
    } catch (cause) {
      throw upstreamError(cause);
    }
  });
}
