import type { AuditReport } from './model.ts';
import type { ChecksPart, PolicyPart, RelayPart } from './parts.ts';
import { bans, boundAbove, duration, grouped, moment, percent } from './text.ts';

type Budget = NonNullable<AuditReport['budget']>;

/** Returns when the asking ended, and by which rule. */
export function stoppingSays({ rule, stoppedAt }: NonNullable<AuditReport['stopping']>): string {
  const until =
    rule === 'horizon'
      ? 'to be asked to the horizon'
      : 'to stop as soon as the keyed evidence reached the threshold';
  return stoppedAt === null
    ? `sealed ${until}; it went to the end`
    : `sealed ${until}; it ended after ${grouped(stoppedAt)} probes`;
}

/** Returns what was spent of each limit, and of what had none as far as any was spent. */
export function spendingSays({ spent, ...limits }: Budget): readonly string[] {
  const kinds = [
    ['requests', grouped, ' requests'],
    ['tokens', grouped, ' tokens'],
    ['money', grouped, ' in the plan’s currency'],
    ['seconds', duration, ''],
  ] as const;
  return kinds.flatMap(([kind, written, unit]) => {
    const limit = limits[kind];
    if (limit !== undefined) return [`${written(spent[kind])} of at most ${written(limit)}${unit}`];
    return spent[kind] > 0 ? [`${written(spent[kind])}${unit}`] : [];
  });
}

/** Returns what the audit noticed of how the suspect answers, our own words only. */
export function answeringSays(checks: ChecksPart): readonly string[] {
  const { repeated, changedLabels, largestChange, roundedTo, topOnly } = checks;
  const disagrees = checks.labelDisagreesWithArgMax ?? 0;
  const decimals = roundedTo === 1 ? 'decimal' : 'decimals';
  return [
    repeated === 0
      ? 'no question was put twice'
      : `${grouped(changedLabels)} of ${grouped(repeated)} questions that were put twice (${percent(changedLabels, repeated)}) came back with another label`,
    ...(largestChange > 0
      ? [`the largest change of one probability was ${grouped(largestChange)}`]
      : []),
    ...(checks.likelyCaching
      ? ['questions asked again came back much sooner, as from a cache or after a slow start']
      : []),
    ...(checks.samples ? ['its labels seem to be drawn by chance'] : []),
    ...(roundedTo === undefined
      ? []
      : [`probabilities are rounded to ${grouped(roundedTo)} ${decimals}`]),
    ...(topOnly === undefined
      ? []
      : [
          topOnly === 1
            ? 'probabilities are shown for the likeliest label only'
            : `probabilities are shown for the ${grouped(topOnly)} likeliest labels only`,
        ]),
    ...(disagrees > 0
      ? [
          `in ${percent(disagrees, 1)} of answers the label is not the likeliest by its own probabilities: it is drawn, or they are from before it is decided`,
        ]
      : []),
  ];
}

/** Returns the figures of a relay check by their names. */
export function relayFacts({
  closedSince,
  coins,
  log,
}: RelayPart): readonly (readonly [name: string, value: string])[] {
  const { asked, agreeing, keys, log10E } = coins;
  const key = keys === 1 ? 'the key in use' : `the best fitting of ${grouped(keys)} keys in use`;
  const during =
    log.found === 0
      ? 'none'
      : `${grouped(log.found)}, by ${grouped(log.tenants)} ${log.tenants === 1 ? 'tenant' : 'tenants'}, ${grouped(log.ofAuditedTenant)} by the audited one; ${grouped(log.inWindow)} within ${duration(log.windowSeconds)} before the suspect answered`;
  return [
    [
      'Audited epoch',
      closedSince === null ? 'not known to be closed' : `closed since ${moment(closedSince)}`,
    ],
    ['Questions nobody had asked before', grouped(log.probes)],
    [
      'Of them, came to us meanwhile',
      log.found === 0
        ? during
        : `${during}; ${grouped(log.earlier)} first came in a time as long before, log10 p ${boundAbove(log.log10P, 2)}`,
    ],
    [
      'Their coins',
      asked === 0
        ? 'none was asked'
        : `${grouped(agreeing)} of ${grouped(asked)} (${percent(agreeing, asked)}) follow ${key}; ${bans(log10E, 2)} bans for a relay over all keys`,
    ],
  ];
}

/** Returns what became of each action that the policy asks for. */
export function policySays({ actions }: PolicyPart): readonly string[] {
  return actions.map(({ tier, done, dry }) => {
    const became = done ? 'done' : dry ? 'not done, the policy is dry' : 'failed or not yet done';
    return `${tier}: ${became}`;
  });
}

/** Returns how many moments of custody there are of each grade, the strongest first. */
export function custodyCounts(custody: NonNullable<AuditReport['custody']>): string {
  return (['recomputed', 'anchored', 'asserted'] as const)
    .map((grade) => `${grouped(custody.filter((each) => each.grade === grade).length)} ${grade}`)
    .join(', ');
}

/**
 * Returns what limits the finding whatever the verdict: testimony, custody, power, the suspect's way
 * of answering, and what was not checked. Our own words only.
 */
export function limitsOf(report: AuditReport): readonly string[] {
  const { plan, custody = [], checks, relay, power, stopping } = report;
  const asserted = custody.filter(({ grade }) => grade === 'asserted').length;
  return [
    'The suspect’s answers are the auditor’s testimony until somebody else asks the sealed probes again.',
    ...(plan.standing === 'self-attested'
      ? [
          'Whoever controls the serving log could have prepared it; to a third party this result is self-attested.',
        ]
      : []),
    ...(asserted > 0
      ? [
          `Of the ${grouped(custody.length)} moments of custody, ${grouped(asserted)} are asserted: nobody but the owner says so.`,
        ]
      : []),
    ...(power === null ? ['How likely this audit was to find a surrogate was not rehearsed.'] : []),
    ...(checks?.likelyCaching
      ? ['A suspect that repeats stored answers shows less by being asked twice.']
      : []),
    ...(checks?.samples
      ? ['Labels that are drawn by chance dilute evidence; they do not make any.']
      : []),
    ...(relay === undefined || relay === null ? [] : relayLimits(relay)),
    ...(stopping?.rule === 'threshold'
      ? [
          'The audit could stop early, so that scores hold at every step and p-values are given only where they do.',
        ]
      : []),
    'No verdict speaks of intent, and none says that a model never learned from our answers.',
  ];
}

function relayLimits({ finding }: RelayPart): readonly string[] {
  if (finding === 'relay-likely') return [];
  return [
    finding === 'not-testable'
      ? 'Whether the suspect forwards questions to our own service could not be tested.'
      : 'That nothing speaks for a relay rests on the owner’s own log; one that rewrites questions, or asks a gateway whose log is elsewhere, shows no sign.',
  ];
}
