import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Load, shownStatuses } from './client.ts';
import { missing, problemsOf, readLogged } from './records.ts';
import { openStage } from './stage.ts';
import { type TrialRow, unless } from './trial.ts';

const day = 86_400_000;

/** Sets the clock of a gateway a day forwards, then two days back, under load. */
export async function setClock(isBuilt: boolean): Promise<TrialRow> {
  const serve = 'quotas: { requestsPerSecond: 100000, answersPerDay: 100000 }';
  const stage = await openStage({ isBuilt, tenants: 20, serve });
  const { configPath, logDirectory, apiKeys, directory } = stage.project;
  const file = join(directory, 'clock');
  try {
    const gateway = await stage.start({
      preload: join(import.meta.dirname, 'clock-preload.js'),
      environment: { TRIAL_CLOCK_FILE: file },
    });
    const load = new Load(gateway.address, { apiKeys, connections: 16, batch: 1 });
    await load.until(200, 100);
    for (const offset of [day, -day, 0, 400 * day, 0]) {
      writeFileSync(file, String(offset));
      gateway.child.kill('SIGUSR2');
      await pause(200);
      await load.until(200, 100);
    }
    await load.stop();
    const code = await gateway.end('SIGTERM');
    const next = await stage.start();
    const later = new Load(next.address, { apiKeys, connections: 4, batch: 1 });
    await later.until(200, 20);
    await later.stop();
    await next.end('SIGTERM');
    const answers = [...load.answers, ...later.answers];
    const lost = missing(answers, await readLogged(logDirectory, apiKeys.keys())).length;
    const days = new Set(timesIn(logDirectory).map((time) => time.slice(0, 10)));
    return {
      trial: 'the clock a day forwards and back, and 400 days',
      seen: `${shownStatuses(load)}; ${days.size} dates in the chain, ${lost} missing, exit ${code}`,
      broken: [
        ...unless(code === 0, `exit ${code}`),
        ...unless([...load.statuses.keys()].join() === '200', 'another status than 200'),
        ...unless(load.unanswered.length === 0, `${load.unanswered.length} requests cut off`),
        ...unless([...later.statuses.keys()].join() === '200', 'refused after a new start'),
        ...unless(lost === 0, `${lost} answers are not in the log`),
        ...unless(days.size === 3, `${days.size} dates in the chain, not 3`),
        ...(await problemsOf(configPath)),
      ],
    };
  } finally {
    await stage.close();
  }
}

/** Times of the chain's entries; they never go back. */
function timesIn(logDirectory: string): string[] {
  const segments = join(logDirectory, 'segments');
  const names = readdirSync(segments)
    .filter((name) => name.endsWith('.jsonl'))
    .sort();
  return names.flatMap((name) =>
    [...readFileSync(join(segments, name), 'utf8').matchAll(/"at":"([^"]+)"/g)].map(
      ([, time]) => time!,
    ),
  );
}
