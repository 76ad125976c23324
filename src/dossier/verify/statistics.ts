import { judge, stopRuleOf } from '../../audit/judgement.ts';
import {
  type AuditMaterial,
  exchangeabilityAssumption,
  replayAssumption,
} from '../../audit/material.ts';
import { type Charge, charges } from '../../audit/multiplicity.ts';
import { replayTests, type StopRule } from '../../audit/replay.ts';
import { decodeMaterial, joinParts } from '../../audit/stored-material.ts';
import { provenanceTests } from '../../audit/tests/registry.ts';
import type { Evidence, Outcome, ServedRecord } from '../../contracts.ts';
import type { ClassifierKeys } from '../../keys/classifier-keys.ts';
import { neededLeaves, usedSequences } from '../build.ts';
import { refused } from '../envelope.ts';
import { needsReveal } from '../shown-tests.ts';
import type { DossierPredicate } from '../statement.ts';
import { sealedProfile } from './commitments.ts';
import { requirePlannedQuestions } from './questions.ts';

/** Numbers may differ by this share between machines: their libraries round in their own ways. */
const tolerance = 1e-6;

/** Bans; configurations may ask for no less. */
const lowestThreshold = 1;

/**
 * Runs the tests again over the shown answers and compares all that the dossier says they came to.
 *
 * @returns what was recomputed, one per test of the plan, and the material that it was computed from
 * @throws TouchmarkError EVIDENCE_INVALID naming the first number that does not follow
 */
export function recompute(
  predicate: DossierPredicate,
  tests: ReadonlySet<string>,
  data: {
    readonly keys: ClassifierKeys;
    readonly records: readonly ServedRecord[];
    readonly outcomes: ReadonlyMap<string, Outcome>;
  },
): { readonly evidence: readonly Evidence[]; readonly material: AuditMaterial } {
  const { plan, findings, material: stored, leftOut } = predicate;
  if (plan.tests.join() !== provenanceTests.map(({ name }) => name).join()) {
    throw refused(
      'was made with other tests than this version has',
      `verify it with touchmark ${plan.toolkit}`,
    );
  }
  requireJudgement(predicate);
  const material = decodeMaterial(joinParts(stored.parts), {
    profile: sealedProfile(predicate),
    keys: data.keys,
    epochCommitment: plan.epochCommitment,
    records: data.records,
    questionsNotChosenFromAnswers: plan.assumptions.includes(replayAssumption),
    referencesExchangeable: plan.assumptions.includes(exchangeabilityAssumption),
  });
  requireNoMore(predicate, material, tests);
  requirePlannedQuestions(plan, material, tests);
  const used = new Set<string>();
  const stopWhen = leftOut.length === 0 ? stopRuleOf(plan) : statedStop(predicate, tests);
  const { evidence } = replayTests(
    material,
    plan.gives,
    (id) => {
      used.add(id);
      return data.outcomes.get(id);
    },
    { tests, ...(stopWhen && { stopWhen }) },
  );
  const unused = [...data.outcomes.keys()].find((id) => !used.has(id));
  if (unused !== undefined) throw refused(`shows an answer to ${unused}, which no test uses`);
  if (evidence.length !== findings.evidence.length) throw refused('lacks evidence of a test');
  for (const [index, own] of evidence.entries()) {
    const stated = findings.evidence[index]!;
    const place = `evidence of ${own.test}`;
    if (stated.test !== own.test) throw refused('lists its tests in another order');
    if (!leftOut.includes(own.test)) requireSame(place, stated, own);
    else requirePossible(stated, own, plan);
  }
  return { evidence, material };
}

/** Without the tests that are left out, only what the others asked says when an audit stopped early. */
function statedStop(
  { plan, findings }: DossierPredicate,
  tests: ReadonlySet<string>,
): StopRule | undefined {
  if (plan.stopping !== 'threshold') return undefined;
  const stated = new Map(findings.evidence.map(({ test, probes }) => [test, probes]));
  return (evidence) =>
    evidence.every(({ test, probes }) => !tests.has(test) || probes === stated.get(test));
}

