import { connect } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { rotateKey } from '../../src/operations/keys.ts';
import { canary, Load, shownStatuses } from './client.ts';
import { missing, problemsOf, readLogged } from './records.ts';
import { openStage } from './stage.ts';
import { type TrialRow, unless } from './trial.ts';

/**
 * Ends a gateway with SIGTERM while a slow model has requests under way, and a client has just gone that
 * had sent many at once: what reached the model must be answered, and the process must end with 0.
 */
export async function terminateUnderLoad(isBuilt: boolean, tenants = 20): Promise<TrialRow> {
  const stage = await openStage({ isBuilt, tenants });
  const { configPath, logDirectory, apiKeys } = stage.project;
  try {
    const gateway = await stage.start();
    await stage.model.tell({ milliseconds: 150 });
    await leaveWithRequestsUnderWay(gateway.address, apiKeys.values().next().value!);
    await stage.model.asked();
    const load = new Load(gateway.address, { apiKeys, connections: 40, batch: 1 });
    await load.until(200, 60);
    const begun = performance.now();
    const code = await gateway.end('SIGTERM');
    const seconds = (performance.now() - begun) / 1000;
    await load.stop();
    const answered = new Set(load.answers.map(({ question }) => question));
    const asked = (await stage.model.asked()).filter((text) => text.startsWith(canary));
    const dropped = asked.filter((text) => !answered.has(text)).length;
    const lost = missing(load.answers, await readLogged(logDirectory, apiKeys.keys())).length;
    return {
      trial: 'SIGTERM under load',
      seen: `exit ${code} after ${seconds.toFixed(1)} s; ${shownStatuses(load)}; ${asked.length} reached the model, ${dropped} of them unanswered, ${lost} missing`,
      broken: [
        ...unless(code === 0, `exit ${code}`),
        ...unless(seconds < 10, `took ${seconds.toFixed(0)} s`),
        ...unless(dropped === 0, `${dropped} accepted requests without an answer`),
        ...unless([...load.statuses.keys()].join() === '200', 'another status than 200'),
        ...unless(lost === 0, `${lost} answers are not in the log`),
        ...(await problemsOf(configPath)),
      ],
    };
  } finally {
    await stage.close();
  }
}

/** Sends several requests at once and goes away: only the first response hears of it. */
async function leaveWithRequestsUnderWay(address: string, apiKey: string): Promise<void> {
  const body = JSON.stringify({
    inputs: [{ name: 'text', datatype: 'BYTES', shape: [1], data: ['gone'] }],
  });
  const socket = connect(Number(new URL(address).port), '127.0.0.1');
  socket.on('error', () => undefined);
  socket.write(
    `POST /v2/models/letters/infer HTTP/1.1\r\nhost: h\r\nauthorization: Bearer ${apiKey}\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`.repeat(
      8,
    ),
  );
  await pause(80);
  socket.destroy();
}

/** Has keys rotated and the configuration read again, by SIGHUP, under load: no request may fail. */
export async function reloadUnderLoad(reloads: number, isBuilt: boolean): Promise<TrialRow> {
  const stage = await openStage({ isBuilt, tenants: 20 });
  const { configPath, logDirectory, apiKeys } = stage.project;
  try {
    const gateway = await stage.start();
    const load = new Load(gateway.address, { apiKeys, connections: 16, batch: 1 });
    await load.until(200, 20);
    const tenants = [...apiKeys.keys()];
    for (let reload = 0; reload < reloads; reload += 1) {
      await rotateKey({ configPath, environment: {}, tenant: tenants[reload % tenants.length]! });
      gateway.child.kill('SIGHUP');
      await load.until(200, 40);
    }
    await pause(500);
    await load.until(200, 40);
    const metrics = await (await fetch(`${gateway.admin}/metrics`)).text();
    const done = Number(/touchmark_reloads_total\{result="done"\} (\d+)/.exec(metrics)?.[1] ?? 0);
    await load.stop();
    const code = await gateway.end('SIGTERM');
    const logged = await readLogged(logDirectory, apiKeys.keys());
    const lost = missing(load.answers, logged).length;
    return {
      trial: `SIGHUP and key rotation under load, ${reloads} times`,
      seen: `${done} readings; ${shownStatuses(load)}; ${lost} missing; exit ${code}`,
      broken: [
        ...unless(code === 0, `exit ${code}`),
        ...unless(done >= Math.min(2, reloads), `only ${done} readings`),
        ...unless([...load.statuses.keys()].join() === '200', 'another status than 200'),
        ...unless(load.unanswered.length === 0, `${load.unanswered.length} requests cut off`),
        ...unless(lost === 0, `${lost} answers are not in the log`),
        ...unless(!/canarybird|tmk_|tenant-\d/.test(metrics), 'metrics tell who asks what'),
        ...unless(!/canarybird|tmk_/.test(gateway.stderr()), 'standard error tells who asks what'),
        ...(await problemsOf(configPath)),
      ],
    };
  } finally {
    await stage.close();
  }
}
