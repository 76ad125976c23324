const light = `
  --paper: #fdfcfa; --panel: #f6f4ef; --ink: #1d1f22; --quiet: #5b5f66; --rule: #dedad2;
  --accent: #7c6a46; --threshold: #1d1f22; --heat: #23507f;
  --match: #8a2f1c; --no-match-found: #2b5876; --inconclusive: #6d5514;
  --series-1: #1f5fa8; --series-2: #a2461b; --series-3: #2b6e4f;
  --series-4: #7a3b8f; --series-5: #75600a; --series-6: #0f6674;
  --suspect: #1d1f22; --same-data: #2f6fb0; --other-data: #3d8a5f;
  --recomputed: #2b6e4f; --anchored: #1f5fa8; --asserted: #8a5a12;`;

const dark = `
  --paper: #15171a; --panel: #1d2024; --ink: #e9e6e0; --quiet: #a3a6ab; --rule: #35393f;
  --accent: #c6b185; --threshold: #e9e6e0; --heat: #8fc0f2;
  --match: #f2a490; --no-match-found: #96c5e6; --inconclusive: #e2c778;
  --series-1: #7fb2ea; --series-2: #f0a27a; --series-3: #7fcfa8;
  --series-4: #d3a2e6; --series-5: #e0c05a; --series-6: #6fcbd9;
  --suspect: #f4f1ea; --same-data: #7fb2ea; --other-data: #7fcfa8;
  --recomputed: #7fcfa8; --anchored: #7fb2ea; --asserted: #e6b866;`;

