import { foreign, html, type Markup } from './markup.ts';
import type { AuditReport } from './model.ts';
import {
  answeringSays,
  limitsOf,
  policySays,
  relayFacts,
  spendingSays,
  stoppingSays,
} from './part-words.ts';
import { nullRows } from './plots/null-rows.ts';
import { nullDistributions } from './plots/nulls.ts';
import { powerCurve } from './plots/power-curve.ts';
import { facts } from './sections.ts';
import { bans, grouped, percent } from './text.ts';

type Facts = Parameters<typeof facts>[0];

/** Returns evidence that disagrees, or that none does; nothing where it was not looked for. */
export function conflicts({ conflicts: found }: AuditReport): Markup {
  if (found === undefined) return html``;
  if (found.length === 0) return html`<p class="quiet">No two tests disagree.</p>`;
  const items = found.map(
    ({ tests: [first, second], says }) =>
      html`<li><b>${foreign(first, 60)}</b> and <b>${foreign(second, 60)}</b>: ${foreign(says, 600)}</li>`,
  );
  return html`<section class="warning" aria-label="Evidence that disagrees"><h3>Evidence that disagrees</h3><ul>${items}</ul></section>`;
}

/** Returns the picture of null distributions with the observed marks; nothing without any. */
export function nulls(report: AuditReport): Markup {
  const { nulls: found = [] } = report;
  if (found.length === 0) return html``;
  const left = found.length - nullRows(report).length;
  return html`<figure>
<h3>What chance would give</h3>
<figcaption>Grey: what a model that is independent of the key gives, or for reference tests each reference model as a tick. Coloured: where the suspect is.${left > 0 ? ` ${grouped(left)} more are in the JSON report.` : ''}</figcaption>
${{ markup: nullDistributions(report, 720) }}${{ markup: nullDistributions(report, 360) }}
</figure>`;
}

/** Returns what the relay check found, below the ways by which answers come to depend on a key. */
export function relay({ relay: check }: AuditReport): Markup {
  if (check === undefined || check === null) return html``;
  return html`<h3>Does it forward questions to us?</h3>
<p>${foreign(check.says, 600)}</p>
${facts(relayFacts(check).map(([name, value]) => [name, html`${value}`] as const))}`;
}

/** Returns what was spent, when the asking stopped and how the suspect answers, as further facts. */
export function askingFacts({ stopping, budget, checks }: AuditReport): Facts {
  const spending = budget === undefined ? [] : spendingSays(budget);
  return [
    ...(stopping === undefined ? [] : [['Stopping', html`${stoppingSays(stopping)}`] as const]),
    ...(spending.length === 0 ? [] : [['Spent', lines(spending)] as const]),
    ...(checks === undefined
      ? []
      : [['How it answers', html`${lines(answeringSays(checks))}${notes(checks.notes)}`] as const]),
  ];
}

function lines(texts: readonly string[]): Markup {
  return html`${texts.map((text, index) => html`${index > 0 ? '; ' : ''}${text}`)}`;
}

function notes(texts: readonly string[]): Markup {
  return html`${texts.slice(0, 12).map((text) => html`; ${foreign(text, 300)}`)}`;
}

/** Returns what became of the policy's actions, as part of a fact; nothing without any. */
export function policyActions({ policy }: AuditReport): Markup {
  if (policy === undefined || policy.actions.length === 0) return html``;
  return html`. ${lines(policySays(policy))}`;
}

/** Returns what the audit would have found: the statement, and the curve of rehearsals. */
export function power({ power: found }: AuditReport): Markup {
  if (found === null) return html``;
  const { statement, lower, curve = [], rehearsal } = found;
  const rows = curve.map(
    ({ answers, share, lower: least, upper, meanBans }) =>
      html`<tr><th scope="row" class="number">${grouped(answers)}</th><td class="number">${percent(share, 1)}</td><td class="number">${percent(least, 1)} to ${percent(upper, 1)}</td><td class="number">${bans(meanBans)}</td></tr>
`,
  );
  const pictures = html`<figure>
<h3>Power by answers leaked</h3>
<figcaption>Share of rehearsed students that an audit of this size found, with its confidence band.</figcaption>
${{ markup: powerCurve(curve, 720) }}${{ markup: powerCurve(curve, 360) }}
</figure>
<div class="scroll" role="region" aria-label="Power" tabindex="0"><table class="power-table">
<thead><tr><th scope="col" class="number">Answers learned from</th><th scope="col" class="number">Found</th><th scope="col" class="number">Confidence bounds</th><th scope="col" class="number">Mean bans</th></tr></thead>
<tbody>${rows}</tbody></table></div>`;
  return html`<h2>What this audit would have found</h2>
<p>${foreign(statement, 600)}${lower === undefined ? '' : ` Lower confidence bound: ${percent(lower, 1)}.`}${rehearsal === undefined ? '' : html` Rehearsal: ${foreign(rehearsal, 200)}.`}</p>
${curve.length === 0 ? '' : pictures}`;
}

/** Returns assumptions and limits, which are one section so that nobody has to collect them. */
export function assumptionsAndLimits(report: AuditReport): Markup {
  const tests = new Map<string, string[]>();
  for (const { test, assumptions } of report.evidence.filter(({ counted }) => counted)) {
    for (const text of assumptions) tests.set(text, [...(tests.get(text) ?? []), test]);
  }
  const sealed = report.plan.assumptions.map(
    (text) =>
      html`<li>${foreign(text, 600)} <span class="quiet">(sealed into the plan)</span></li>`,
  );
  const counted = [...tests]
    .slice(0, 40)
    .map(
      ([text, names]) =>
        html`<li>${foreign(text, 600)} <span class="quiet">(${names.slice(0, 6).map((name, index) => html`${index > 0 ? ', ' : ''}${foreign(name, 60)}`)})</span></li>`,
    );
  const limits = limitsOf(report).map((text) => html`<li>${text}</li>`);
  return html`<h2>Assumptions and limits</h2>
<div class="columns">
<div><h3>Assumed</h3>${sealed.length + counted.length === 0 ? html`<p>Neither the plan nor a counted test assumes anything beyond its null.</p>` : html`<ul>${sealed}${counted}</ul>`}</div>
<div><h3>Limits</h3><ul>${limits}</ul></div>
</div>`;
}
