import { json } from '@sigstore/core';
import { type AuditMaterial, regionProbe } from '../../audit/material.ts';
import type { AuditPlan } from '../../audit/plan.ts';
import { leafHash } from '../../keys/merkle.ts';
import { refused } from '../envelope.ts';
import { needsPart } from '../shown-tests.ts';

/**
 * Checks that the questions are those of the plan: as many as it counts, each of the log once and in
 * served order, and the lots and the fingerprint that it names. A coin that is looked at twice would
 * count twice, and bets that know what comes later would win.
 *
 * @throws TouchmarkError EVIDENCE_INVALID
 */
export function requirePlannedQuestions(
  plan: AuditPlan,
  material: AuditMaterial,
  tests: ReadonlySet<string>,
): void {
  for (const part of ['logged', 'coins'] as const) {
    const sequences = material[part].map(({ record }) => record.sequence);
    if (sequences.every((each, place) => each > (sequences[place - 1] ?? -1))) continue;
    throw refused(`asks the questions of its log twice or out of order, in "${part}"`);
  }
  for (const part of ['logged', 'fresh'] as const) {
    if (!needsPart(tests, part) || material[part].length === plan.probes[part]) continue;
    throw refused(`asks ${material[part].length} questions "${part}", not ${plan.probes[part]}`);
  }
  requireNamedLots(plan);
  if (needsPart(tests, 'regionLots')) requireRegionLots(plan, material);
  if (needsPart(tests, 'fingerprint')) requireFingerprint(plan, material);
}

/** A lot is named by its set's root, and shown once. */
function requireNamedLots({ traps = [] }: AuditPlan): void {
  const odd = traps.find(
    ({ set, root, kind, lot }, place) =>
      set !== `${kind}-${root.slice('sha256:'.length).slice(0, 16)}` ||
      traps.findIndex((other) => other.set === set && other.lot === lot) !== place,
  );
  if (odd !== undefined) throw refused(`names lot ${odd.lot} of the trap set ${odd.set} wrongly`);
}

function requireRegionLots({ traps = [] }: AuditPlan, { regionLots }: AuditMaterial): void {
  const planned = traps.filter(({ kind }) => kind === 'region');
  const fit = regionLots.map(({ set, lot, probes }, position) => {
    const own = planned[position];
    return (
      own?.set === set &&
      probes.every(({ id, input }, place) => id === regionProbe(set, own.lot, place, input).id) &&
      lot.traps.map((trap, place) => commitmentOf(own.lot, place, trap)).join() ===
        own.commitments.join()
    );
  });
  if (planned.length === fit.length && fit.every((each) => each)) return;
  throw refused('asks other region traps than those of its plan');
}

function requireFingerprint({ fingerprint: named }: AuditPlan, material: AuditMaterial): void {
  const { fingerprint: shown } = material;
  const compared = shown && {
    ...{ fingerprint: shown.fingerprint, probeSet: shown.probeSet },
    questions: shown.probes.questions.length + shown.probes.repeated,
    weights: Object.fromEntries(shown.nulls.map(({ name, weight }) => [name, weight])),
  };
  const { references: _, ...stated } = named ?? { references: '' };
  if (json.canonicalize(stated) === json.canonicalize(compared ?? {})) return;
  throw refused('compares with another fingerprint than the plan names');
}

function commitmentOf(lot: number, place: number, trap: object): string {
  return leafHash(Buffer.from(json.canonicalize({ lot, place, trap }))).toString('hex');
}
