import { refused } from '../envelope.ts';
import type { DossierPredicate } from '../statement.ts';
import { requireSame } from './statistics.ts';

/**
 * Checks that a report says of its plan, its evidence and its verdict what plan and findings say.
 *
 * What it says besides, of times, costs and ways that were ruled out, is its owner's.
 *
 * @throws TouchmarkError EVIDENCE_INVALID naming the first place that differs
 */
export function requireReport(
  { report, findings, plan }: DossierPredicate,
  planHash: string,
): void {
  const { verdict, rawScore, score, keyedScore, evidence } = findings;
  const { sealedAt, threshold, tests, assumptions } = plan;
  requireHolds('the report', report, {
    version: plan.toolkit,
    suspect: { address: plan.suspect, gives: plan.gives },
    protectedModel: { ...plan.protectedModel, labels: plan.labels },
    tenant: plan.tenant,
    epochs: [plan.epoch],
    plan: { hash: planHash, sealedAt, threshold, tests, assumptions },
    ...{ verdict, rawScore, score, keyedScore, evidence },
    multiplicity: plan.multiplicity,
    traps: { lots: plan.traps ?? [] },
    stopping: { rule: plan.stopping ?? 'horizon' },
  });
}

/** Every field of `own` must be the same in `stated`, and lists as long. */
function requireHolds(place: string, stated: unknown, own: unknown): void {
  if (typeof own !== 'object' || own === null) {
    requireSame(place, stated, own);
    return;
  }
  if (typeof stated !== 'object' || stated === null) throw refused(`lacks ${place}`);
  if (Array.isArray(own))
    requireSame(`the length of ${place}`, Object.keys(stated).length, own.length);
  for (const [field, value] of Object.entries(own)) {
    requireHolds(`${place}, ${field}`, (stated as Record<string, unknown>)[field], value);
  }
}
