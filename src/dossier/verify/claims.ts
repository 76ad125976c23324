/**
 * What a claim rests on, the weakest first: the owner's word; a time that a third party vouches for;
 * the reader's own computation.
 */
export const grades = ['asserted', 'anchored', 'recomputed'] as const;
export type Grade = (typeof grades)[number];

/** One thing that a dossier claims, and what it rests on after checking. */
export interface Claim {
  readonly claim: string;
  readonly grade: Grade;
  /** Why it has this grade, and what would raise it. */
  readonly because: string;
}

/** Returns the weakest grade of all claims. */
export function weakestGrade(claims: readonly Claim[]): Grade {
  return grades.find((grade) => claims.some((claim) => claim.grade === grade)) ?? 'recomputed';
}

/** Decides whether every claim has at least a grade. */
export function reachesGrade(claims: readonly Claim[], least: Grade): boolean {
  return grades.indexOf(weakestGrade(claims)) >= grades.indexOf(least);
}

/** Sorts claims, the weakest first. */
export function weakestFirst(claims: readonly Claim[]): readonly Claim[] {
  return [...claims].sort(
    (left, right) => grades.indexOf(left.grade) - grades.indexOf(right.grade),
  );
}
