import type { Config } from '../config/schema.ts';
import type { Quota } from '../config/tenants.ts';
import type { Progress } from '../contracts.ts';
import { TouchmarkError } from '../errors.ts';
import { createAdmin } from '../serve/admin.ts';
import type { Alarm } from '../serve/failure-policy.ts';
import { createGateway } from '../serve/gateway.ts';
import { Telemetry } from '../serve/telemetry.ts';
import { TenantQuotas } from '../serve/tenants/quotas.ts';
import { type GatewayKeys, openEpochKeys } from './keys-open.ts';
import { openProject, type Project, type ProjectOptions } from './project.ts';
import { openServing, type Serving } from './serving.ts';
import { openProjectLog } from './serving-log.ts';
import type { ServingGround } from './serving-parts.ts';
import { startTracing } from './tracing.ts';

export interface ServeOptions extends ProjectOptions {
  /** Stops the start; a service that runs is stopped with `stop`. */
  readonly signal: AbortSignal;
  readonly progress: Progress;
  /** Hears what the operator should know but nothing is wrong with. */
  readonly onNotice: (text: string) => void;
  /** Hears of requests that failed on this side of the wire. */
  readonly onFailure: (error: unknown) => void;
}

/** A gateway that answers. */
export interface Service {
  /** `http://host:port` */
  readonly address: string;
  /** Where metrics are, if anywhere. */
  readonly admin: string | undefined;
  readonly model: string;
  /** Absent for a language model. */
  readonly labels: number | undefined;
  readonly tenants: number;
  /** The files that a new reading depends on. */
  files(): readonly string[];
  /**
   * Reads configuration and keys again and serves by them; no request is dropped. What the log, the
   * listening addresses and tracing are, a new start decides.
   *
   * @throws TouchmarkError what makes them unusable; the gateway then goes on as before
   */
  reload(): Promise<{ readonly tenants: number }>;
  /** Lets requests under way finish, then closes the log and the upstream. */
  stop(): Promise<void>;
}

/**
 * Starts the gateway of a project; seals the watermark profile first where there is none.
 *
 * @throws TouchmarkError CONFIG_INVALID, STORE_LOCKED when another gateway has the log, errors of
 *   the keys and of the upstream, USAGE when a port is taken; nothing stays open then
 */
export async function startService(options: ServeOptions): Promise<Service> {
  const project = await openProject(options);
  const { config } = project;
  const { keys, signingKey } = await openEpochKeys(project);
  const closers: (() => Promise<void>)[] = [];
  const stop = async () => {
    while (closers.length > 0) await closers.pop()?.();
  };
  try {
    let currentKeys = keys;
    const log = await openProjectLog(config, () => currentKeys, signingKey);
    closers.push(() => log.close());
    const tracing =
      config.serve.traces === undefined ? undefined : await startTracing(config.serve.traces);
    if (tracing) closers.push(() => tracing.close());
    const telemetry = new Telemetry(tracing?.tracer);
    telemetry.gauge('touchmark_log_entries', 'Entries of the serving log.', () => log.count);
    let quotaOf = quotasOf(config);
    const ground: ServingGround = {
      ...options,
      keys,
      log,
      telemetry,
      quotas: new TenantQuotas((tenant) => quotaOf(tenant), {
        monotonic: () => performance.now(),
        wall: Date.now,
      }),
      onFailure(error) {
        telemetry.failure(error);
        options.onFailure(error);
      },
      onAlarm(alarm, answers, cause) {
        telemetry.alarm(alarm, answers);
        options.onNotice(`ALARM: ${alarms[alarm](answers)}`);
        options.onFailure(cause);
      },
    };
    let current: Serving = await openServing(project, ground);
    let files = filesOf(project, keys);
    closers.push(() => current.upstream.close());
    options.signal.throwIfAborted();
    const gateway = createGateway(current.gateway);
    closers.push(() => gateway.close());
    const admin = await startAdmin(config.serve, () => current, telemetry, closers);
    const address = await gateway.listen(config.serve);
    const reload = async () => {
      try {
        const again = await openProject(options);
        const { keys: newKeys } = await openEpochKeys(again);
        const next = await openServing(again, { ...ground, keys: newKeys }, current.upstream);
        const earlier = current;
        current = next;
        files = filesOf(again, newKeys);
        quotaOf = quotasOf(again.config);
        currentKeys = newKeys;
        const replaced = gateway.replace(next.gateway);
        if (earlier.upstream !== next.upstream) {
          void replaced.then(() => earlier.upstream.close()).catch(options.onFailure);
        }
        telemetry.reload('done');
        return { tenants: next.tenants };
      } catch (cause) {
        telemetry.reload('failed');
        throw cause;
      }
    };
    const { name, labels } = current.service;
    const tenants = current.tenants;
    return { address, admin, model: name, labels, tenants, files: () => files, reload, stop };
  } catch (cause) {
    await stop();
    throw cause;
  }
}

const alarms: Readonly<Record<Alarm, (answers: number) => string>> = {
  unmarked: (answers) => `${answers} answers were served without a mark`,
  unrecorded: (answers) => `${answers} answers were served without a mark and a record`,
};

/** Keeps the quotas of those tenants only that have one of their own. */
function quotasOf({ serve, tenants }: Config): (tenant: string) => Quota | undefined {
  const own = new Map<string, Quota>();
  for (const { id, quota } of tenants) if (quota !== undefined) own.set(id, quota);
  return (tenant) => own.get(tenant) ?? serve.quotas;
}

function filesOf({ path, config }: Project, { path: keyFile }: GatewayKeys): readonly string[] {
  const jwks = config.serve.jwt?.jwks;
  return [
    path,
    keyFile,
    ...(config.tenantsFile === undefined ? [] : [config.tenantsFile]),
    ...(jwks === undefined || /^https?:/i.test(jwks) ? [] : [jwks]),
  ];
}

async function startAdmin(
  { adminHost, adminPort }: { readonly adminHost: string; readonly adminPort?: number },
  current: () => Serving,
  telemetry: Telemetry,
  closers: (() => Promise<void>)[],
): Promise<string | undefined> {
  if (adminPort === undefined) return undefined;
  const admin = createAdmin({ ready: () => current().service.ready() }, telemetry);
  closers.push(() => admin.close());
  try {
    return await admin.listen({ host: adminHost, port: adminPort });
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
    throw new TouchmarkError('USAGE', `cannot listen on ${adminHost} port ${adminPort}: ${code}`, {
      hint: 'choose another serve.adminPort, or leave it out',
      cause,
    });
  }
}
