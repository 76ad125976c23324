import { createHash } from 'node:crypto';
import { z } from 'zod';
import { digestOf } from '../../audit/plan.ts';
import { TouchmarkError } from '../../errors.ts';
import { verifyTimestampToken } from '../../keys/timestamp.ts';
import { openEnvelope, refused } from '../envelope.ts';
import { shownTests } from '../shown-tests.ts';
import type { DossierPredicate, Findings } from '../statement.ts';
import { type Claim, weakestFirst } from './claims.ts';
import { requireSealedMaterial, revealedKeys, sealedProfile } from './commitments.ts';
import { type AnchoredCheckpoint, requireCoins, verifyLog } from './records.ts';
import { recompute, requireSame } from './statistics.ts';
import { verifyTranscript } from './transcript.ts';
import { requireClaimedCoins } from './traps.ts';

/** What a reader knows from elsewhere; nothing of it comes from the owner. */
export interface Trust {
  /** The owner's key identifier, as the reader has it from the owner. */
  readonly ownerKey?: string;
  /** Certificates of timestamp authorities, PEM. */
  readonly authorities?: readonly string[];
  /** What the reader, or a witness of theirs, saw published: roots of checkpoints or hashes of plans. */
  readonly witnessed?: readonly { readonly digest: string; readonly at: Date }[];
  /** The suspect's first provable availability. */
  readonly availableSince?: Date;
}

/** A dossier that holds, and what each of its claims rests on, the weakest first. */
export interface VerifiedDossier {
  readonly digest: string;
  readonly keyIdentifier: string;
  readonly predicate: DossierPredicate;
  readonly findings: Findings;
  readonly claims: readonly Claim[];
}

/** The part of a report that the findings decide. */
const reportSchema = z.looseObject({
  verdict: z.string(),
  rawScore: z.number(),
  score: z.number(),
  keyedScore: z.number(),
  tenant: z.string(),
  plan: z.looseObject({ hash: z.string(), sealedAt: z.string(), threshold: z.number() }),
  evidence: z.array(z.looseObject({ test: z.string(), status: z.string(), log10E: z.number() })),
  multiplicity: z.array(z.looseObject({ bans: z.number() })),
});

/**
 * Checks a dossier without network, clock or files: its form and signature, that keys, profile,
 * material, traps and plan are those sealed, in this order, before the answers; that every statistic
 * follows from what is shown; and says of each claim what it rests on.
 *
 * Whoever wrote the log could have invented it, posed as a tenant, or looked at the suspect before.
 * No arithmetic shows that; such claims stay asserted.
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
    throw refused(`was signed by the key ${keyIdentifier}, not by the one expected`);
  }
  const planHash = digestOf(plan);
  const [subject] = statement.subject;
  if (subject.name !== plan.suspect || `sha256:${subject.digest.sha256}` !== planHash) {
    throw refused('is about another plan than the one inside');
  }
  const tests = shownTests(plan.gives, predicate.leftOut);
  requireLeftOut(predicate);
  requireMade(predicate);
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
  recompute(predicate, tests, { keys, records, outcomes });
  requireReport(predicate, planHash);
  return {
    digest,
    keyIdentifier,
    predicate,
    findings,
    claims: weakestFirst(claimsOf(predicate, { anchor, planHash, trust })),
  };
}

function requireLeftOut({ leftOut, plan }: DossierPredicate): void {
  const applicable = shownTests(plan.gives, []);
  const odd = leftOut.find(
    (test, place) => !applicable.has(test) || leftOut.indexOf(test) !== place,
  );
  if (odd !== undefined) throw refused(`leaves out "${odd}", which is no test of its plan`);
}

/** What stands in the plan too must be the same there, and what nothing checks must be absent. */
function requireMade({ toolkit, plan, planToken, beacon, profile }: DossierPredicate): void {
  requireSame('the toolkit', toolkit, plan.toolkit);
  const { labels } = z.looseObject({ labels: z.array(z.string()) }).parse(profile);
  requireSame('the labels of the plan', plan.labels, labels);
  if (planToken === null && beacon === null && plan.beacon === null) return;
  throw refused('holds a timestamp or a beacon of its plan, which this version does not check');
}

function coinSequences({ material }: DossierPredicate): readonly number[] {
  const { coins } = material.parts;
  return coins === undefined ? [] : z.array(z.int()).parse(JSON.parse(coins));
}