/** A test that is left out has its keys, and the null of its kind, of the plan’s assumptions, or none. */
function requirePossible(
  stated: DossierPredicate['findings']['evidence'][number],
  own: Evidence,
  { assumptions }: DossierPredicate['plan'],
): void {
  requireSame(`evidence of ${own.test}, keys`, stated.keyMaterial, own.keyMaterial);
  if (stated.null === 'descriptive') return;
  const registered = provenanceTests.find(({ name }) => name === own.test)?.null;
  const assumed = assumptions.includes(replayAssumption) && registered === 'descriptive';
  requireSame(`evidence of ${own.test}, null`, stated.null, assumed ? 'keyed' : registered);
}

/** Records and leaves of keys that no shown test reads must not be there. */
function requireNoMore(
  { log, reveals }: DossierPredicate,
  material: AuditMaterial,
  tests: ReadonlySet<string>,
): void {
  const shown = log.records.map(({ sequence }) => sequence);
  if (shown.join() !== usedSequences(material, tests).join()) {
    throw refused('shows other records of the log than its tests read');
  }
  const layers = [
    [reveals.labelCoins ?? [], needsReveal(tests, 'labelCoins') ? material.coins : []],
    [reveals.perQuery?.leaves ?? [], needsReveal(tests, 'perQuery') ? material.logged : []],
  ] as const;
  for (const [leaves, questions] of layers) {
    if (leaves.map(({ leaf }) => leaf).join() === neededLeaves(questions).join()) continue;
    throw refused('reveals other leaves of its keys than its tests read');
  }
}

/** What the findings say must follow from their evidence, and the charges from what they are for. */
function requireJudgement({ plan, findings }: DossierPredicate): void {
  const asPower = findings.verdict === 'no-match-found' ? { lower: 1, statement: '' } : undefined;
  const judged = judge(plan, findings.evidence as unknown as readonly Evidence[], asPower);
  for (const score of ['rawScore', 'score', 'keyedScore', 'verdict'] as const) {
    requireSame(`the ${score}`, findings[score], judged[score]);
  }
  if (plan.threshold < lowestThreshold) {
    throw refused(`calls a match from ${plan.threshold} bans on; no audit may below 1`);
  }
  requireSame('the charges', plan.multiplicity, owedCharges(plan));
}

/** The charges of an audit that looked at what this one says it did. */
function owedCharges({ multiplicity, traps = [] }: DossierPredicate['plan']): readonly Charge[] {
  const said = (pattern: RegExp): number | undefined => {
    const numbers = multiplicity.map(({ reason }) => pattern.exec(reason)?.[1]);
    const found = numbers.find((number) => number !== undefined);
    return found === undefined ? undefined : Number(found);
  };
  return charges({
    tenants: said(/^one of ([1-9]\d*) tenants/) ?? 1,
    suspects: said(/^one of ([1-9]\d*) suspects/) ?? 1,
    audit: said(/^audit ([1-9]\d*) of/) ?? 1,
    coinsByStock:
      traps.some(({ kind }) => kind === 'coin') ||
      multiplicity.some(({ reason }) => reason.startsWith('coins ')),
  });
}

/** Compares two values deeply, numbers up to the tolerance. */
export function requireSame(place: string, stated: unknown, own: unknown): void {
  if (typeof stated === 'number' && typeof own === 'number') {
    if (Math.abs(stated - own) <= tolerance * Math.max(1, Math.abs(own))) return;
    throw refused(`states ${stated} for ${place}, which is ${own}`);
  }
  if (typeof stated === 'object' && stated !== null && typeof own === 'object' && own !== null) {
    const [left, right] = [new Map(Object.entries(stated)), new Map(Object.entries(own))];
    const keys = new Set([...left.keys(), ...right.keys()]);
    for (const key of keys) requireSame(`${place}, ${key}`, left.get(key), right.get(key));
    return;
  }
  if (stated === own) return;
  throw refused(`states ${String(stated)} for ${place}, which is ${String(own)}`);
}
