import { parseHTML } from 'linkedom';
import { describe, expect, test } from 'vitest';
import { sampleReports } from '../../scripts/report-sample.ts';
import { renderHtml } from '../../src/report/html.ts';
import type { AuditReport } from '../../src/report/model.ts';
import { hostileReport } from './hostile.ts';

const [match, noMatch, inconclusive, quirky] = sampleReports as [
  AuditReport,
  AuditReport,
  AuditReport,
  AuditReport,
];

interface Node {
  readonly tagName: string;
  readonly textContent: string;
  readonly attributes: Iterable<{ readonly name: string; readonly value: string }>;
  getAttribute(name: string): string | null;
  querySelector(selector: string): Node | null;
  querySelectorAll(selector: string): Iterable<Node>;
}

const hostile = hostileReport();
const pages = new Map<AuditReport, Node>();

function parsed(report: AuditReport): Node {
  const page = pages.get(report) ?? (parseHTML(renderHtml(report)).document as unknown as Node);
  pages.set(report, page);
  return page;
}

function all(node: Node, selector: string): Node[] {
  return [...node.querySelectorAll(selector)];
}

function texts(node: Node, selector: string): string[] {
  return all(node, selector).map(({ textContent }) => textContent);
}

describe('renderHtml', () => {
  test('is one page that asks for nothing', () => {
    for (const report of [...sampleReports, hostile]) {
      const page = parsed(report);
      expect(
        all(page, 'script, iframe, object, embed, link, img, a, form, base, foreignObject'),
      ).toEqual([]);
      expect(
        page.querySelector('meta[http-equiv="Content-Security-Policy"]')?.getAttribute('content'),
      ).toMatch(/^default-src 'none'; style-src 'unsafe-inline'; img-src data:/);
      for (const node of all(page, '*')) {
        for (const { name, value } of node.attributes) {
          expect(name).not.toMatch(/^on|^(src|href|srcset|action|xlink:href)$/);
          if (/url\(/.test(value)) expect(value).toMatch(/^url\(#hatch-(quirks-)?\d+-\d+\)$/);
        }
      }
      expect(texts(page, 'style').join('')).not.toMatch(/@import|url\(/);
    }
  });

  test('a hostile report adds no element and no attribute of its own', () => {
    const page = parsed(hostile);
    const known = new Set(all(parsed(quirky), '*').map(({ tagName }) => tagName));
    const strangers = all(page, '*').filter(({ tagName }) => !known.has(tagName));
    expect(strangers.map(({ tagName }) => tagName)).toEqual([]);
    expect(page.querySelector('body')?.textContent).toContain('<script>globalThis.owned');
    expect(texts(page, 'figure svg title').join('')).toContain('<');
  });

  test('a hostile report leaves no unseen character and stays small', () => {
    const page = renderHtml(hostile);
    expect(page).not.toMatch(/[^\P{C}\n]/u);
    expect(page).not.toContain('x'.repeat(1000));
    expect(page.length).toBeLessThan(600_000);
  });

  test('30 labels and 6 tests of 60 points stay below 400 kB, even with a full confusion table', () => {
    const labels = match.protectedModel.labels;
    const size = renderHtml({
      ...match,
      evidence: Array.from({ length: 6 }, (_, index) => ({
        ...match.evidence[0]!,
        test: `test-${index}`,
      })),
      trajectories: Array.from({ length: 6 }, (_, index) => ({
        ...match.trajectories[0]!,
        test: `test-${index}`,
      })),
      confusion: {
        labels,
        counts: labels.map((_, row) => [...labels, ''].map((__, column) => 1 + row * column)),
      },
    }).length;
    expect(labels).toHaveLength(30);
    expect(size).toBeLessThan(400_000);
  });

  test('is accessible in structure: language, headings in order, scoped headers, named pictures', () => {
    const page = parsed(quirky);
    expect(page.querySelector('html')?.getAttribute('lang')).toBe('en');
    const levels = all(page, 'h1, h2, h3').map(({ tagName }) => Number(tagName.slice(1)));
    expect(levels[0]).toBe(1);
    expect(levels.filter((level) => level === 1)).toHaveLength(1);
    levels.reduce((before, level) => {
      expect(level - before).toBeLessThanOrEqual(1);
      return level;
    });
    for (const header of all(page, 'th'))
      expect(header.getAttribute('scope')).toMatch(/^(row|col)$/);
    const pictures = all(page, 'svg');
    expect(pictures).toHaveLength(7);
    for (const picture of pictures) {
      expect(picture.getAttribute('role')).toBe('img');
      expect(picture.getAttribute('aria-labelledby')).toBe(
        picture.querySelector('title')?.getAttribute('id'),
      );
      expect(picture.getAttribute('aria-describedby')).toBe(
        picture.querySelector('desc')?.getAttribute('id'),
      );
      expect(picture.querySelector('desc')?.textContent).toMatch(/\.$/);
    }
    const ids = all(page, '[id]').map((node) => node.getAttribute('id'));
    expect(new Set(ids).size).toBe(ids.length);
  });

  test('the banner states the verdict, the score and the bound, and what they are not', () => {
    const banner = parsed(match).querySelector('.banner')!;
    expect(texts(banner, '.verdict-word')).toEqual(['Match']);
    expect(texts(banner, '.score')).toEqual(['95.3 bans, threshold 6']);
    expect(texts(banner, '.statement')).toEqual([
      'This model’s answers depend on the key of tenant acme-translate in epoch 2026-03: an independent model scores this high with probability at most 10−95.3.',
    ]);
    expect(texts(banner, 'sup')).toEqual(['−95.3']);
    expect(banner.textContent).toContain('not the probability that this model is independent');
  });

  test('no verdict speaks of innocence, and only a match says that answers depend on the key', () => {
    for (const report of sampleReports) {
      expect(parsed(report).querySelector('body')?.textContent).not.toMatch(/innocen|guilt|thief/i);
    }
    expect(parsed(noMatch).querySelector('.banner')?.textContent).toContain('puts no bound');
    expect(parsed(inconclusive).querySelector('.banner')?.textContent).toContain(
      'too short or too weak',
    );
    for (const report of [noMatch, inconclusive]) {
      expect(parsed(report).querySelector('.banner')?.textContent).not.toMatch(/^This model/m);
    }
  });

  test('the banner names the assumptions that the plan seals', () => {
    const assumptions = ['questions were not chosen from served answers'];
    const sealed = parsed({ ...match, plan: { ...match.plan, assumptions } });
    expect(texts(sealed, '.banner .rests')).toEqual([
      `It rests on what the owner assumed in the sealed plan: ${assumptions[0]}.`,
    ]);
    expect(texts(parsed(match), '.rests')).toEqual([]);
  });

  test('the table separates what is counted and ends in the sum', () => {
    const page = parsed(match);
    expect(texts(page, 'tbody tr.counted th')).toEqual([
      'probability-per-query',
      'label-coins',
      'probability-signs',
    ]);
    expect(texts(page, 'tbody tr.uncounted td.number')[0]).toBe('(38.60)');
    expect(texts(page, 'tfoot td.number')).toEqual(['95.60', '−0.30', '95.30']);
  });

  test('an audit that came to nothing still makes a page with its plots', () => {
    const page = parsed({
      ...inconclusive,
      evidence: [],
      trajectories: [],
      confusion: { labels: [], counts: [] },
      ruledOut: [],
      notRuledOut: [],
      epochs: [],
    });
    expect(all(page, 'svg.wide')).toHaveLength(4);
    expect(page.querySelector('.ways')?.textContent).toContain('Nothing is listed.');
  });

  test('a full report has every part, in order', () => {
    const page = parsed(match);
    expect(texts(page, 'h2')).toEqual([
      'What this says',
      'Evidence',
      'How answers come to depend on a key',
      'How the asking went',
      'Traps',
      'What this audit would have found',
      'Timeline of custody',
      'Assumptions and limits',
      'The sealed plan',
      'The tests one by one',
    ]);
    expect(all(page, 'figure svg.wide')).toHaveLength(6);
    const custody = texts(page, '.custody tbody tr');
    expect(custody).toHaveLength(13);
    expect(custody[7]).toMatch(/^82026-05-04 09:12 UTCplan sealedsha256:(5e){32}anchored/);
    const text = page.querySelector('main')!.textContent;
    expect(text).toContain(
      '68 of 120 (56.7%) follow the best fitting of 12 keys in use; −0.71 bans for a relay',
    );
    expect(text).toContain('1 of 40 questions that were put twice (2.5%) came back with another');
    expect(text).toContain('probabilities are rounded to 4 decimals');
    expect(text).toContain(
      '132 of at most 400 requests; 1.66 of at most 5 in the plan’s currency; 1 min 31 s',
    );
    expect(text).toContain('notify: done; restrict: not done, the policy is dry');
    expect(text).toContain('touchmark verify linguist-lite.dossier.json');
    expect(text).toContain('4 are asserted: nobody but the owner says so');
    expect(text).toContain('No two tests disagree.');
    expect(texts(page, '.power-table tbody tr')[2]).toBe('1,00077.5%63.5% to 89.5%9.7');
  });

  test('a report without optional parts says nothing of them', () => {
    const page = parsed(quirky);
    expect(texts(page, 'h2')).not.toContain('Timeline of custody');
    expect(page.querySelector('main')!.textContent).not.toMatch(
      /forward questions to us|tests disagree|that disagrees|Spent|put twice/,
    );
  });

  test('evidence that disagrees, a doubtful relay and an early stop are said plainly', () => {
    const page = parsed(inconclusive);
    expect(texts(page, '.warning b')).toEqual(['probability-per-query', 'probability-signs']);
    const text = page.querySelector('main')!.textContent;
    expect(text).toContain('it ended after 3,120 probes');
    expect(text).toContain('as from a cache or after a slow start; its labels seem to be drawn');
    expect(text).toContain('in 8.0% of answers the label is not the likeliest');
    expect(text).toContain('731, by 1 tenant, 0 by the audited one; 731 within 30.0 s before');
    expect(text).toContain('The audit could stop early');
  });

  test('a relay stands beside the verdict, and the match is not called a learned one', () => {
    const doubtful = { ...match, relay: inconclusive.relay! };
    const page = parsed(doubtful);
    expect(texts(page, '.verdict-word')).toEqual(['Match, relay likely']);
    expect(page.querySelector('title')?.textContent).toMatch(/^Match, relay likely: /);
    expect(texts(page, '.beside')).toEqual([
      expect.stringContaining('does not show a model that learned from them'),
    ]);
    expect(texts(parsed(match), '.beside')).toEqual([]);
    const open = { ...match.relay!, finding: 'not-testable' as const, closedSince: null };
    expect(texts(parsed({ ...match, relay: open }), '.beside')).toEqual([
      expect.stringContaining('A relay is not excluded'),
    ]);
    const limits = parsed({ ...match, relay: open }).querySelector('main')!.textContent;
    expect(limits).toContain('Whether the suspect forwards questions to our own service could not');
  });

  test('who runs the suspect is the owner’s word', () => {
    const text = parsed(match).querySelector('.facts')!.textContent;
    expect(text).toContain('Example Language Services Ltd, by the owner’s word');
  });

  test('assumptions of the plan and of counted tests stand together, with who rests on them', () => {
    const [first, ...rest] = match.evidence;
    const page = parsed({
      ...match,
      plan: { ...match.plan, assumptions: ['sealed one'] },
      evidence: [{ ...first!, assumptions: ['a fine PRF'] }, ...rest],
    });
    const items = texts(page, 'li');
    expect(items).toContain('sealed one (sealed into the plan)');
    expect(items).toContain('a fine PRF (probability-per-query)');
    expect(items.join()).not.toContain('the questions were not chosen from served answers');
  });

  test('quirks stand side by side, and what is not counted in parentheses', () => {
    const page = parsed(quirky);
    expect(texts(page, 'h2')).toContain('Quirks');
    expect(texts(page, 'caption')).toEqual([
      'R: 24 reference models trained on the same data and 24 on other data rank the suspect; the smallest p that they allow is 0.04.',
    ]);
    const table = all(page, 'table').find((node) => node.querySelector('caption') !== null)!;
    const rows = all(table, 'tbody tr').map((node) => texts(node, 'td'));
    expect(rows.slice(0, 2)).toEqual([
      ['0.25', '0.04', '0.04', '0.39'],
      ['0.35', '0.04', '0.04', '0.39'],
    ]);
    expect(rows.at(-2)?.[0]).toBe('descriptive');
    expect(rows.at(-2)?.[3]).toMatch(/^\(−\d\.\d\d\)$/);
    expect(rows.at(-1)).toEqual([
      'descriptive',
      'not applicable: the suspect takes no temperature',
    ]);
    expect(texts(table, 'tbody tr.counted th')).toHaveLength(4);
    expect(page.querySelector('body')?.textContent).toContain('1,188 of 1,200 (99.0%)');
    expect(page.querySelector('body')?.textContent).not.toContain('is not counted.');
  });

  test('a report without fingerprints has no quirks, and a test that is not counted says so', () => {
    expect(texts(parsed(match), 'h2')).not.toContain('Quirks');
    const page = parsed({
      ...quirky,
      evidence: quirky.evidence.map((test) => ({ ...test, counted: false })),
    });
    expect(page.querySelector('body')?.textContent).toContain(
      'the test fingerprint-quirks is not counted: it counts where the owner vouches',
    );
    const table = all(page, 'table').find((node) => node.querySelector('caption') !== null)!;
    expect(texts(table, 'tbody tr.counted th')).toEqual([]);
    expect(texts(table, 'td.number')[3]).toBe('(0.39)');
  });
});
