import { describe, expect, test } from 'vitest';
import { sampleReports } from '../../scripts/report-sample.ts';
import type { AuditReport } from '../../src/report/model.ts';
import { renderTerminal } from '../../src/report/terminal.ts';
import { displayWidth } from '../../src/report/text.ts';
import { hostileReport } from './hostile.ts';

const [match, noMatch, inconclusive, quirky] = sampleReports as [
  AuditReport,
  AuditReport,
  AuditReport,
  AuditReport,
];

describe('renderTerminal', () => {
  test('says the verdict, the score, every test and where the page is', () => {
    const text = renderTerminal(match);
    expect(text).toMatch(/^MATCH {2}linguist-lite\nscore 95\.3 bans · threshold 6/);
    expect(text).toContain('with probability at most 10^-95.3.');
    expect(text).toMatch(/^label-coins +keyed +yes +31\.87 +-33\.17 +1,320 +done$/m);
    expect(text).toMatch(
      /^probability-signs-replay +descriptive +no +\(38\.60\) +– +5,000 +done$/m,
    );
    expect(text).toMatch(/\nFull report: report\.html\n$/);
  });

  test('says how many quirks were read, counted and beyond every reference, R and the smallest p', () => {
    const text = renderTerminal(quirky);
    expect(text).toMatch(/^score 12\.4 bans · .+\n\(12\.7 with reference evidence, on which/m);
    expect(text).toMatch(/^fingerprint-quirks +reference +yes +0\.39 +– +1,188 +done$/m);
    expect(text).toContain(
      '\n5 of 6 quirks read, 4 counted; in 4 the suspect goes further than every reference\n' +
        'R: 24 references on the same data, 24 on other data; smallest possible p 0.04\n',
    );
    const alone = quirky.fingerprint!.quirks.map((quirk) => ({ ...quirk, same: [], other: [] }));
    const fingerprint = { ...quirky.fingerprint!, quirks: alone };
    expect(renderTerminal({ ...quirky, fingerprint })).toContain('; in 0 the suspect');
    expect(renderTerminal(match)).not.toContain('quirk');
  });

  test('claims no bound where the score gives none', () => {
    expect(renderTerminal(noMatch)).toContain('The score puts no bound on independent models.');
    expect(renderTerminal(inconclusive).replaceAll('\n', ' ')).toContain('at most 10^-2.9.');
  });

  test('fits 100 columns and sends no control character, whatever the report says', () => {
    for (const report of [...sampleReports, hostileReport()]) {
      const text = renderTerminal(report);
      expect(Math.max(...text.split('\n').map(displayWidth))).toBeLessThanOrEqual(100);
      expect(text).not.toMatch(/[^\P{C}\n]/u);
    }
  });

  test('names the assumptions that the plan seals, and is silent when there are none', () => {
    const assumptions = ['questions were not chosen from served answers'];
    const text = renderTerminal({ ...match, plan: { ...match.plan, assumptions } });
    expect(text.replaceAll('\n', ' ')).toContain(`sealed plan: ${assumptions[0]}.`);
    expect(renderTerminal(match)).not.toContain('assumed');
  });

  test('says every part of a full report in a line or two, and none of them without', () => {
    const text = renderTerminal(match);
    for (const line of [
      'spent: 132 of at most 400 requests; 1.66 of at most 5 in the plan’s currency; 1 min 31 s',
      'chance: label-coins 1,004; by chance 630 ± 17.7 (21.1 deviations)',
      'custody: 6 recomputed, 3 anchored, 4 asserted',
      'dossier: linguist-lite.dossier.json',
      'policy: notify: done; restrict: not done, the policy is dry',
    ]) {
      expect(text.split('\n')).toContain(line);
    }
    expect(text).toContain('\nrun by Example Language Services Ltd, by the owner’s word\n');
    expect(text).toContain('\nrelay: Nothing speaks for a relay.');
    const doubtful = renderTerminal({ ...match, relay: inconclusive.relay! });
    expect(doubtful).toMatch(/^MATCH, RELAY LIKELY /);
    expect(doubtful.replaceAll('\n', ' ')).toContain(
      'does not show a model that learned from them',
    );
    expect(renderTerminal(inconclusive)).toContain(
      '\nCONFLICT: probability-per-query and probability-signs disagree.',
    );
    expect(renderTerminal(quirky)).not.toMatch(/^(spent|chance|custody|dossier|policy|relay):/m);
  });

  test('colour adds escapes around the verdict and nothing else', () => {
    const escapes = new RegExp(`${String.fromCharCode(27)}\\[[0-9;]*m`, 'g');
    const painted = renderTerminal(match, { color: true });
    expect(painted.match(escapes)).toHaveLength(2);
    expect(painted.replace(escapes, '')).toBe(renderTerminal(match));
  });

  test.each(
    sampleReports.map((report) => [report.suspect.name, report] as const),
  )('%s: never speaks of innocence or guilt', (_, report) => {
    expect(renderTerminal(report)).not.toMatch(/innocen|guilt|stole|thief/i);
  });
});
