import { availableParallelism } from 'node:os';
import { Budget } from '../audit/budget.ts';
import { type AuditFindings, conductAudit } from '../audit/conduct.ts';
import { stopRuleOf } from '../audit/judgement.ts';
import {
  type AuditMaterial,
  exchangeabilityAssumption,
  replayAssumption,
} from '../audit/material.ts';
import { Pace } from '../audit/pace.ts';
import { decodeMaterial } from '../audit/stored-material.ts';
import { orderSeed } from '../audit/vouchers.ts';
import type { Description, Probe } from '../contracts.ts';
import { inputDigest } from '../keys/canonical-input.ts';
import { classifierKeys } from '../keys/classifier-keys.ts';
import { openRunAttempts } from '../ledger/run-attempts.ts';
import type { ChainedRunLog } from '../ledger/run-log.ts';
import { displaySpecification } from '../models/adapters/registry.ts';
import type { RemoteClassifier, RemoteCounts } from '../models/adapters/remote.ts';
import { resolveSuspect } from '../models/adapters/suspect-names.ts';
import type { AuditOptions, PreparedAudit } from './audit-preparation.ts';
import type { StartedRun, VouchedRun } from './audit-run.ts';
import { openSuspect } from './audit-suspect.ts';

/** How many times the limit of one request a suspect may answer nothing but "too many requests". */
const patienceFactor = 10;

/** A suspect that was asked all that the plan wants to know. */
export interface AskedSuspect {
  readonly material: AuditMaterial;
  readonly findings: AuditFindings;
  readonly description: Description;
  readonly counts: RemoteCounts;
  readonly spending: Budget['spending'];
  readonly startedAt: Date;
  readonly finishedAt: Date;
}

/**
 * Asks a suspect what a sealed plan wants to know and is not in the run log yet.
 *
 * @throws TouchmarkError SUSPECT_* when it cannot be asked, INTERRUPTED when the signal fires; the
 *   run can be resumed after both
 */
export async function askSuspect(
  prepared: PreparedAudit,
  options: AuditOptions,
  started: VouchedRun & { readonly runLog: ChainedRunLog; readonly description: Description },
): Promise<AskedSuspect> {
  const { timeoutSeconds, budget: limits } = prepared.project.config.audit;
  const attempts = await openRunAttempts(options.out);
  try {
    const budget = new Budget(limits, attempts.earlier);
    const pace = new Pace({
      budget,
      journal: attempts,
      patienceMilliseconds: patienceFactor * timeoutSeconds * 1000,
      ...(isProgram(prepared, options) && { maximum: availableParallelism() }),
    });
    const material = materialOf(prepared, started);
    const ids = new Map(
      knownProbes(material).map(({ id, input }) => [inputDigest(input).toString('hex'), id]),
    );
    const suspect = openSuspect(prepared, options, {
      gate: pace,
      replayIds: (input) => ids.get(inputDigest(input).toString('hex')),
    });
    try {
      const startedAt = new Date();
      const findings = await conduct(prepared, options, { ...started, suspect, pace, material });
      return {
        ...{ material, findings, startedAt },
        description: started.description,
        counts: suspect.counts(),
        spending: budget.spending,
        finishedAt: new Date(),
      };
    } finally {
      await suspect.close();
    }
  } finally {
    await attempts.close();
  }
}

/** Each request to a program starts it once more on this machine. */
function isProgram({ project }: PreparedAudit, { suspect }: AuditOptions): boolean {
  return displaySpecification(resolveSuspect(suspect, project.config.suspects)).startsWith('exec:');
}

function conduct(
  { project }: PreparedAudit,
  { signal, progress }: AuditOptions,
  run: VouchedRun & {
    readonly runLog: ChainedRunLog;
    readonly suspect: RemoteClassifier;
    readonly pace: Pace;
    readonly material: AuditMaterial;
  },
): Promise<AuditFindings> {
  const { audit } = project.config;
  const { plan } = run.sealed;
  const stopWhen = stopRuleOf(plan);
  return conductAudit({
    material: run.material,
    suspect: run.suspect,
    gives: plan.gives,
    runLog: run.runLog,
    batchSize: Math.min(audit.batchSize, run.suspect.inputsPerRequest),
    disguise: {
      seed: orderSeed(run.sealed, run.vouchers),
      coverPerTrap: audit.coverPerTrap,
      pauseMilliseconds: audit.pauseMilliseconds,
    },
    pace: run.pace,
    millisecondsOf: (probe) => run.runLog.millisecondsOf(probe),
    ...(stopWhen && { stopWhen }),
    signal,
    ...(progress && { progress }),
  });
}

function materialOf(
  { profile, keyRing, tenant, epoch, records }: PreparedAudit,
  { sealed: { plan }, text }: StartedRun,
): AuditMaterial {
  return decodeMaterial(text, {
    profile,
    keys: classifierKeys(keyRing.epochKey(tenant, epoch)),
    epochCommitment: keyRing.commitment(tenant, epoch),
    records,
    questionsNotChosenFromAnswers: plan.assumptions.includes(replayAssumption),
    referencesExchangeable: plan.assumptions.includes(exchangeabilityAssumption),
  });
}

/** The probes of an audit that are fixed before anything is answered. */
function knownProbes({ fresh, logged, coins, regionLots }: AuditMaterial): readonly Probe[] {
  const own = [...fresh, ...logged, ...coins].map(({ probe }) => probe);
  return [...own, ...regionLots.flatMap(({ probes }) => probes)];
}
