import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Load, shownStatuses } from './client.ts';
import { isMarked, missing, problemsOf, readLogged } from './records.ts';
import { openStage } from './stage.ts';
import { type TrialRow, unless } from './trial.ts';

/** What happens to the gateway while the disk is full. */
export type DiskEnding = 'goes on' | 'is killed';

/** Says why there can be no small disk here; undefined when there can. */
export function whyNoSmallDisk(): string | undefined {
  if (process.platform !== 'linux') return 'needs Linux';
  if (process.getuid?.() !== 0) return 'needs root, to mount a small disk';
  try {
    openSmallDisk().close();
    return undefined;
  } catch {
    return 'mounting is not allowed here';
  }
}

function openSmallDisk() {
  const directory = mkdtempSync(join(tmpdir(), 'gateway-trials-disk-'));
  const mount = (...args: readonly string[]) =>
    execFileSync('mount', [...args, directory], { stdio: 'pipe' });
  try {
    mount('-t', 'tmpfs', '-o', 'size=1536k', 'tmpfs');
  } catch (cause) {
    rmSync(directory, { recursive: true, force: true });
    throw cause;
  }
  return {
    directory,
    makeRoom: () => mount('-o', 'remount,size=64m'),
    close() {
      execFileSync('umount', ['-l', directory], { stdio: 'pipe' });
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/**
 * Fills the disk of the log under load. Closed, the gateway then gives no answers; open, the model's own;
 * neither way a marked one that the log has not. With room again it goes on by itself.
 */
export async function fillDisk(
  policy: 'fail-closed' | 'fail-open',
  ending: DiskEnding,
  isBuilt: boolean,
  tenants = 20,
): Promise<TrialRow> {
  const disk = openSmallDisk();
  const logDirectory = join(disk.directory, 'log');
  const stage = await openStage({
    isBuilt,
    tenants,
    serve: `ifLogFails: ${policy}`,
    log: `directory: "${logDirectory}"`,
  });
  const { configPath, apiKeys } = stage.project;
  const broken: string[] = [];
  try {
    let gateway = await stage.start();
    const options = { apiKeys, connections: 16, batch: 8, padding: 400 };
    const load = new Load(gateway.address, options);
    const isFull = () =>
      policy === 'fail-closed'
        ? (load.statuses.get(503) ?? 0) > 50
        : load.answers.filter((answer) => !isMarked(answer)).length > 400;
    const deadline = performance.now() + 40_000;
    while (!isFull() && performance.now() < deadline) await pause(20);
    broken.push(...unless(isFull(), 'the disk was never full'));
    const metrics = await (await fetch(`${gateway.admin}/metrics`)).text();
    const alarms = Number(/alarms_total\{alarm="unrecorded"\} (\d+)/.exec(metrics)?.[1] ?? 0);
    if (policy === 'fail-open') broken.push(...unless(alarms > 0, 'no alarm'));
    let after: Load = load;
    if (ending === 'is killed') {
      await gateway.end('SIGKILL');
      await load.stop();
      disk.makeRoom();
      gateway = await stage.start();
      after = new Load(gateway.address, options);
    } else disk.makeRoom();
    await pause(300);
    const [from, refusedBefore] = [after.answers.length, after.statuses.get(503) ?? 0];
    await after.until(200, 40);
    await after.stop();
    const again = after.answers.slice(from);
    broken.push(...unless(again.some(isMarked), 'unmarked with room again'));
    const refused = (after.statuses.get(503) ?? 0) - refusedBefore;
    broken.push(...unless(refused <= 16, `${refused} refused with room again`));
    const code = await gateway.end('SIGTERM');
    broken.push(...unless(code === 0, `exit ${code}`));
    const answers = after === load ? load.answers : [...load.answers, ...after.answers];
    const logged = await readLogged(logDirectory, apiKeys.keys());
    const lost = missing(answers, logged, policy).length;
    broken.push(...unless(lost === 0, `${lost} answers are not in the log`));
    broken.push(...(await problemsOf(configPath)));
    const unmarked = answers.filter((answer) => !isMarked(answer)).length;
    return {
      trial: `disk full, ${policy}, the gateway ${ending}`,
      seen: `${shownStatuses(load)}; ${answers.length} answers, ${unmarked} unmarked, ${alarms} alarms, ${lost} missing`,
      broken,
    };
  } finally {
    await stage.close();
    disk.close();
  }
}
