import { timeOf } from '../../keys/beacon.ts';
import type { DossierPredicate } from '../statement.ts';
import { type Claim, weakestFirst } from './claims.ts';
import { isStamped, logSeen, planSeen, roundPublished, type Sighting } from './moments.ts';
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

/** Bans that a match has to reach by the reader's own asking, unless its plan asks for more. */
const leastThreshold = 6;
/** Bans that a reader's own asking has to reach for a match of a plan with this threshold. */
export function neededBans(threshold: number): number {
  return Math.max(leastThreshold, threshold);
}

/** Bans at which questions that find an innocent model guilty are suspicious themselves. */
const mostForControls = 1;

/**
 * Says of each claim of a dossier that holds what it rests on, the weakest first.
 *
 * Whoever wrote the log could have invented it, posed as a tenant, asked what any good model answers
 * as the coins fall, shown the records that agree of many, or looked at the suspect before. Arithmetic
 * shows none of that. A claim is lifted only by what excludes its own way of cheating.
 */
export function gradeClaims(
  predicate: DossierPredicate,
  circumstances: Circumstances,
): readonly Claim[] {
  const { anchor, planHash } = circumstances;
  const trust = { ...circumstances.trust, ...availability(predicate, circumstances.trust) };
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
      shown: 'saw a commitment to the records',
      otherwise: 'the times of the records are the owner’s own',
    }),
    planClaim(predicate, seenPlan, circumstances),
    asserted(
      'first look',
      'nothing shows that the suspect was not tried before the plan, and the records that agree chosen of many',
    ),
    questionsClaim(seenLog, { ...circumstances, trust }),
    answersClaim(predicate, circumstances.own),
    ...cleanClaim(predicate, circumstances.own),
    ...referencesClaim(predicate),
    chargesClaim(predicate, trust),
    ...powerClaim(predicate),
  ]);
}

/** A suspect that was asked was available: a later date is no reason to believe anything. */
function availability(
  { plan }: DossierPredicate,
  { availableSince }: Trust,
): { readonly availableSince?: Date } {
  if (availableSince === undefined) return {};
  return {
    availableSince: new Date(Math.min(availableSince.getTime(), Date.parse(plan.sealedAt))),
  };
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
  because: { readonly shown: string; readonly otherwise: string },
): Claim {
  const hint = 'give --available-since and a timestamp authority or a witness';
  if (seen === undefined || availableSince === undefined) {
    return asserted(claim, `${because.otherwise}; ${hint}`);
  }
  const since = availableSince.toISOString();
  return seen.at < availableSince
    ? anchored(claim, `${seenBy(seen, because.shown)}, before the suspect was available (${since})`)
    : asserted(
        claim,
        `${because.otherwise}: ${seenBy(seen, because.shown)} only, not before ${since}`,
      );
}

/** The plan came before the answers, and nobody could know what it would draw. */
function planClaim(
  predicate: DossierPredicate,
  seen: Sighting | undefined,
  { planHash, trust }: Circumstances,
): Claim {
  const claim = 'plan';
  const { beacon, planToken } = predicate.vouchers;
  if (beacon === null) {
    return asserted(claim, 'self-attested: no public randomness came between plan and answers');
  }
  const published = roundPublished(predicate, trust);
  if (published === undefined) {
    return asserted(
      claim,
      `the drand chain ${beacon.chain.hash} is not known here; give --beacon-chain`,
    );
  }
  const round = `round ${published.round} of ${published.at.toISOString()} came between it and the answers`;
  const isRoundFixed = planToken === null || isStamped(predicate, planHash, trust);
  if (seen === undefined || !isRoundFixed) {
    return asserted(claim, `${round}, by the owner’s word; give --timestamp-authority`);
  }
  return seen.at.getTime() < timeOf(beacon.chain, beacon.round.round)
    ? anchored(claim, `${seenBy(seen, 'saw the plan')}, and ${round}`)
    : asserted(claim, `${round}, and ${seenBy(seen, 'saw the plan')} only`);
}

/**
 * Whoever held the key could have asked, as a tenant, what good models answer as the coins fall. Models
 * that are known to be innocent then come out guilty, which is what controls are for.
 */
