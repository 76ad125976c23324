import { TouchmarkError } from '../../errors.ts';
import { excerpt } from './excerpt.ts';
import { type Protocol, type RemoteClassifier, type RemoteOptions, readAnswers } from './remote.ts';

/** A suspect on this machine. */
export interface LocalSuspect extends Protocol {
  /** Ends what it started; the default does nothing. */
  close?(): Promise<void>;
}

/**
 * Returns a classifier on this machine, read like one behind HTTP; its batches count as requests, and
 * wait for the gate as those do.
 *
 * @param shown What it is, as it may be shown.
 * @throws As `readAnswers`.
 */
export function openLocal(
  shown: string,
  options: RemoteOptions,
  suspect: LocalSuspect,
): RemoteClassifier {
  let requests = 0;
  const protocol: Protocol = {
    describe: (signal) => suspect.describe(signal),
    async ask(inputs, signal) {
      signal.throwIfAborted();
      await options.gate?.ready(signal);
      requests += 1;
      const begun = performance.now();
      const note = (succeeded: boolean) =>
        options.gate?.note({
          status: succeeded ? 200 : 'failed',
          succeeded,
          throttled: false,
          retryAfterMilliseconds: 0,
          milliseconds: performance.now() - begun,
          attempt: 1,
        });
      try {
        const answers = await suspect.ask(inputs, signal);
        note(true);
        return answers;
      } catch (error) {
        if (!signal.aborted) note(false);
        throw error;
      }
    },
  };
  return readAnswers(protocol, shown, options, {
    counts: () => ({ requests, retries: 0 }),
    close: async () => suspect.close?.(),
  });
}

/** Returns the error for a file of a suspect that is not what it should be. */
export function unusable(path: string, what: string, hint: string, cause?: unknown) {
  return new TouchmarkError('INPUT_INVALID', `the suspect's file ${excerpt(path, 200)} ${what}`, {
    hint,
    cause,
  });
}
