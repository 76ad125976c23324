import { z } from 'zod';
import type { AuditMaterial } from '../../audit/material.ts';
import { digestOf } from '../../audit/plan.ts';
import { requireVouchers } from '../../audit/vouchers.ts';
import type { Outcome } from '../../contracts.ts';
import { TouchmarkError } from '../../errors.ts';
import { openEnvelope, refused } from '../envelope.ts';
import { shownTests } from '../shown-tests.ts';
import type { DossierPredicate, Findings } from '../statement.ts';
import type { Claim } from './claims.ts';
import { requireSealedMaterial, revealedKeys, sealedProfile } from './commitments.ts';
import { gradeClaims } from './grading.ts';
import { type AnchoredCheckpoint, requireCoins, verifyLog } from './records.ts';
import { requireReport } from './report.ts';
import { recompute, requireSame } from './statistics.ts';
import { verifyTranscript } from './transcript.ts';
import { requireClaimedCoins } from './traps.ts';
import type { Trust } from './trust.ts';

/** A dossier that holds, and what each of its claims rests on, the weakest first. */
export interface VerifiedDossier {
  readonly digest: string;
  readonly keyIdentifier: string;
  readonly predicate: DossierPredicate;
  readonly findings: Findings;
  readonly planHash: string;
  /** An earlier state of the log that holds all records shown, where the dossier has one. */
  readonly anchor: AnchoredCheckpoint | undefined;
  /** The tests that are shown, what they read, and the answers that they used. */
  readonly tests: ReadonlySet<string>;
  readonly material: AuditMaterial;
  readonly outcomes: ReadonlyMap<string, Outcome>;
  readonly claims: readonly Claim[];
}

/**
 * Checks a dossier without network, clock or files: its form and signature, that keys, profile,
 * material, traps and plan are those sealed, in this order, before the answers; that every statistic
 * follows from what is shown; and says of each claim what it rests on, see `gradeClaims`.
 *
 * @param text the file, byte for byte
 * @throws TouchmarkError EVIDENCE_INVALID naming the first thing that does not hold
 */
export function verifyDossier(text: string, trust: Trust = {}): VerifiedDossier {
  try {
    return checked(text, trust);
  } catch (cause) {
    if (cause instanceof TouchmarkError && cause.code === 'EVIDENCE_INVALID') throw cause;
    const what = cause instanceof TouchmarkError ? cause.message : 'something of another form';
    throw new TouchmarkError('EVIDENCE_INVALID', `the dossier cannot be read through: ${what}`, {
      hint: 'ask its owner for the file as it was written',
      cause,
    });
  }
}

function checked(text: string, trust: Trust): VerifiedDossier {
  const { statement, ownerKey, keyIdentifier, digest } = openEnvelope(text);
  const { predicate } = statement;
  const { plan, findings } = predicate;
  if (trust.ownerKey !== undefined && trust.ownerKey !== keyIdentifier) {
    throw refused(
      `was signed by the key ${keyIdentifier}, not by the one expected`,
      'check --owner-key with the owner: another key, or another owner',
    );
  }
  const planHash = digestOf(plan);
  const [subject] = statement.subject;
  if (subject.name !== plan.suspect || `sha256:${subject.digest.sha256}` !== planHash) {
    throw refused('is about another plan than the one inside');
  }
  const tests = shownTests(plan.gives, predicate.leftOut);
  requireLeftOut(predicate);
  requireMade(predicate);
  requireVouchers({ plan, hash: planHash }, predicate.vouchers);
  requireSealedMaterial(predicate, tests);
  const keys = revealedKeys(predicate, tests);
  const { records, anchor } = verifyLog(predicate, ownerKey);
  if (Date.parse(predicate.epoch.createdAt) > Date.parse(records[0]?.servedAt ?? plan.sealedAt)) {
    throw refused('shows answers that were served before the key was committed to');
  }
  const outcomes = verifyTranscript(predicate, planHash);
  const asked = coinSequences(predicate);
  if (tests.has('label-coins')) {
    const coins = new Set(asked);
    requireCoins(
      records.filter(({ sequence }) => coins.has(sequence)),
      keys.labelCoins,
      sealedProfile(predicate),
    );
    requireClaimedCoins(predicate, asked);
  }
  const { material } = recompute(predicate, tests, { keys, records, outcomes });
  requireReport(predicate, planHash);
  return {
    digest,
    keyIdentifier,
    predicate,
    ...{ findings, planHash, anchor, tests, material, outcomes },
    claims: gradeClaims(predicate, { anchor, planHash, trust }),
  };
}

function requireLeftOut({ leftOut, plan, findings }: DossierPredicate): void {
  const read = findings.evidence.filter(({ status }) => status !== 'not-applicable');
  const known = [...shownTests(plan.gives, [])].filter(
    (test) => leftOut.includes(test) && read.some((each) => each.test === test),
  );
  if (known.join() === leftOut.join()) return;
  throw refused(
    'leaves out what is no test that read anything, or names one twice or out of order',
  );
}

/** What stands in the plan too must be the same there. */
function requireMade({ toolkit, plan, profile }: DossierPredicate): void {
  requireSame('the toolkit', toolkit, plan.toolkit);
  const { labels } = z.looseObject({ labels: z.array(z.string()) }).parse(profile);
  requireSame('the labels of the plan', plan.labels, labels);
}

function coinSequences({ material }: DossierPredicate): readonly number[] {
  const { coins } = material.parts;
  return coins === undefined ? [] : z.array(z.int()).parse(JSON.parse(coins));
}
