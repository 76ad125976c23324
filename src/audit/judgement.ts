import type { Evidence } from '../contracts.ts';
import type { AuditPlan } from './plan.ts';
import { keyedScore, provenanceScore } from './score.ts';
import { decide, type Power, type Verdict } from './verdict.ts';

/** What the evidence of an audit comes to under its plan; all scores in bans. */
export interface Judgement {
  /** All evidence, before multiplicity. */
  readonly rawScore: number;
  readonly score: number;
  /** The keyed evidence alone, after multiplicity; the verdict rests on it. */
  readonly keyedScore: number;
  readonly verdict: Verdict;
}

/** Merges evidence as the plan sealed it, pays for multiplicity, and decides. */
export function judge(
  plan: Pick<AuditPlan, 'multiplicity' | 'threshold'>,
  evidence: readonly Evidence[],
  power: Power | undefined,
): Judgement {
  const rawScore = provenanceScore(evidence);
  const keyed = chargedScore(plan, keyedScore(evidence));
  const complete = evidence.every(({ status }) => status !== 'partial');
  return {
    rawScore,
    score: chargedScore(plan, rawScore),
    keyedScore: keyed,
    verdict: decide(keyed, plan.threshold, complete, power),
  };
}

/** The rule by which a plan stops before its horizon; undefined where it never does. */
export function stopRuleOf(
  plan: Pick<AuditPlan, 'multiplicity' | 'threshold' | 'stopping'>,
): ((evidence: readonly Evidence[]) => boolean) | undefined {
  if (plan.stopping !== 'threshold') return undefined;
  return (evidence) => chargedScore(plan, keyedScore(evidence)) >= plan.threshold;
}

function chargedScore({ multiplicity }: Pick<AuditPlan, 'multiplicity'>, bans: number): number {
  return multiplicity.reduce((rest, charge) => rest - charge.bans, bans);
}
