import { foreign, html, type Markup } from './markup.ts';
import type { AuditReport } from './model.ts';
import type { CustodyEntry } from './parts.ts';
import { custodyTimeline, inOrder, undrawnEvents } from './plots/custody.ts';
import { facts } from './sections.ts';
import { grouped, moment } from './text.ts';

const mostRows = 200;

const gradeMeanings: Readonly<Record<CustodyEntry['grade'], string>> = {
  recomputed: 'follows from what the dossier holds',
  anchored: 'a timestamp or witness outside says so',
  asserted: 'the owner says so',
};

/** Returns the timeline of custody as a picture and a table, and the dossier; nothing without both. */
export function custody(report: AuditReport): Markup {
  const { custody: found = [], dossier } = report;
  const sealed =
    dossier === undefined || dossier === null
      ? html``
      : html`<h3>Dossier</h3>${facts([
          ['File', html`<code>${foreign(dossier.file, 200)}</code>`],
          ['Digest', html`<code>${dossier.digest}</code>`],
          ['Signed with', html`<code>${foreign(dossier.keyIdentifier, 200)}</code>`],
          ['Check it with', html`<code>touchmark verify ${foreign(dossier.file, 200)}</code>`],
        ])}`;
  if (found.length === 0 && sealed.markup === '') return html``;
  return html`<h2>Timeline of custody</h2>
${found.length === 0 ? '' : timeline(inOrder(found))}${sealed}`;
}

function timeline(found: readonly CustodyEntry[]): Markup {
  const rows = found.slice(0, mostRows).map(
    ({ at, what, digest, grade }, index) =>
      html`<tr><th scope="row" class="number">${index + 1}</th><td>${moment(at)}</td><td>${foreign(what, 200)}${digest === null ? '' : html`<span class="note"><code>${digest}</code></span>`}</td><td><span class="grade ${grade}"></span>${grade}</td></tr>
`,
  );
  const undrawn = (width: 720 | 360) => {
    const left = undrawnEvents(found, width);
    return left > 0 ? ` The last ${grouped(left)} are in the table only.` : '';
  };
  const meanings = Object.entries(gradeMeanings).map(
    ([grade, meaning]) => html`<li><span class="grade ${grade}"></span>${grade}: ${meaning}</li>`,
  );
  return html`<p>What the audit rests on, in the order in which it came to be. Keys, traps and plan have to come before what they are used on.</p>
<figure>
<h3>From the key to the report</h3>
<figcaption>Numbers are those of the table; steps grow with the logarithm of the time between.${undrawn(720)}</figcaption>
<ul class="keys">${meanings}</ul>
${{ markup: custodyTimeline(found, 720) }}${{ markup: custodyTimeline(found, 360) }}
</figure>
<div class="scroll" role="region" aria-label="Timeline of custody" tabindex="0"><table class="custody">
<thead><tr><th scope="col" class="number">No.</th><th scope="col">When</th><th scope="col">What</th><th scope="col">Grade</th></tr></thead>
<tbody>${rows}</tbody></table></div>
${found.length > mostRows ? html`<p>${grouped(found.length - mostRows)} more are in the JSON report.</p>` : ''}`;
}
