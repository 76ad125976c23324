import { Presets, SingleBar } from 'cli-progress';
import type { Progress } from '../contracts.ts';

/** Reports progress until it is stopped. */
export interface ProgressReporter {
  readonly progress: Progress;
  /** Leaves the terminal as it should be. */
  stop(): void;
}

const quietMilliseconds = 10_000;

/** Returns a bar where stderr is a terminal, and milestone lines where it is a file or a pipe. */
export function createProgress(stream: NodeJS.WriteStream): ProgressReporter {
  return stream.isTTY ? progressBar(stream) : milestones((line) => stream.write(line), Date.now);
}

function progressBar(stream: NodeJS.WriteStream): ProgressReporter {
  const format = '{bar} {percentage} %  {stage}  {value}/{total}  {eta_formatted} left';
  let bar: SingleBar | undefined;
  let current: string | undefined;
  const stop = () => {
    bar?.stop();
    bar = undefined;
  };
  return {
    progress: (stage, done, total) => {
      if (stage !== current) {
        stop();
        current = stage;
        bar = new SingleBar(
          { format, stream, barsize: 24, hideCursor: true },
          Presets.shades_classic,
        );
        bar.start(total, done, { stage });
      }
      bar?.setTotal(total);
      bar?.update(done, { stage });
    },
    stop,
  };
}

/**
 * Writes a line when a stage begins, at each quarter of it, and after ten seconds without one.
 *
 * @param clock milliseconds
 */
export function milestones(write: (line: string) => void, clock: () => number): ProgressReporter {
  let current: string | undefined;
  let quarter = 0;
  let spoken = 0;
  return {
    progress: (stage, done, total) => {
      const now = clock();
      const reached = total > 0 ? Math.floor((4 * done) / total) : 0;
      const isNew = stage !== current;
      if (!isNew && reached <= quarter && now - spoken < quietMilliseconds) return;
      current = stage;
      quarter = reached;
      spoken = now;
      const share = total > 0 ? Math.floor((100 * done) / total) : 0;
      write(`${stage}: ${share} % (${done}/${total})\n`);
    },
    stop: () => undefined,
  };
}
