import { custody } from './custody-section.ts';
import { foreign, html, type Markup, phrased } from './markup.ts';
import { type AuditReport, keyedBans, type Verdict } from './model.ts';
import * as parts from './part-sections.ts';
import { bansByTest } from './plots/bans-by-test.ts';
import { confusionMap, confusionSummary, shade, undrawnLabels } from './plots/confusion.ts';
import { evidenceByProbes } from './plots/evidence-by-probes.ts';
import { quirks } from './quirk-section.ts';
import * as sections from './sections.ts';
import { stylesheet } from './style.ts';
import { bans, grouped, moment, visible } from './text.ts';
import {
  besideVerdict,
  bound,
  restsOn,
  verdictDoesNotSay,
  verdictSays,
  verdictTitle,
  withReferences,
} from './words.ts';

const policy =
  "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'";

/**
 * Returns the report as one self-contained HTML page: no script, no reference to anything outside,
 * a content security policy that forbids both, SVG plots, light and dark, fit for print.
 * Everything that a suspect or a log could have written is escaped and shortened.
 */
export function renderHtml(report: AuditReport): string {
  const title = `${verdictTitle(report)}: ${visible(report.suspect.name, 60)}`;
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<meta name="generator" content="touchmark ${report.version}">
<title>${title} – touchmark audit</title>
<style>${{ markup: stylesheet }}</style>
</head>
<body>
<header>
<p class="masthead"><span><b>touchmark</b> audit report</span><span>${moment(report.finishedAt)}</span></p>
<h1>Audit of ${foreign(report.suspect.name, 60)} against ${foreign(report.protectedModel.name, 60)}</h1>
</header>
<main>
${banner(report)}
${sections.parties(report, parts.policyActions(report))}
<h2>What this says</h2>
${meaning(report)}
<h2>Evidence</h2>
${sections.evidenceTable(report)}
${parts.conflicts(report)}
${plots(report)}
<h2>How answers come to depend on a key</h2>
<p>Training on answers taken through the service is one way; a relay or cache of the service, or public data that holds its answers, are others.</p>
${sections.ways(report)}
${parts.relay(report)}
<h2>How the asking went</h2>
${sections.runFacts(report, parts.askingFacts(report))}
${sections.traps(report)}
${quirks(report)}
${parts.power(report)}
${custody(report)}
${parts.assumptionsAndLimits(report)}
<h2>The sealed plan</h2>
<p>Tests, probes, weights, threshold and horizon were fixed under this hash before the first probe was asked.</p>
${sections.sealedPlan(report)}
<h2>The tests one by one</h2>
${sections.testDetails(report)}
</main>
<footer>
<p>Written by touchmark ${report.version} (${report.schema}). Beside this page: the same report as <code>${foreign(report.files.json)}</code>, the sealed plan <code>${foreign(report.files.plan)}</code>, and every probe with its answer in <code>${foreign(report.files.runLog)}</code>.</p>
</footer>
</body>
</html>
`;
  return page.markup;
}

function banner(report: AuditReport): Markup {
  const below =
    report.verdict === 'match'
      ? ''
      : html` At ${bans(keyedBans(report))} bans, ${phrased(bound(report))}`;
  const rests = restsOn(report);
  const beside = besideVerdict(report);
  return html`<section class="banner ${report.verdict}" aria-label="Verdict">
<div class="headline"><p class="verdict-word">${verdictTitle(report)}</p><p class="score"><b>${bans(keyedBans(report))}</b> bans, threshold ${grouped(report.plan.threshold)}${withReferences(report)}</p></div>
<p class="statement">${phrased(verdictSays(report))}${below}</p>
${beside === '' ? '' : html`<p class="beside">${beside}</p>`}${rests.length === 0 ? '' : html`<p class="rests">${phrased(rests)}</p>`}<p class="quiet">${verdictDoesNotSay(report)}</p>
</section>`;
}

const notProven: Readonly<Record<Verdict, readonly string[]>> = {
  match: [
    'The bound is not the probability that the suspect is independent; that also depends on what else is known.',
    'It says nothing about intent, nor about the way by which the answers came to depend on the key.',
  ],
  'no-match-found': [
    'It does not clear the suspect: other students, fewer queries or a thorough washing can escape these tests.',
    'It reaches as far as the rehearsals did; the power is stated below.',
  ],
  inconclusive: [
    'It is no accusation: scores of this size also come about by chance.',
    'It does not clear the suspect either: a longer audit may find what this one could not.',
  ],
};

function meaning(report: AuditReport): Markup {
  const keyedOnly = report.evidence.every((test) => !test.counted || test.null === 'keyed');
  const means = [
    'The score weighs how far the suspect’s answers follow choices that only a secret key decided. One ban is a factor of ten.',
    keyedOnly
      ? 'Every counted test has its chance in the key, not in the suspect: the bound holds for any model that never saw our answers, however similar its data or design.'
      : 'Counted keyed tests hold whatever the suspect is, and the verdict rests on them alone; counted reference tests rank it among models known to be independent, and hold as far as an independent suspect is like those.',
    report.fingerprint === undefined
      ? 'Likeness is not evidence: agreement between the two models on ordinary questions is shown below and never counted.'
      : 'Likeness is not evidence: agreement between the two models on ordinary questions is shown below and never counted; a quirk counts only as far as independent models lack it.',
  ];
  const items = (texts: readonly string[]) => texts.map((text) => html`<li>${text}</li>`);
  return html`<div class="columns">
<div><h3>What it means</h3><ul>${items(means)}</ul></div>
<div><h3>What it does not prove</h3><ul>${items(notProven[report.verdict])}</ul></div>
</div>`;
}

function plots(report: AuditReport): Markup {
  const undrawn = undrawnLabels(report.confusion);
  const shares = [0.001, 0.01, 0.1, 1].map(
    (share) =>
      html`<li><span class="shade" style="opacity:${shade(share)}"></span>${share * 100}% of the row</li>`,
  );
  return html`<figure>
<h3>Evidence against probes</h3>
<figcaption>Bans as the answers came in. Colours are those of the table; dashed lines are not counted.</figcaption>
${{ markup: evidenceByProbes(report, 720) }}${{ markup: evidenceByProbes(report, 360) }}
</figure>
<figure>
<h3>Bans by test</h3>
<figcaption>What each test found by itself. Hatched bars are not counted.</figcaption>
${{ markup: bansByTest(report, 720) }}${{ markup: bansByTest(report, 360) }}
</figure>
${parts.nulls(report)}
<figure>
<h3>Suspect against protected model</h3>
<figcaption>Rows: the protected model’s label; columns: the suspect’s. ${confusionSummary(report.confusion)}${undrawn > 0 ? ` The ${undrawn} rarest labels are not drawn.` : ''}</figcaption>
<div class="scroll map" role="region" aria-label="Map of labels" tabindex="0">${{ markup: confusionMap(report.confusion) }}</div>
<ul class="shades">${shares}</ul>
</figure>`;
}
