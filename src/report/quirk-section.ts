import { type FingerprintPart, fingerprintTest, type QuirkFinding } from './fingerprint.ts';
import { foreign, html, type Markup } from './markup.ts';
import { type AuditReport, quirkCounts } from './model.ts';
import { quirksSideBySide } from './plots/quirks.ts';
import { facts } from './sections.ts';
import { bans, grouped, percent, pValue } from './text.ts';

/**
 * Returns the quirks of the suspect beside those of the protected model and of the references, as a
 * picture, a table and the facts of the asking; nothing for a report without fingerprints.
 */
export function quirks(report: AuditReport): Markup {
  const { fingerprint } = report;
  if (fingerprint === undefined) return html``;
  const weighed = fingerprint.quirks.some(({ weight }) => weight > 0);
  const counts = fingerprint.quirks.some((quirk) => quirkCounts(report, quirk));
  return html`<h2>Quirks</h2>
<p>A quirk is a deviation from models that never saw an answer of the protected model: what is weighed is not likeness, but whether the suspect goes further in the protected model’s own direction than models known to be independent do.${weighed && !counts ? html` In this audit the test <code>${fingerprintTest}</code> is not counted: it counts where the owner vouches for the references (<code>audit.referencesExchangeable</code>).` : ''}</p>
<figure>
<h3>Quirks side by side</h3>
<figcaption>On each row 0 is the median of the references and 1 the protected model. Bars hold the middle 90% of the references, ticks are single models; hatched rows are not counted, and arrows point to what lies outside the picture.</figcaption>
<ul class="keys">
<li><span class="key suspect"></span>suspect</li><li><span class="key protected"></span>protected model</li><li><span class="key same"></span>references, same training data</li><li><span class="key other"></span>references, other data</li>
</ul>
${{ markup: quirksSideBySide(report, 720) }}${{ markup: quirksSideBySide(report, 360) }}
</figure>
${table(report, fingerprint)}
${asking(fingerprint)}`;
}

function table(report: AuditReport, { quirks: found, references }: FingerprintPart): Markup {
  return html`<div class="scroll" role="region" aria-label="Quirks" tabindex="0"><table>
<caption>R: ${grouped(references.same)} reference models trained on the same data and ${grouped(references.other)} on other data rank the suspect; the smallest p that they allow is ${pValue(references.smallestP)}.</caption>
<thead><tr><th scope="col">Quirk</th><th scope="col" class="number">Weight</th><th scope="col" class="number">p, same data</th><th scope="col" class="number">p, other data</th><th scope="col" class="number">Bans</th></tr></thead>
<tbody>${found.map((quirk) => row(quirk, quirkCounts(report, quirk)))}</tbody>
</table></div>
<p class="quiet">p-values are rounded up and bans down. The bans of a quirk are those of the smaller e-value of the two kinds of reference; what is not counted stands in parentheses. Quirks are related: their e-values are averaged by weight, never multiplied.</p>`;
}

function row(quirk: QuirkFinding, counted: boolean): Markup {
  const { name, meaning, weight } = quirk;
  return html`<tr class="${counted ? 'counted' : 'uncounted'}"><th scope="row">${foreign(name, 60)}<span class="note">${foreign(meaning, 300)}</span></th><td class="number">${weight > 0 ? grouped(weight) : 'descriptive'}</td>${results(quirk, counted)}</tr>
`;
}

function results({ suspect, why, pSame, pOther, log10E }: QuirkFinding, counted: boolean): Markup {
  if (suspect === null) {
    return html`<td colspan="3">not applicable: ${foreign(why ?? '', 200)}</td>`;
  }
  const rank = (p: number | null) => (p === null ? '–' : pValue(p));
  const found = log10E === null ? '–' : bans(log10E, 2);
  return html`<td class="number">${rank(pSame)}</td><td class="number">${rank(pOther)}</td><td class="number">${counted || log10E === null ? found : `(${found})`}</td>`;
}

function asking(fingerprint: FingerprintPart): Markup {
  const { questions, answered, steadiness } = fingerprint;
  return facts([
    [
      'Questions answered',
      html`${grouped(answered)} of ${grouped(questions)} (${percent(answered, questions)})`,
    ],
    [
      'Repeated questions',
      steadiness === null
        ? html`none was repeated`
        : html`${percent(steadiness, 1)} were answered alike`,
    ],
    ['Probe set', html`<code>${foreign(fingerprint.probeSet)}</code>`],
    ['Protected model', html`<code>${foreign(fingerprint.protectedModel)}</code>`],
  ]);
}
