import type { NullKind } from '../contracts.ts';
import { type AuditReport, keyedBans, type Verdict } from './model.ts';
import { bans, grouped, visible } from './text.ts';

/** A piece of a sentence: our words, a name that somebody else chose, or a power of ten. */
export type Fragment = string | { readonly name: string } | { readonly exponent: string };
export type Phrase = readonly Fragment[];

/** How many characters of a name fit into a sentence. */
export const nameLimit = 100;

/** The verdicts as they are printed. */
export const verdictTitles: Readonly<Record<Verdict, string>> = {
  match: 'Match',
  'no-match-found': 'No match found',
  inconclusive: 'Inconclusive',
};

/** What each policy tier asks for. */
export const tierMeanings: Readonly<Record<AuditReport['tier'], string>> = {
  none: 'none: no action follows from this score',
  notify: 'notify: tell the people in charge',
  restrict: 'restrict: limit what this tenant may ask',
  escalate: 'escalate: bring it before those who decide about claims',
};

/** What each kind of null hypothesis rests on. */
export const nullMeanings: Readonly<Record<NullKind, string>> = {
  keyed: 'the chance is in our secret key, so the bound holds whatever the suspect is',
  reference:
    'the suspect is ranked among models known to be independent, and the bound holds as far as an independent suspect is like them in kind, size, features and data',
  descriptive: 'shown for the reader, never counted',
};

/** One sentence on each test that the toolkit ships. */
export const testMeanings: ReadonlyMap<string, string> = new Map([
  [
    'probability-per-query',
    'Asks questions from the serving log again, and looks in the suspect’s probabilities for the one keyed sign that each served answer carried.',
  ],
  [
    'probability-signs',
    'Looks in the suspect’s probabilities, on inputs that were chosen without the key, for the pattern of keyed signs that all served answers shared.',
  ],
  [
    'probability-signs-replay',
    'Looks for the shared pattern of keyed signs on the logged questions, against a twin trained on the same questions without marks.',
  ],
  [
    'label-coins',
    'Asks close-call questions from the serving log again, and counts how often the suspect’s label falls the way our keyed coin fell.',
  ],
  [
    'region-traps',
    'Asks questions that were chosen because copies of the protected model agree with it there and other models do not, and ranks the suspect among models known to be independent.',
  ],
  [
    'fingerprint-quirks',
    'Asks a fixed set of ordinary questions, and ranks how far the suspect shares the protected model’s deviations from models known to be independent.',
  ],
]);

/** Returns a phrase as plain text with powers as `10^-6.0`. */
export function plain(phrase: Phrase): string {
  return phrase
    .map((part) => {
      if (typeof part === 'string') return part;
      return 'name' in part
        ? visible(part.name, nameLimit)
        : `10^${part.exponent.replace('−', '-')}`;
    })
    .join('');
}

/** Returns what the verdict says, as one sentence. */
export function verdictSays(report: AuditReport): Phrase {
  const ofTenant: Phrase = ['the key of tenant ', { name: report.tenant }, ...inEpochs(report)];
  switch (report.verdict) {
    case 'match':
      return ['This model’s answers depend on ', ...ofTenant, ': ', ...bound(report)];
    case 'no-match-found':
      return [
        'No dependence of this model’s answers on ',
        ...ofTenant,
        ` was found in ${grouped(report.run.probesAsked)} probes: the score stayed below the sealed threshold of ${grouped(report.plan.threshold)} bans.`,
      ];
    case 'inconclusive':
      return [
        'The evidence that this model’s answers depend on ',
        ...ofTenant,
        ` stays below the sealed threshold of ${grouped(report.plan.threshold)} bans, and the audit was too short or too weak to report that nothing was found.`,
      ];
  }
}

/** Returns what the verdict does not say, as one sentence. */
export function verdictDoesNotSay(report: AuditReport): string {
  switch (report.verdict) {
    case 'match':
      return 'It does not say how that came about or that anybody intended it, and the bound is not the probability that this model is independent.';
    case 'no-match-found':
      return 'It does not say that the model never learnt from our answers: it speaks only for the students, attacks and API shape that were rehearsed.';
    case 'inconclusive':
      return 'It is a finding neither against this model nor in its favour.';
  }
}

/** Returns what stands beside the verdict where the suspect may be a relay; empty elsewhere. */
export function besideVerdict({ relay, verdict }: AuditReport): string {
  if (relay?.finding === 'relay-likely') {
    return verdict === 'match'
      ? 'Relay likely: the suspect seems to forward questions to our own service. Its answers may depend on the key because they are ours, and this match does not show a model that learned from them.'
      : 'Relay likely: the suspect seems to forward questions to our own service, so that what answered may not be a model of its own.';
  }
  return relay?.finding === 'not-testable' && verdict === 'match'
    ? 'A relay is not excluded: a suspect that forwards questions to our own service could match without having learned from it.'
    : '';
}

/** Returns the verdict as it is printed, with the doubt that goes with it. */
export function verdictTitle({ verdict, relay }: Pick<AuditReport, 'verdict' | 'relay'>): string {
  const title = verdictTitles[verdict];
  if (relay?.finding === 'relay-likely') return `${title}, relay likely`;
  const isOpen = relay?.finding === 'not-testable' && relay.closedSince === null;
  return isOpen && verdict === 'match' ? `${title}, relay not excluded` : title;
}

/** Returns the assumptions that the owner sealed into the plan, as a sentence; empty for none. */
export function restsOn({ plan }: AuditReport): Phrase {
  if (plan.assumptions.length === 0) return [];
  const shown = plan.assumptions
    .slice(0, 4)
    .flatMap((name, index) => [index > 0 ? '; ' : '', { name }]);
  const more = plan.assumptions.length > 4 ? `; and ${plan.assumptions.length - 4} more` : '';
  return ['It rests on what the owner assumed in the sealed plan: ', ...shown, more, '.'];
}

/** Returns the bound of the keyed score on independent models, rounded so as not to overstate. */
export function bound(report: AuditReport): Phrase {
  const keyed = bans(keyedBans(report));
  if (keyed.startsWith('−') || keyed === '0.0') {
    return ['the score puts no bound on independent models.'];
  }
  return [
    'an independent model scores this high with probability at most ',
    { exponent: `−${keyed}` },
    '.',
  ];
}

/** Returns what reference evidence makes of the score, in parentheses; empty where it has none. */
export function withReferences(report: AuditReport): string {
  if (report.score === keyedBans(report)) return '';
  return ` (${bans(report.score)} with reference evidence, on which no verdict rests)`;
}

function inEpochs({ epochs }: AuditReport): Phrase {
  if (epochs.length === 0) return [];
  const shown = epochs.slice(0, 4).flatMap((name, index) => [index > 0 ? ', ' : '', { name }]);
  const more = epochs.length > 4 ? ` and ${epochs.length - 4} more` : '';
  return [epochs.length === 1 ? ' in epoch ' : ' in epochs ', ...shown, more];
}
