import { html, type Markup } from './markup.ts';
import { type AuditReport, keyedBans, shownBans } from './model.ts';
import { bans, boundAbove, grouped, visible } from './text.ts';
import { besideVerdict, bound, plain, restsOn, verdictDoesNotSay, verdictSays } from './words.ts';

type Evidence = AuditReport['evidence'][number];

/**
 * Returns the report as JUnit XML, for pipelines that show such files: one suite, a case for each
 * test and one for the verdict. The verdict fails on a match and is skipped when inconclusive;
 * tests do not fail by themselves, because only the merged score decides, and are skipped where they
 * did not apply. Scores stand in `system-out`. Characters that XML 1.0 forbids are shown, not sent.
 */
export function renderJunit(report: AuditReport): string {
  const { evidence, verdict, run } = report;
  const totals = {
    tests: evidence.length + 1,
    failures: verdict === 'match' ? 1 : 0,
    skipped:
      evidence.filter(({ status }) => status === 'not-applicable').length +
      (verdict === 'inconclusive' ? 1 : 0),
    seconds: run.seconds.toFixed(3),
  };
  const counts = html`tests="${totals.tests}" failures="${totals.failures}" errors="0" skipped="${totals.skipped}" time="${totals.seconds}"`;
  return html`<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="touchmark" ${counts}>
<testsuite name="Audit of ${visible(report.suspect.name)}" timestamp="${new Date(report.startedAt).toISOString()}" ${counts}>
<properties>
${properties(report)}</properties>
${evidence.map((test) => testCase(report, test))}${verdictCase(report)}</testsuite>
</testsuites>
`.markup;
}

function properties(report: AuditReport): readonly Markup[] {
  const { plan, dossier } = report;
  const { operator } = report.suspect;
  const values = {
    verdict: report.verdict,
    score: String(keyedBans(report)),
    threshold: String(plan.threshold),
    tier: report.tier,
    tenant: visible(report.tenant),
    'plan-hash': plan.hash,
    standing: plan.standing,
    ...(report.relay ? { relay: report.relay.finding } : {}),
    ...(operator === undefined ? {} : { operator: visible(operator) }),
    ...(dossier ? { 'dossier-digest': dossier.digest } : {}),
  };
  return Object.entries(values).map(
    ([name, value]) => html`<property name="${name}" value="${value}"/>
`,
  );
}

function testCase(report: AuditReport, evidence: Evidence): Markup {
  const skipped =
    evidence.status === 'not-applicable' ? html`<skipped message="not applicable"/>` : html``;
  const lines = [
    `${bans(shownBans(report, evidence), 2)} bans${evidence.counted ? '' : ', not counted'}`,
    `null: ${evidence.null}`,
    ...(evidence.log10P === undefined ? [] : [`log10 p: ${boundAbove(evidence.log10P, 2)}`]),
    `probes: ${grouped(evidence.probes)}, ${evidence.status}`,
  ];
  return html`<testcase classname="touchmark.tests" name="${visible(evidence.test)}">${skipped}<system-out>${printed(lines)}</system-out></testcase>
`;
}

function verdictCase(report: AuditReport): Markup {
  const says = plain(verdictSays(report));
  const beside = besideVerdict(report);
  const lines = [
    `score ${bans(keyedBans(report), 2)} bans, threshold ${grouped(report.plan.threshold)}`,
    ...(report.verdict === 'match' ? [] : [plain(bound(report))]),
    ...(beside === '' ? [] : [beside]),
    ...(report.plan.assumptions.length === 0 ? [] : [plain(restsOn(report))]),
    verdictDoesNotSay(report),
    `full report: ${visible(report.files.html)}`,
  ];
  const result = {
    match: html`<failure type="match" message="${says}"/>`,
    inconclusive: html`<skipped message="${says}"/>`,
    'no-match-found': html``,
  }[report.verdict];
  return html`<testcase classname="touchmark.verdict" name="verdict" time="${report.run.seconds.toFixed(3)}">${result}<system-out>${printed([says, ...lines])}</system-out></testcase>
`;
}

function printed(lines: readonly string[]): readonly Markup[] {
  return lines.map(
    (line) => html`${line}
`,
  );
}