/** The stylesheet of the HTML report: light by default, dark on request, always light on paper. */
export const stylesheet = `
:root { color-scheme: light dark; ${light} }
@media (prefers-color-scheme: dark) { :root { ${dark} } }
* { box-sizing: border-box; }
html { background: var(--paper); -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }
body {
  margin: 0 auto; max-width: 49rem; padding: 2.5rem 1.5rem 4rem; color: var(--ink);
  background: var(--paper); font: 1rem/1.55 system-ui, -apple-system, "Segoe UI", "Noto Sans", sans-serif;
  overflow-wrap: anywhere; font-variant-numeric: tabular-nums;
}
h1, h2, .verdict-word, .statement, .score b {
  font-family: "Iowan Old Style", "Palatino Linotype", Palatino, Charter, "Noto Serif", Georgia, serif;
}
h1 { font-size: 1.3rem; font-weight: 400; line-height: 1.35; margin: .35rem 0 0; }
h2 { font-size: 1.3rem; font-weight: 600; line-height: 1.3; margin: 3.2rem 0 .9rem; break-after: avoid; }
h3 { font-size: 1rem; font-weight: 650; margin: 1.8rem 0 .4rem; break-after: avoid; }
p, ul, dl { margin: 0 0 .9rem; }
p, li { max-width: 44rem; }
ul { padding-left: 1.15rem; }
li { margin: .3rem 0; }
sup { font-size: .72em; line-height: 0; }
code { font: .86em/1.5 ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; }
.power { white-space: nowrap; }
.quiet { color: var(--quiet); }
.masthead {
  display: flex; flex-wrap: wrap; justify-content: space-between; gap: .2rem 1.5rem; margin: 0;
  color: var(--quiet); font-size: .88rem; max-width: none;
}
.masthead b { color: var(--accent); font-weight: 650; letter-spacing: .02em; }

.banner { border-top: 3px solid var(--verdict); border-bottom: 1px solid var(--rule); margin: 1.6rem 0 0; padding: 1.3rem 0 1.2rem; }
.banner.match { --verdict: var(--match); }
.banner.no-match-found { --verdict: var(--no-match-found); }
.banner.inconclusive { --verdict: var(--inconclusive); }
.headline { display: flex; flex-wrap: wrap; justify-content: space-between; align-items: baseline; gap: .2rem 2rem; }
.verdict-word { margin: 0; font-size: 2.5rem; line-height: 1.15; font-weight: 600; color: var(--verdict); }
.score { margin: 0; color: var(--quiet); }
.score b { font-size: 2.5rem; line-height: 1.15; font-weight: 400; color: var(--ink); padding-right: .15rem; }
.statement { font-size: 1.22rem; line-height: 1.5; margin: .8rem 0 0; }
.statement ~ p { margin: .6rem 0 0; }

.statement ~ .beside { border-left: 3px solid var(--inconclusive); padding-left: .8rem; margin: .9rem 0; font-weight: 600; }

.facts { display: grid; grid-template-columns: max-content 1fr; gap: .3rem 1.4rem; margin: 1.3rem 0 0; font-size: .93rem; }
.facts + p { margin-top: 1rem; }
.facts dt { color: var(--quiet); }
.facts dd { margin: 0; min-width: 0; }
.columns { display: grid; grid-template-columns: 1fr 1fr; gap: 0 2.4rem; }
.columns h3 { margin-top: 0; }
.columns li { font-size: .95rem; }

.scroll { overflow-x: auto; margin: 0 0 1rem; }
table { border-collapse: collapse; width: 100%; font-size: .9rem; overflow-wrap: normal; }
th, td { text-align: left; vertical-align: baseline; padding: .45rem .9rem .45rem 0; border-bottom: 1px solid var(--rule); }
th:last-child, td:last-child { padding-right: 0; }
thead th { color: var(--quiet); font-weight: 500; border-bottom: 1px solid var(--quiet); white-space: nowrap; }
tbody th { font-weight: 600; overflow-wrap: anywhere; min-width: 9rem; }
caption { text-align: left; max-width: calc(100vw - 2rem); padding-bottom: .5rem; color: var(--quiet); }
.note { display: block; min-width: 14rem; font-weight: 400; color: var(--quiet); }
.number { text-align: right; white-space: nowrap; }
.uncounted, .uncounted th { color: var(--quiet); font-weight: 400; }
tfoot th, tfoot td { border-bottom: 0; padding-top: .3rem; padding-bottom: .15rem; font-weight: 400; }
tfoot tr:first-child > * { padding-top: .7rem; }
tfoot .total > * { font-weight: 650; border-top: 1px solid var(--quiet); padding-top: .4rem; }
.swatch { display: inline-block; width: .7em; height: .7em; margin-right: .5em; border-radius: 1px; background: var(--series); border: 1px solid var(--series); }
.uncounted .swatch { background: none; border-style: dashed; }
.series-1 { --series: var(--series-1); } .series-2 { --series: var(--series-2); } .series-3 { --series: var(--series-3); }
.series-4 { --series: var(--series-4); } .series-5 { --series: var(--series-5); } .series-6 { --series: var(--series-6); }

figure { margin: 1.4rem 0 2.2rem; break-inside: avoid; }
figure h3 { margin: 0 0 .15rem; }
figcaption { font-size: .9rem; color: var(--quiet); margin-bottom: .7rem; }
svg.plot { display: block; width: 100%; height: auto; overflow: visible; font-family: inherit; font-variant-numeric: tabular-nums; }
svg.plot text { white-space: pre; }
svg.narrow { display: none; }
.map svg { min-width: 34rem; }
.map { margin-bottom: 0; }
.shades { display: flex; flex-wrap: wrap; gap: .2rem 1.1rem; list-style: none; padding: 0; margin: .6rem 0 0; font-size: .85rem; color: var(--quiet); }
.shades li { margin: 0; }
.keys { display: flex; flex-wrap: wrap; gap: .2rem 1.3rem; list-style: none; padding: 0; margin: 0 0 .6rem; font-size: .85rem; }
.keys li { margin: 0; }
.key { display: inline-block; margin-right: .5em; print-color-adjust: exact; -webkit-print-color-adjust: exact; }
.key.suspect { width: .75em; height: .75em; border-radius: 50%; background: var(--suspect); }
.key.protected { width: .62em; height: .62em; border: 2px solid var(--accent); transform: rotate(45deg); }
.key.same, .key.other { width: 1.4em; height: .7em; border: 1px solid var(--kind); background: color-mix(in srgb, var(--kind) 30%, var(--paper)); }
.key.same { --kind: var(--same-data); } .key.other { --kind: var(--other-data); }
.shade { display: inline-block; width: 1.1em; height: .8em; margin-right: .45em; background: var(--heat); print-color-adjust: exact; -webkit-print-color-adjust: exact; }
.swatch { print-color-adjust: exact; -webkit-print-color-adjust: exact; }

.grade { display: inline-block; width: .75em; height: .75em; margin-right: .5em; border-radius: 50%; background: var(--grade); print-color-adjust: exact; -webkit-print-color-adjust: exact; }
.grade.recomputed { --grade: var(--recomputed); } .grade.anchored { --grade: var(--anchored); } .grade.asserted { --grade: var(--asserted); }
.custody td:nth-child(2), .custody td:nth-child(4) { white-space: nowrap; }
.custody tbody th { min-width: 0; }
.warning { border-left: 3px solid var(--inconclusive); padding: .1rem 0 .1rem 1rem; margin: 1.4rem 0; break-inside: avoid; }
.warning h3 { margin-top: .2rem; }
.warning ul { list-style: none; padding: 0; margin-bottom: .3rem; }
.power-table { max-width: 36rem; }
.power-table tbody th { min-width: 0; }

.test { border-top: 1px solid var(--rule); padding-top: .9rem; margin-top: 1.1rem; break-inside: avoid; }
.test h3 { margin-top: 0; }
.ways dt { font-weight: 600; break-after: avoid; }
.ways dd { margin: 0 0 .7rem; }
footer { margin-top: 3.5rem; padding-top: 1rem; border-top: 1px solid var(--rule); font-size: .88rem; color: var(--quiet); }
a { color: inherit; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 3px; }

@media (max-width: 40rem) {
  body { padding: 1.4rem 1rem 3rem; }
  .columns { grid-template-columns: 1fr; }
  .columns h3 { margin-top: .8rem; }
  .facts { grid-template-columns: 1fr; gap: 0; }
  .facts dd { margin-bottom: .5rem; }
  .note { min-width: 0; }
  .verdict-word, .score b { font-size: 2rem; }
  .statement { font-size: 1.1rem; }
  figure > svg.wide { display: none; }
  svg.narrow { display: block; }
}
@page { margin: 16mm 15mm; }
@media print {
  :root { color-scheme: light; ${light} --paper: #fff; }
  html { font-size: 9.5pt; }
  body { padding: 0; max-width: none; }
  h2 { margin-top: 1.8rem; }
  .scroll { overflow: visible; }
  svg.wide { display: block; max-width: 160mm; }
  .map svg.wide { min-width: 0; max-width: 130mm; }
  svg.narrow { display: none; }
  tr, .banner, .columns > div { break-inside: avoid; }
}
`;
