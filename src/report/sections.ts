import { foreign, foreignList, html, type Markup } from './markup.ts';
import { type AuditReport, keyedBans, shownBans } from './model.ts';
import { bans, boundAbove, duration, grouped, moment, percent } from './text.ts';
import { nullMeanings, testMeanings, tierMeanings } from './words.ts';

type Evidence = AuditReport['evidence'][number];

type Facts = readonly (readonly [name: string, value: Markup])[];

/** Returns who was audited against whom, and what the policy made of it, as a list of facts. */
export function parties(report: AuditReport, actions: Markup): Markup {
  const { suspect, protectedModel, plan } = report;
  const labels = suspect.labels === 0 ? 'labels not listed' : `${grouped(suspect.labels)} labels`;
  const standing =
    plan.standing === 'timestamped'
      ? 'timestamped: an authority dated the records and the plan, and a public random round ordered the questions; whether the suspect was available by then, the reader has to know'
      : 'self-attested: that keys, records, plan and the order of questions came before the suspect’s answers is at least in part the owner’s word; see the timeline of custody';
  return facts([
    ['Suspect', html`${foreign(suspect.name)}, ${labels}, gives ${foreignList(suspect.gives)}`],
    ['Address', html`<code>${foreign(suspect.address, 200)}</code>`],
    ...(suspect.operator === undefined
      ? []
      : [['Operator', html`${foreign(suspect.operator, 200)}, by the owner’s word`] as const]),
    [
      'Protected model',
      html`${foreign(protectedModel.name)}, version ${foreign(protectedModel.version)}, ${grouped(protectedModel.labels.length)} labels`,
    ],
    ['Tenant', foreign(report.tenant)],
    ['Epochs', foreignList(report.epochs)],
    ['Audited', html`${moment(report.startedAt)} to ${moment(report.finishedAt)}`],
    ['Policy tier', html`${tierMeanings[report.tier]}${actions}`],
    ['Standing', html`${standing}`],
  ]);
}

/** Returns the table of evidence, with the arithmetic that leads to the score at its foot. */
export function evidenceTable(report: AuditReport): Markup {
  const foot = (title: Markup, value: string, kind = '') =>
    html`<tr class="${kind}"><th scope="row" colspan="3">${title}</th><td class="number">${value}</td><td colspan="3"></td></tr>`;
  const charges = report.multiplicity.map(({ reason, bans: charge }) =>
    foot(html`Charged: ${foreign(reason, 200)}`, `−${boundAbove(charge, 2)}`),
  );
  return html`<div class="scroll" role="region" aria-label="Evidence by test" tabindex="0"><table>
<thead><tr><th scope="col">Test</th><th scope="col">Null</th><th scope="col">Counted</th><th scope="col" class="number">Bans</th><th scope="col" class="number">log<sub>10</sub> p</th><th scope="col" class="number">Probes</th><th scope="col">Status</th></tr></thead>
<tbody>${report.evidence.map((test, index) => evidenceRow(report, test, index))}</tbody>
<tfoot>${foot(html`Counted tests, merged`, bans(report.rawScore, 2))}${charges}${foot(html`Score`, bans(report.score, 2), 'total')}${report.score === keyedBans(report) ? '' : foot(html`Score of keyed tests alone`, bans(keyedBans(report), 2), 'total')}</tfoot>
</table></div>
<p class="quiet">Bans are rounded down and log<sub>10</sub> p up; what is not counted stands in parentheses. A p-value is absent where a test may stop early.</p>`;
}

function evidenceRow(report: AuditReport, evidence: Evidence, index: number): Markup {
  const found = bans(shownBans(report, evidence), 2);
  return html`<tr class="${evidence.counted ? 'counted' : 'uncounted'}"><th scope="row"><span class="swatch series-${(index % 6) + 1}"></span>${foreign(evidence.test, 60)}</th><td>${evidence.null}</td><td>${evidence.counted ? 'yes' : 'no'}</td><td class="number">${evidence.counted ? found : `(${found})`}</td><td class="number">${evidence.log10P === undefined ? '–' : boundAbove(evidence.log10P, 2)}</td><td class="number">${grouped(evidence.probes)}</td><td>${evidence.status.replace('-', ' ')}</td></tr>
`;
}

/** Returns how the asking went. */
export function runFacts({ run, plan }: AuditReport, more: Facts): Markup {
  const share = (value: number) => `${grouped(value)} (${percent(value, run.probesAsked)})`;
  return facts([
    ['Probes asked', html`${grouped(run.probesAsked)} of a horizon of ${grouped(plan.horizon)}`],
    ['Answered', html`${share(run.answered)}`],
    ['Outside the label set', html`${share(run.outsideLabels)}`],
    ['Refused', html`${share(run.refused)}`],
    ['Failed', html`${share(run.failed)}`],
    ['Not supported', html`${share(run.unsupported)}`],
    ['Requests', html`${grouped(run.requests)}, of them ${grouped(run.retries)} repeated`],
    ['Time', html`${duration(run.seconds)}`],
    ...more,
  ]);
}

