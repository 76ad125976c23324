import type { Config } from '../config/schema.ts';
import type { Progress } from '../contracts.ts';
import { TouchmarkError } from '../errors.ts';
import type { ServingLog } from '../ledger/serving-log.ts';
import type { AlarmListener } from '../serve/failure-policy.ts';
import type { Front, Readiness } from '../serve/front.ts';
import type { EpochKeys, ServedLog } from '../serve/marking-ground.ts';
import type { Quotas } from '../serve/quotas.ts';
import type { Telemetry } from '../serve/telemetry.ts';
import type { GatewayKeys } from './keys-open.ts';
import type { Project } from './project.ts';

/** What outlives every reading of the configuration, and the keys of the one at hand. */
export interface ServingGround {
  readonly keys: GatewayKeys;
  readonly log: ServedLog & Pick<ServingLog, 'hasSealed'>;
  readonly telemetry: Telemetry;
  readonly quotas: Quotas;
  readonly signal: AbortSignal;
  readonly progress: Progress;
  /** Hears what the operator should know but nothing is wrong with. */
  readonly onNotice: (text: string) => void;
  /** Hears of requests that failed on this side of the wire. */
  readonly onFailure: (error: unknown) => void;
  readonly onAlarm: AlarmListener;
}

/**
 * Checks that a watermark may be sealed: that no epoch in use has answers under another one.
 *
 * @throws TouchmarkError CONFIG_INVALID when one has
 */
export function requireUnusedEpochs(
  log: ServingGround['log'],
  keys: Pick<GatewayKeys, 'tenants' | 'currentEpoch'>,
): void {
  const used = keys.tenants().find((tenant) => {
    const { commitment } = keys.currentEpoch(tenant);
    return log.hasSealed('epoch', commitment.replace(/^sha256:/, ''));
  });
  if (used === undefined) return;
  throw new TouchmarkError(
    'CONFIG_INVALID',
    `There is no sealed watermark, and the current epoch of "${used}" has answers under one.`,
    {
      hint: 'Restore it (.touchmark/profile.json, or text-profile.json). For a new one begin new epochs first: touchmark keys rotate --all',
    },
  );
}

/** What a model's service is built from: the ground, and what this reading of the configuration gives. */
export interface ServiceParts extends Omit<ServingGround, 'keys'> {
  readonly project: Project;
  readonly keys: EpochKeys;
}

/** A protected model, ready to be served in the protocols that fit it. */
export interface ModelService extends Readiness {
  readonly name: string;
  /** Absent for a language model. */
  readonly labels?: number;
  readonly fronts: readonly Front[];
}

/** Connections to a model, which a later reading of the configuration takes over if it is the same. */
export interface HeldUpstream {
  /** Tells whether a configuration names the same model at the same place. */
  readonly identity: string;
  /** Makes the service under other keys and settings. */
  serve(parts: ServiceParts): Promise<ModelService>;
  close(): Promise<void>;
}

/** Returns what tells one protected model and its place from another. */
export function identityOf({ model }: Config): string {
  return JSON.stringify(model);
}
