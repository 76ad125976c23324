import { provenanceScore } from '../../../src/audit/score.ts';
import type { DemoSuspect } from '../document.ts';

const trapTests = new Set(['label-coins', 'region-traps']);

/** One suspect's score after charges, as the audit gave it and as it would be without traps. */
export interface ScorePair {
  readonly without: number;
  readonly with: number;
}

/** One audit: of whom, and its score with traps and without. */
export interface AuditedSuspect extends ScorePair {
  readonly seed: string;
  readonly name: string;
  readonly truth: 'surrogate' | 'independent';
  readonly coinTraps: number;
  readonly regionTraps: number;
}

/**
 * The score with traps, and that of the other tests of the same audit alone. Traps have keys and
 * questions of their own, so that the others are what they would be without; an audit of an owner
 * that never sealed a trap would show the log's coins too, all of them to everybody.
 */
export function scorePair({ evidence, score }: DemoSuspect): ScorePair {
  const charged = provenanceScore(evidence) - score;
  const others = evidence.filter(({ test }) => !trapTests.has(test));
  return { without: provenanceScore(others) - charged, with: score };
}
