import type { Classifier, Input, Progress, ServedRecord } from '../contracts.ts';
import { askAllClean } from '../models/clean-answers.ts';
import { type Twin, trainTwins } from '../models/training/twin.ts';
import type { ClassifierProfile } from '../watermark/classifier-profile.ts';
import { firstOccurrences } from './material.ts';
import type { SharedMaterial } from './trapped-material.ts';

export interface PreparationOptions {
  readonly profile: ClassifierProfile;
  readonly protectedModel: Classifier;
  /** The tenant's records of the epoch, in served order. */
  readonly records: readonly ServedRecord[];
  /** Owner-chosen inputs that the twins learn from. */
  readonly twinInputs: readonly Input[];
  /** Inputs put to suspects and never served to anybody. */
  readonly freshInputs: readonly Input[];
  /** Logged questions used, a prefix in served order. */
  readonly loggedProbes: number;
  readonly signal: AbortSignal;
  readonly progress?: Progress;
}

/**
 * Computes everything that tests compare a suspect with, before the plan is sealed: the protected
 * model's clean answers, and those of twins trained on owner-chosen inputs and, for the replay
 * test, on the logged questions. An interruption is noticed after each epoch of training.
 */
export async function prepareMaterial(options: PreparationOptions): Promise<SharedMaterial> {
  const { profile, protectedModel, twinInputs, freshInputs, signal, progress } = options;
  const records = firstOccurrences(options.records).slice(0, options.loggedProbes);
  const questions = records.map((record) => record.input);
  const ask = (inputs: readonly Input[]) => askAllClean(protectedModel, inputs, signal, progress);
  const watched: Progress = (stage, done, total) => {
    signal.throwIfAborted();
    progress?.(stage, done, total);
  };
  const twins =
    twinInputs.length > 0
      ? await trainTwins(profile, twinInputs, await ask(twinInputs), watched)
      : [];
  const replayTwins =
    records.length > 0
      ? await trainTwins(
          profile,
          questions,
          records.map((record) => record.clean),
          watched,
        )
      : [];
  const freshClean = await ask(freshInputs);
  return {
    fresh: freshInputs.map((input, index) => ({
      input,
      baselines: [...answersOf(twins, input), freshClean[index]!],
    })),
    logged: records.map(({ sequence, input }) => ({
      sequence,
      baselines: answersOf(twins, input),
      replayBaselines: answersOf(replayTwins, input),
    })),
  };
}

function answersOf(twins: readonly Twin[], input: Input): Float64Array[] {
  return twins.map((twin) => twin.predict(input));
}
