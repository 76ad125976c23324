import type { Config } from '../config/schema.ts';
import type { Progress } from '../contracts.ts';
import type { AlarmListener } from '../serve/failure-policy.ts';
import type { Front, Readiness } from '../serve/front.ts';
import type { EpochKeys, ServedLog } from '../serve/marking-ground.ts';
import type { Quotas } from '../serve/quotas.ts';
import type { Telemetry } from '../serve/telemetry.ts';
import type { Project } from './project.ts';

/** What outlives every reading of the configuration. */
export interface ServingGround {
  readonly log: ServedLog;
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

/** What a model's service is built from: the ground, and what this reading of the configuration gives. */
export interface ServiceParts extends ServingGround {
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
