import { type AuditPlan, digestOf } from '../../src/audit/plan.ts';
import type { DossierStatement } from '../../src/dossier/statement.ts';

/** Makes the report of a statement say what its findings and its plan say. */
export function withReport(
  statement: DossierStatement,
  { predicate: { report } }: DossierStatement,
): DossierStatement {
  const { plan, findings } = statement.predicate;
  const before = structuredClone(report) as {
    plan: object;
    suspect?: object;
    traps?: object;
    stopping?: object;
    evidence: { test: string }[];
    [name: string]: unknown;
  };
  const { evidence, ...scores } = findings;
  const own = {
    ...before,
    ...scores,
    version: plan.toolkit,
    suspect: { ...before.suspect, address: plan.suspect, gives: plan.gives },
    protectedModel: { ...plan.protectedModel, labels: plan.labels },
    ...{ tenant: plan.tenant, epochs: [plan.epoch] },
    plan: { ...before.plan, ...plannedOf(plan), hash: digestOf(plan) },
    traps: { ...before.traps, lots: plan.traps ?? [] },
    stopping: { ...before.stopping, rule: plan.stopping },
    evidence: evidence.map((each) => ({
      ...before.evidence.find(({ test }) => test === each.test),
      ...each,
    })),
    multiplicity: plan.multiplicity,
  };
  return {
    ...statement,
    predicate: { ...statement.predicate, report: JSON.parse(JSON.stringify(own)) },
  };
}

function plannedOf({ sealedAt, beacon, threshold, tests, assumptions }: AuditPlan): object {
  return { sealedAt, beacon, threshold, tests, assumptions };
}
