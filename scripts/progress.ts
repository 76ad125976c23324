import type { Progress } from '../src/contracts.ts';

const quietMilliseconds = 5000;

/** Reports each stage of a script's work on stderr when it begins, every five seconds, and at its end. */
export function stderrProgress(): Progress {
  const started = performance.now();
  const reported = new Map<string, number>();
  return (stage, done, total) => {
    const now = performance.now();
    const last = reported.get(stage);
    if (last !== undefined && now - last < quietMilliseconds && done !== total) return;
    reported.set(stage, now);
    const seconds = ((now - started) / 1000).toFixed(0).padStart(3);
    process.stderr.write(`[${seconds} s] ${stage} ${done}/${total}\n`);
  };
}
