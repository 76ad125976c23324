import type { Progress } from '../src/contracts.ts';

/** Reports each stage of a script's work on stderr when it begins and every five seconds. */
export function stderrProgress(): Progress {
  const started = performance.now();
  let stage = '';
  let last = 0;
  return (name, done, total) => {
    const now = performance.now();
    if (name === stage && now - last < 5000) return;
    stage = name;
    last = now;
    process.stderr.write(
      `[${((now - started) / 1000).toFixed(0).padStart(3)} s] ${name} ${done}/${total}\n`,
    );
  };
}