/** Returns what was fixed before the first probe. */
export function sealedPlan({ plan }: AuditReport): Markup {
  return facts([
    ['Hash', html`<code>${foreign(plan.hash)}</code>`],
    ['Sealed', html`${moment(plan.sealedAt)}`],
    ['Public randomness', plan.beacon === null ? html`none` : html`${foreign(plan.beacon, 200)}`],
    ['Threshold', html`${grouped(plan.threshold)} bans`],
    ['Horizon', html`${grouped(plan.horizon)} probes`],
    ['Tests', foreignList(plan.tests)],
  ]);
}

/** Returns the ways by which answers can come to depend on a key: ruled out, and not. */
export function ways({ ruledOut, notRuledOut }: AuditReport): Markup {
  const out = ruledOut.map(({ way, how }) => entry(way, how));
  const open = notRuledOut.map(({ way, why }) => entry(way, why));
  return html`<div class="columns ways">
<div><h3>Ruled out, and how</h3>${out.length > 0 ? html`<dl>${out}</dl>` : html`<p>Nothing.</p>`}</div>
<div><h3>Not ruled out, and why</h3>${open.length > 0 ? html`<dl>${open}</dl>` : html`<p>Nothing is listed.</p>`}</div>
</div>`;
}

/** Returns the traps that the audit has exposed, as commitments, and what is left in stock. */
export function traps({ traps: found }: AuditReport): Markup {
  if (found === undefined) return html``;
  const rows = found.lots.map(
    ({ kind, set, lot, commitments, expectedBans, root, revealed }) =>
      html`<tr><th scope="row">${kind}</th><td><code>${foreign(set, 60)}</code></td><td class="number">${grouped(lot)}</td><td class="number">${grouped(commitments.length)}</td><td class="number">${bans(expectedBans, 2)}</td></tr>
<tr class="quiet"><td colspan="5"><details><summary>Root and commitments</summary><p><code>${foreign(root)}</code></p><p><code>${foreignList(commitments, 200)}</code></p></details>${revealed === undefined ? '' : revealedTraps(revealed)}</td></tr>`,
  );
  const table = html`<div class="scroll" role="region" aria-label="Traps" tabindex="0"><table>
<thead><tr><th scope="col">Kind</th><th scope="col">Set</th><th scope="col" class="number">Lot</th><th scope="col" class="number">Traps</th><th scope="col" class="number">Bans expected</th></tr></thead>
<tbody>${rows}</tbody></table></div>`;
  return html`<h2>Traps</h2>
${found.lots.length === 0 ? html`<p>No sealed traps were used.</p>` : html`<p>Sealed before their use and shown to this suspect only; from now on nobody else will be shown them. They stand here as commitments: the questions stay with the owner.</p>${table}`}
<p>${stockLeft(found)}${found.lots.some(({ kind }) => kind === 'region') ? ' What region lots are expected to give cannot be added up: they share their references.' : ''}</p>`;
}

type Traps = NonNullable<AuditReport['traps']>;

function revealedTraps(revealed: NonNullable<Traps['lots'][number]['revealed']>): Markup {
  const items = revealed.map(
    ({ question, label }) =>
      html`<li>${question === '' ? 'no longer in the serving log' : foreign(question, 300)}: ${foreign(label, 60)}</li>`,
  );
  return html`<details><summary>Revealed: questions, and what the protected model answered</summary><ol>${items}</ol></details>`;
}

function stockLeft({ remaining }: Traps): Markup {
  const parts = remaining.map(
    ({ kind, audits }, index) =>
      html`${index > 0 ? ', and ' : ''}${grouped(audits)} more with ${kind} traps`,
  );
  return html`The stock can serve ${parts}, at this audit’s number of lots.`;
}

/** Returns everything else that a test reported: its null, assumptions, effects, keys, left-out probes. */
export function testDetails({ evidence }: AuditReport): Markup {
  return html`${evidence.map((test) => {
    const meaning = testMeanings.get(test.test);
    return html`<section class="test"><h3>${foreign(test.test, 60)}</h3>
${meaning === undefined ? '' : html`<p>${meaning}</p>`}${facts([
  ['Null', html`${test.null}: ${nullMeanings[test.null]}`],
  [
    'Assumes',
    test.assumptions.length === 0 ? html`nothing further` : foreignList(test.assumptions),
  ],
  ['Measured', tally(test.effect)],
  ['Left out', tally(test.skipped)],
  ['Key commitments', html`<code>${foreignList(test.keyMaterial, 6)}</code>`],
])}</section>`;
  })}`;
}

function tally(values: Readonly<Record<string, number>>): Markup {
  const entries = Object.entries(values);
  if (entries.length === 0) return html`–`;
  const shown = entries.slice(0, 24).map(([name, value], index) => {
    return html`${index > 0 ? '; ' : ''}${foreign(name, 60)} ${grouped(value)}`;
  });
  return html`${shown}${entries.length > 24 ? ` and ${entries.length - 24} more` : ''}`;
}

function entry(name: string, text: string): Markup {
  return html`<dt>${foreign(name, 200)}</dt><dd>${foreign(text, 600)}</dd>`;
}

/** Returns a list of named facts. */
export function facts(entries: Facts): Markup {
  return html`<dl class="facts">${entries.map(([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>`)}</dl>`;
}