function requireReport({ report, findings, plan }: DossierPredicate, planHash: string): void {
  const parsed = reportSchema.safeParse(report);
  if (!parsed.success) throw refused('holds no report of an audit');
  const { evidence, multiplicity, plan: reported, ...scores } = parsed.data;
  for (const name of ['verdict', 'rawScore', 'score', 'keyedScore'] as const) {
    requireSame(`the report's ${name}`, scores[name], findings[name]);
  }
  requireSame(
    "the report's plan",
    [reported.hash, reported.sealedAt, reported.threshold, scores.tenant],
    [planHash, plan.sealedAt, plan.threshold, plan.tenant],
  );
  const brief = (list: readonly { test: string; status: string; log10E: number }[]) =>
    list.map(({ test, status, log10E }) => [test, status, log10E]);
  requireSame("the report's evidence", brief(evidence), brief(findings.evidence));
  const charged = (list: readonly { bans: number }[]) => list.map(({ bans }) => bans);
  requireSame("the report's charges", charged(multiplicity), charged(plan.multiplicity));
}

interface Circumstances {
  readonly anchor: AnchoredCheckpoint | undefined;
  readonly planHash: string;
  readonly trust: Trust;
}

function claimsOf(predicate: DossierPredicate, circumstances: Circumstances): Claim[] {
  const { leftOut, findings } = predicate;
  const { trust } = circumstances;
  const claims: Claim[] = [
    leftOut.length === 0
      ? recomputed(
          'statistics',
          'every e-value, the score and the verdict follow from what is shown',
        )
      : asserted(
          'statistics',
          `${leftOut.join(', ')} left out: their share of the score is stated`,
        ),
    recomputed(
      'commitments',
      'keys, profile, material and traps are those that plan and log had sealed',
    ),
    trust.ownerKey === undefined
      ? asserted('owner', 'nobody vouches for the key that signed it; give --owner-key')
      : recomputed('owner', 'signed by the key that you expected'),
    orderClaim(circumstances),
    asserted(
      "the suspect's answers",
      'recorded by the auditor: nobody else has asked the suspect the same',
    ),
    asserted(
      "the tenant's questions",
      'the owner could have posed as the tenant and asked only what agrees',
    ),
    asserted(
      'first look',
      'nothing shows that the suspect was not tried before the plan was sealed',
    ),
  ];
  const reading = findings.evidence.some(
    ({ test, log10E }) => test.startsWith('probability') && log10E !== 0,
  );
  if (reading) {
    claims.push(
      asserted(
        'the clean answers',
        'stated by the owner, who could have chosen them as the suspect’s less the mark',
      ),
    );
  }
  if (findings.verdict === 'no-match-found') {
    claims.push(asserted('the power', 'rehearsed by the owner on students of its own'));
  }
  return claims;
}

function orderClaim({ anchor, planHash, trust }: Circumstances): Claim {
  const { availableSince } = trust;
  const hint = 'give --available-since and a timestamp authority or a witness';
  if (anchor === undefined || availableSince === undefined) {
    return asserted('order', `times are the owner's own; ${hint}`);
  }
  const seen = timesOf(anchor, trust);
  const earliest = seen.sort((left, right) => left.at.getTime() - right.at.getTime())[0];
  if (earliest === undefined || earliest.at >= availableSince) {
    return asserted('order', `nobody saw the log before ${availableSince.toISOString()}; ${hint}`);
  }
  return {
    claim: 'order',
    grade: 'anchored',
    because: `${earliest.by} saw the records on ${earliest.at.toISOString()}, before the suspect was available (plan ${planHash.slice(0, 19)}…)`,
  };
}

function timesOf(
  { note, root, token }: AnchoredCheckpoint,
  { authorities = [], witnessed = [] }: Trust,
): { readonly at: Date; readonly by: string }[] {
  const seen = witnessed
    .filter(({ digest }) => digest === root)
    .map(({ at }) => ({ at, by: 'a witness' }));
  if (token === undefined || authorities.length === 0) return seen;
  const imprint = createHash('sha256').update(note).digest();
  const { time, authority } = verifyTimestampToken(
    Buffer.from(token, 'base64'),
    imprint,
    authorities,
  );
  return [...seen, { at: new Date(time), by: authority }];
}

function asserted(claim: string, because: string): Claim {
  return { claim, grade: 'asserted', because };
}

function recomputed(claim: string, because: string): Claim {
  return { claim, grade: 'recomputed', because };
}
