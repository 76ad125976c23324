import { TouchmarkError } from '../errors.ts';

/** What happens to answers that cannot be marked, or cannot be recorded. */
export type FailureMode = 'fail-open' | 'fail-closed';

/**
 * `fail-closed` gives no answer; `fail-open` gives the model's own, without a mark. Neither ever lets
 * a marked answer go that the log does not have.
 */
export interface FailurePolicy {
  readonly ifMarkingFails: FailureMode;
  readonly ifLogFails: FailureMode;
}

/** Answers nothing that it cannot mark and record. */
export const failClosed: FailurePolicy = {
  ifMarkingFails: 'fail-closed',
  ifLogFails: 'fail-closed',
};

/** What went wrong while answers were served all the same. */
export type Alarm = 'unmarked' | 'unrecorded';

/** Hears of answers that were served without a mark or without a record, and why. */
export type AlarmListener = (alarm: Alarm, answers: number, cause: unknown) => void;

/** Says whether a failure is of the request itself, which no policy turns into an answer. */
export function isRequestsFault(cause: unknown): boolean {
  return TouchmarkError.isInstance(cause) && cause.code === 'INPUT_INVALID';
}
