import { timeOf } from '../../keys/beacon.ts';
import type { DossierPredicate } from '../statement.ts';
import { type Claim, weakestFirst } from './claims.ts';
import { logSeen, planSeen, roundPublished, type Sighting } from './moments.ts';
import type { AnchoredCheckpoint } from './records.ts';
import type { Reweighed } from './reweigh.ts';
import type { Trust } from './trust.ts';

/** What claims are graded by, beside the dossier itself. */
export interface Circumstances {
  readonly anchor: AnchoredCheckpoint | undefined;
  readonly planHash: string;
  readonly trust: Trust;
  /** What the reader's own asking came to. */
  readonly own?: Reweighed;
}

/**
 * Says of each claim of a dossier that holds what it rests on, the weakest first.
 *
 * Whoever wrote the log could have invented it, posed as a tenant, or looked at the suspect before.
 * Arithmetic shows none of that: records and plan that somebody saw before the suspect was available
 * do, and a reader's own questions.
 */
export function gradeClaims(
  predicate: DossierPredicate,
  circumstances: Circumstances,
): readonly Claim[] {
  const { trust, anchor, planHash, own } = circumstances;
  const seenLog = logSeen(anchor, trust);
  const seenPlan = planSeen(predicate, planHash, trust);
  return weakestFirst([
    statisticsClaim(predicate),
    recomputed(
      'commitments',
      'keys, profile, material and traps are those that plan and log had sealed',
    ),
    trust.ownerKey === undefined
      ? asserted('owner', 'nobody vouches for the key that signed it; give --owner-key')
      : recomputed('owner', 'signed by the key that you expected'),
    beforeSuspect('order', seenLog, trust, {
      shown: 'saw the records',
      else: 'their times are the owner’s own',
    }),
    beforeSuspect("the tenant's questions", seenLog, trust, {
      shown: 'saw the records, so that no question was chosen by what the suspect answers',
      else: 'the owner could have posed as the tenant and asked only what agrees',
    }),
    planClaim(predicate, seenPlan, trust),
    beforeSuspect('first look', seenPlan, trust, {
      shown: 'saw the plan, so that it was not chosen by what the suspect answers',
      else: 'nothing shows that the suspect was not tried before the plan was sealed',
    }),
    answersClaim(predicate, own),
    ...cleanClaim(predicate, own),
    ...powerClaim(predicate),
  ]);
}

function statisticsClaim({ leftOut }: DossierPredicate): Claim {
  return leftOut.length === 0
    ? recomputed('statistics', 'every e-value, the score and the verdict follow from what is shown')
    : asserted('statistics', `${leftOut.join(', ')} left out: their share of the score is stated`);
}

/** A claim that holds because somebody saw something before there was a suspect to look at. */
function beforeSuspect(
  claim: string,
  seen: Sighting | undefined,
  { availableSince }: Trust,
  because: { readonly shown: string; readonly else: string },
): Claim {
  const hint = 'give --available-since and a timestamp authority or a witness';
  if (seen === undefined || availableSince === undefined) {
    return asserted(claim, `${because.else}; ${hint}`);
  }
  const since = availableSince.toISOString();
  return seen.at < availableSince
    ? anchored(claim, `${seenBy(seen, because.shown)}, before the suspect was available (${since})`)
    : asserted(
        claim,
        `${because.else}: it was seen on ${seen.at.toISOString()}, not before ${since}`,
      );
}

/** The plan came before the answers, and nobody could choose the order of its questions. */
function planClaim(predicate: DossierPredicate, seen: Sighting | undefined, trust: Trust): Claim {
  const claim = 'plan';
  const published = roundPublished(predicate, trust);
  const { beacon } = predicate.vouchers;
  if (beacon === null) {
    return asserted(claim, 'self-attested: no public randomness ordered its questions');
  }
  if (published === undefined) {
    return asserted(
      claim,
      `the drand chain ${beacon.chain.hash} is not known here; give --beacon-chain`,
    );
  }
  const round = `round ${published.round} of ${published.at.toISOString()} ordered the questions`;
  if (seen === undefined) {
    return asserted(claim, `${round}, but nobody saw the plan before; give --timestamp-authority`);
  }
  return seen.at.getTime() < timeOf(beacon.chain, beacon.round.round)
    ? anchored(claim, `${seenBy(seen, 'saw the plan')}, and ${round}`)
    : asserted(claim, `${round}, and the plan was seen on ${seen.at.toISOString()} only`);
}

function answersClaim({ findings, plan }: DossierPredicate, own: Reweighed | undefined): Claim {
  const claim = "the suspect's answers";
  if (own?.reasked === undefined) {
    return asserted(
      claim,
      'recorded by the auditor: nobody else has asked the suspect the same; give --reask',
    );
  }
  const { asked, sameLabel } = own.reasked;
  const said = `asked again, ${sameLabel} of ${asked} got the same label`;
  if (findings.verdict === 'match') return byOwnScore(claim, said, own, plan.threshold);
  return sameLabel === asked
    ? recomputed(claim, said)
    : asserted(claim, `${said}; a suspect may have changed since`);
}

/** Marked probabilities are read against clean ones, which the owner states. */
function cleanClaim({ findings, plan }: DossierPredicate, own: Reweighed | undefined): Claim[] {
  const reads = findings.evidence.some(
    ({ test, log10E }) => test.startsWith('probability') && log10E !== 0,
  );
  if (!reads) return [];
  const claim = 'the clean answers';
  if (own?.baseline === undefined) {
    return [
      asserted(
        claim,
        'stated by the owner, who could have chosen them as the suspect’s less the mark; give --baseline',
      ),
    ];
  }
  const said = `${own.baseline.asked} asked of your own baseline`;
  if (findings.verdict === 'match') return [byOwnScore(claim, said, own, plan.threshold)];
  return [recomputed(claim, said)];
}

function byOwnScore(claim: string, said: string, own: Reweighed, threshold: number): Claim {
  const weighed = `${said}; these alone come to ${own.keyedScore.toFixed(1)} bans of ${threshold}`;
  return own.keyedScore >= threshold
    ? recomputed(claim, weighed)
    : asserted(claim, `${weighed}; ask more with --sample`);
}

function powerClaim({ findings }: DossierPredicate): Claim[] {
  if (findings.verdict !== 'no-match-found') return [];
  return [asserted('the power', 'rehearsed by the owner on students of its own')];
}

function seenBy({ at, by }: Sighting, what: string): string {
  return `${by} ${what} on ${at.toISOString()}`;
}

function asserted(claim: string, because: string): Claim {
  return { claim, grade: 'asserted', because };
}

function anchored(claim: string, because: string): Claim {
  return { claim, grade: 'anchored', because };
}

function recomputed(claim: string, because: string): Claim {
  return { claim, grade: 'recomputed', because };
}
