import type { KeyObject } from 'node:crypto';
import { sealEnvelope } from '../../src/dossier/envelope.ts';
import type { DossierStatement } from '../../src/dossier/statement.ts';
import { weakestGrade } from '../../src/dossier/verify/claims.ts';
import { gradeClaims } from '../../src/dossier/verify/grading.ts';
import { reweigh, sampleProbes } from '../../src/dossier/verify/reweigh.ts';
import type { Trust } from '../../src/dossier/verify/trust.ts';
import { type VerifiedDossier, verifyDossier } from '../../src/dossier/verify/verify.ts';
import { TouchmarkError } from '../../src/errors.ts';
import type { Predict } from '../operations/audit-scene.ts';

/** How an attempt fared: refused outright, graded as its owner's word, or believed. */
export interface Received {
  readonly fate: 'refused' | 'asserted' | 'passed';
  /** The verdict of a dossier that was not refused. */
  readonly verdict?: string;
  readonly why: string;
}

/** What a reader does with an attempt, and what it must not come to believe. */
export interface Attempt {
  readonly statement: DossierStatement;
  readonly key: KeyObject;
  /** Everything that the cheat can get from a reader without a lie. */
  readonly trust: Trust;
  /** Claims that are false, and must not be believed of a dossier that says "match". */
  readonly falsified: readonly string[];
  /** Whether nothing of it may be accepted, whatever the grades. */
  readonly mustBeRefused?: boolean;
  /** Answers when it is asked again; nobody asks without it. */
  readonly suspect?: Predict;
  /** The reader's own copy of the protected model. */
  readonly baseline?: Predict;
  /** Models that the reader knows to be innocent. */
  readonly controls?: readonly Predict[];
}

/** Signs an attempt and has it verified, with everything that a reader may do to believe it. */
export function received(attempt: Attempt): Received {
  const text = sealEnvelope(attempt.statement, attempt.key);
  try {
    const dossier = verifyDossier(text, attempt.trust);
    const claims = ownClaims(dossier, attempt);
    const weakest = weakestGrade(claims);
    const accuses = dossier.findings.verdict === 'match';
    const believed = claims.filter(
      ({ claim, grade }) => accuses && attempt.falsified.includes(claim) && grade !== 'asserted',
    );
    const passed = attempt.mustBeRefused === true || weakest !== 'asserted' || believed.length > 0;
    const because = believed.map(({ claim, grade, because: why }) => `${claim} ${grade}: ${why}`);
    return {
      fate: passed ? 'passed' : 'asserted',
      verdict: dossier.findings.verdict,
      why: passed ? `weakest ${weakest}; ${because.join('; ')}` : 'asserted',
    };
  } catch (error) {
    return refusedBy(error);
  }
}

/** Says how a text fares that nobody signed anew. */
export function receivedText(text: string, trust: Trust = {}): Received {
  try {
    verifyDossier(text, trust);
    return { fate: 'passed', why: 'accepted' };
  } catch (error) {
    return refusedBy(error);
  }
}

/** Whatever is not refused in so many words has not been checked. */
function refusedBy(error: unknown): Received {
  if (error instanceof TouchmarkError && error.code === 'EVIDENCE_INVALID') {
    return { fate: 'refused', why: error.message };
  }
  return { fate: 'passed', why: `crashed: ${String(error)}` };
}

/** Claims once the reader has asked everybody that there is to ask. */
function ownClaims(dossier: VerifiedDossier, attempt: Attempt) {
  const { suspect, baseline, controls = [], trust } = attempt;
  if (suspect === undefined && baseline === undefined && controls.length === 0) {
    return dossier.claims;
  }
  const { predicate, anchor, planHash } = dossier;
  const { labels, gives } = predicate.plan;
  const probes = sampleProbes(dossier, { seed: 'reader', share: 1 });
  const outcomeOf = (row: readonly number[]) => ({
    answer: {
      label: labels[row.indexOf(Math.max(...row))]!,
      ...(gives.includes('probabilities') && { probabilities: row }),
    },
  });
  const rows = (predict: Predict) =>
    probes.map(({ id, input }) => [id, Array.from(predict(String(input)))] as const);
  const outcomes = (predict: Predict) =>
    new Map(rows(predict).map(([id, row]) => [id, outcomeOf(row)]));
  const own = reweigh(dossier, probes, {
    ...(suspect && { suspect: outcomes(suspect) }),
    controls: controls.map(outcomes),
    ...(baseline && { clean: new Map(rows(baseline)) }),
  });
  return gradeClaims(predicate, { anchor, planHash, trust, own });
}
