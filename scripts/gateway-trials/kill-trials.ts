import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { type SeededRandom, seededRandom } from '../../src/stats/sampling.ts';
import { type ClientAnswer, Load } from './client.ts';
import { spawnGateway } from './processes.ts';
import { isMarked, missing, problemsOf, readLogged } from './records.ts';
import { openStage, type Stage } from './stage.ts';
import { type TrialRow, unless } from './trial.ts';

/** Milliseconds after the first answer within which a kill falls. */
const latest = 700;

/** What kills did. */
export interface KillSummary extends TrialRow {
  /** Answers that clients got, from all gateways that were killed. */
  readonly answers: number;
  /** Of these, not in the log: none may be. */
  readonly missing: number;
}

/**
 * Kills gateways with SIGKILL at random moments under load, every fifth time also one that is only
 * starting, and compares what clients got with what the log has.
 *
 * @param onKill hears how many are done
 */
export async function killGateways(
  kills: number,
  isBuilt: boolean,
  onKill: (done: number) => void = () => undefined,
  tenants = 20,
): Promise<KillSummary> {
  const stage = await openStage({ isBuilt, tenants, log: 'checkpointEvery: 100' });
  const random = seededRandom('gateway-trials/kills');
  const { configPath, logDirectory, apiKeys } = stage.project;
  const answers: ClientAnswer[] = [];
  const broken: string[] = [];
  try {
    for (let kill = 1; kill <= kills; kill += 1) {
      const got = await killOnce(stage, random);
      answers.push(...got);
      broken.push(...(await problemsOf(configPath)));
      const lost = missing(got, await readLogged(logDirectory, apiKeys.keys()));
      if (lost.length > 0) broken.push(`${lost.length} missing after kill ${kill}`);
      if (kill % 5 === 0) await killWhileStarting(configPath, isBuilt, random);
      onKill(kill);
    }
    const last = await stage.start();
    const code = await last.end('SIGTERM');
    const logged = await readLogged(logDirectory, apiKeys.keys());
    const lost = missing(answers, logged).length;
    broken.push(...(await problemsOf(configPath)));
    broken.push(...unless(code === 0, `exit ${code} at the end`));
    broken.push(...unless(lost === 0, `${lost} answers are not in the log`));
    const marked = answers.filter(isMarked).length;
    broken.push(...unless(marked > 0.5 * answers.length, `only ${marked} answers are marked`));
    return {
      trial: `kill -9, ${kills} times under load of ${apiKeys.size} tenants`,
      seen: `${answers.length} answers (${marked} marked), ${logged.size} records, ${lost} missing`,
      broken,
      answers: answers.length,
      missing: lost,
    };
  } finally {
    await stage.close();
  }
}

async function killOnce(stage: Stage, random: SeededRandom): Promise<readonly ClientAnswer[]> {
  const gateway = await stage.start();
  const load = new Load(gateway.address, {
    apiKeys: stage.project.apiKeys,
    connections: 24,
    batch: 2,
  });
  await load.until(200, 1);
  await pause(random.uniform() * latest);
  await gateway.end('SIGKILL');
  await load.stop();
  return load.answers;
}

/** The next start has to mend what this one left. */
async function killWhileStarting(
  configPath: string,
  isBuilt: boolean,
  random: SeededRandom,
): Promise<void> {
  const { child } = spawnGateway({ configPath, isBuilt });
  await Promise.race([pause(300 + random.uniform() * 1500), once(child.stdout!, 'data')]);
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
}