function questionsClaim(
  seen: Sighting | undefined,
  { trust: { availableSince }, own }: Circumstances,
): Claim {
  const claim = "the tenant's questions";
  const puppet = 'whoever held the key could have been the tenant and asked only what agrees';
  const scores = own?.controlScores ?? [];
  if (scores.length === 0) {
    return asserted(claim, `${puppet}; give --control, models that you know to be innocent`);
  }
  const highest = Math.max(...scores);
  const which = scores.length === 1 ? 'a control' : `${scores.length} controls`;
  const said = `${which} of yours: ${highest.toFixed(1)} bans at most`;
  if (highest >= mostForControls) {
    return asserted(claim, `${said}: these questions accuse the innocent as well`);
  }
  if (seen === undefined || availableSince === undefined || seen.at >= availableSince) {
    return asserted(claim, `${said}, but nobody saw the records before the suspect was available`);
  }
  return anchored(claim, `${said}, and ${seenBy(seen, 'saw a commitment to the records')}`);
}

function answersClaim({ findings, plan }: DossierPredicate, own: Reweighed | undefined): Claim {
  const claim = "the suspect's answers";
  if (own?.reasked === undefined) {
    return asserted(
      claim,
      'recorded by the auditor: nobody else has asked the suspect the same; give --reask',
    );
  }
  const { asked, reasked } = own;
  const said = `asked again, ${reasked.sameLabel} of ${asked} got the same label`;
  if (findings.verdict === 'match') return byOwnScore(claim, said, plan.threshold, own);
  return asked > 0 && reasked.sameLabel === asked && own.keyedScore < leastThreshold
    ? recomputed(claim, said)
    : asserted(claim, `${said}; a suspect may have changed since`);
}

/** Pairs of coins come from clean answers, and marked probabilities are read against them. */
function cleanClaim({ findings, plan }: DossierPredicate, own: Reweighed | undefined): Claim[] {
  const reads = findings.evidence.some(
    ({ null: kind, status }) => kind === 'keyed' && status !== 'not-applicable',
  );
  if (!reads) return [];
  const claim = 'the clean answers';
  if (own?.ownBaseline !== true || own.reasked === undefined) {
    return [
      asserted(
        claim,
        'stated by the owner, who could have chosen them to fit the suspect or the coins; give --baseline together with --reask',
      ),
    ];
  }
  const said = 'read from your own baseline, which nobody but you must have made';
  if (findings.verdict === 'match') return [byOwnScore(claim, said, plan.threshold, own)];
  return [asserted(claim, `${said}; without a match nothing rests on them`)];
}

/** Reference models are trained by the owner, and lots are chosen by what they answer. */
function referencesClaim({ findings }: DossierPredicate): Claim[] {
  const reads = findings.evidence.some(
    ({ null: kind, log10E }) => kind === 'reference' && log10E !== 0,
  );
  if (!reads) return [];
  return [asserted('the references', 'trained and asked by the owner; no match rests on them')];
}

function byOwnScore(claim: string, said: string, planned: number, own: Reweighed): Claim {
  const needed = neededBans(planned);
  const weighed = `${said}; the sample alone comes to ${own.keyedScore.toFixed(1)} bans of ${needed}`;
  return own.keyedScore >= needed ? recomputed(claim, weighed) : asserted(claim, weighed);
}

/** Keys, logs and plans that were prepared and dropped leave no trace in the one that is shown. */
function chargesClaim({ findings, plan }: DossierPredicate, { choices }: Trust): Claim {
  const claim = 'the charges';
  if (choices === undefined) {
    return asserted(
      claim,
      'that no more keys, logs, plans and suspects were at choice than are paid for is the owner’s word; give --choices, how many you suppose',
    );
  }
  const needed = neededBans(plan.threshold);
  const left = findings.keyedScore - Math.log10(choices);
  const said = `had the owner chosen among ${choices}, ${left.toFixed(1)} bans of ${needed} would be left`;
  return findings.verdict !== 'match' || left >= needed
    ? recomputed(claim, said)
    : asserted(claim, said);
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
