import type { AuditReport } from './model.ts';
import {
  answeringSays,
  custodyCounts,
  policySays,
  relayFacts,
  spendingSays,
  stoppingSays,
} from './part-words.ts';
import { nullRows } from './plots/null-rows.ts';
import { bans, grouped, percent, visible, wrapped } from './text.ts';

/** Returns the optional parts of a report as lines of at most 100 columns; none for none. */
export function partLines(report: AuditReport): string[] {
  const { stopping, budget, checks, custody = [], dossier, policy } = report;
  const spending = budget === undefined ? [] : spendingSays(budget);
  const actions = policy === undefined ? [] : policySays(policy);
  return [
    ...(stopping === undefined ? [] : said('stopping', stoppingSays(stopping))),
    ...(spending.length === 0 ? [] : said('spent', spending.join('; '))),
    ...(checks === undefined ? [] : said('answers', answering(checks))),
    ...nullLines(report),
    ...conflictLines(report),
    ...relayLines(report),
    ...powerLines(report),
    ...(custody.length === 0 ? [] : said('custody', custodyCounts(custody))),
    ...(dossier === undefined || dossier === null
      ? []
      : [...said('dossier', visible(dossier.file)), `  ${dossier.digest}`]),
    ...(actions.length === 0 ? [] : said('policy', actions.slice(0, 6).join('; '))),
  ];
}

function said(name: string, text: string): string[] {
  return wrapped(`${name}: ${text}`);
}

function answering(checks: NonNullable<AuditReport['checks']>): string {
  const notes = checks.notes.slice(0, 3).map((note) => visible(note));
  return [...answeringSays(checks), ...notes].join('; ');
}

function nullLines(report: AuditReport): string[] {
  return nullRows(report).flatMap(({ test, note, observed }) =>
    said('chance', `${test} ${note} (${grouped(Math.round(observed * 10) / 10 || 0)} deviations)`),
  );
}

function conflictLines({ conflicts = [] }: AuditReport): string[] {
  return conflicts
    .slice(0, 3)
    .flatMap(({ tests: [first, second], says }) =>
      said(
        'CONFLICT',
        `${visible(first, 40)} and ${visible(second, 40)} disagree. ${visible(says, 400)}`,
      ),
    );
}

function relayLines({ relay }: AuditReport): string[] {
  if (relay === undefined || relay === null) return [];
  if (relay.finding === 'no-sign') return said('relay', visible(relay.says, 600));
  const figures = relayFacts(relay).map(([name, value]) => `${name.toLowerCase()}: ${value}`);
  return [...said('relay', visible(relay.says, 600)), ...wrapped(figures.join('; '))];
}

function powerLines({ power }: AuditReport): string[] {
  const curve = power?.curve ?? [];
  if (curve.length === 0) return [];
  const points = curve
    .slice(0, 8)
    .map(
      ({ answers, share, meanBans }) =>
        `${grouped(answers)} answers ${percent(share, 1)} (${bans(meanBans)} bans)`,
    );
  return said('power', points.join(', '));
}
