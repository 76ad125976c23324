import { isComparable } from '../../src/audit/fingerprinting/ability.ts';
import { log10Hedged } from '../../src/stats/merging.ts';
import type { AuditedModel, MemberAudits } from './audit-power.ts';
import type { MemberFindings } from './measure-member.ts';
import { mergedBans } from './summarise.ts';

export const apiShapes = ['labels', 'probabilities'] as const;
export type ApiShape = (typeof apiShapes)[number];

/** Keyed audits of everybody in one member of the zoo, and their fingerprints. */
export interface MeasuredMember {
  readonly audits: MemberAudits;
  readonly findings: MemberFindings;
}

/** One model under audit by an API of one shape. */
export interface Subject extends Omit<AuditedModel, 'scores'> {
  /** log10 of the e-value of its fingerprint. */
  readonly fingerprint: number;
  /** Keyed scores: one row per audit, one column per size. */
  readonly keyed: readonly (readonly number[])[];
}

/** A score that innocents reach with probability at most 1%, by the bound on e-values. */
export const nominalScore = 2;
/** Quirks that only probabilities show; a model that gives labels has E = 1 in them. */
const readFromProbabilities = /^(probability-levels|confidence-profile|gram-structure)/;

/** A score of one audit, in bans, from its keyed score. */
export type Score = (subject: Subject, keyed: number) => number;

/** The score without fingerprints. */
export const keyedScore: Score = (_, keyed) => keyed;

/** The score with fingerprints: half of the stake is theirs. */
export const fullScore: Score = ({ fingerprint }, keyed) => keyed + log10Hedged(fingerprint);

/** Returns everybody who can be audited by an API of one shape. */
export function subjectsOf(members: readonly MeasuredMember[], shape: ApiShape): Subject[] {
  return members.flatMap(({ audits, findings }) => {
    const found = new Map(findings.models.map((model) => [model.id, model]));
    return audits.models.flatMap(({ scores, ...model }) => {
      const keyed = scores[shape];
      const quirks = found.get(model.id)?.quirks;
      if (quirks === undefined) throw new RangeError(`${model.id} has no fingerprint`);
      const shown = quirks.filter(
        ({ quirk }) => shape === 'probabilities' || !readFromProbabilities.test(quirk),
      );
      const fingerprint = isComparable(findings.ability) ? mergedBans(shown) : 0;
      return keyed === undefined ? [] : [{ ...model, keyed, fingerprint }];
    });
  });
}

/** How innocents stand by the bounds on e-values, whatever the realised threshold is. */
export interface InnocentCheck {
  readonly models: number;
  /** Mean e-value of fingerprints, which is at most 1 under the null. */
  readonly meanE: number;
  /** Models whose fingerprint has E >= 20. */
  readonly largeFingerprints: number;
  /** Shares of audits with a score of at least 2, for each size. */
  readonly without: readonly number[];
  readonly with: readonly number[];
}

/** Counts what fingerprints say of some independents. */
export function innocentCheck(subjects: readonly Subject[], sizes: number): InnocentCheck {
  const shares = (score: Score) =>
    Array.from({ length: sizes }, (_, size) =>
      mean(
        subjects.map((each) =>
          mean(each.keyed.map((row) => Number(score(each, row[size]!) >= nominalScore))),
        ),
      ),
    );
  return {
    models: subjects.length,
    meanE: mean(subjects.map(({ fingerprint }) => 10 ** fingerprint)),
    largeFingerprints: subjects.filter(({ fingerprint }) => fingerprint >= Math.log10(20)).length,
    without: shares(keyedScore),
    with: shares(fullScore),
  };
}

/** The mean of some numbers. */
export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
