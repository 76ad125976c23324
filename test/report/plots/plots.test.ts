import { parseHTML } from 'linkedom';
import { describe, expect, test } from 'vitest';
import { sampleReports } from '../../../scripts/report-sample.ts';
import type { AuditReport } from '../../../src/report/model.ts';
import { bansByTest } from '../../../src/report/plots/bans-by-test.ts';
import { confusionMap, confusionSummary, shade } from '../../../src/report/plots/confusion.ts';
import { evidenceByProbes, thinned } from '../../../src/report/plots/evidence-by-probes.ts';

const [match] = sampleReports as [AuditReport];

function count(text: string, pattern: RegExp): number {
  return [...text.matchAll(pattern)].length;
}

/** Vertical positions of the texts that match, from the transforms that the plot wrote. */
function heights(svg: string, pattern: RegExp): number[] {
  const { document } = parseHTML(svg);
  return [...document.querySelectorAll('text')]
    .filter((node) => pattern.test(node.textContent ?? ''))
    .map((node) =>
      Number(/translate\([^,]+,([^)]+)\)/.exec(node.getAttribute('transform') ?? '')?.[1]),
    );
}

describe('evidence by probes', () => {
  test('labels of lines that end together stay apart and inside the plot', () => {
    for (const end of [46, 0, -3]) {
      const trajectories = Array.from({ length: 6 }, (_, index) => ({
        test: `test-${index}`,
        counted: index < 3,
        points: [
          [0, 0],
          [100, end + index / 100],
        ] as [number, number][],
      }));
      const sorted = heights(
        evidenceByProbes({ ...match, trajectories }, 720),
        /test-|threshold/,
      ).sort((a, b) => a - b);
      expect(sorted).toHaveLength(7);
      const gaps = sorted.slice(1).map((value, index) => value - sorted[index]!);
      expect(Math.min(...gaps)).toBeGreaterThan(14.4);
      expect(sorted[0]).toBeGreaterThan(20);
      expect(sorted.at(-1)).toBeLessThan(300);
    }
  });

  test('only lines that are not counted are dashed', () => {
    expect(count(evidenceByProbes(match, 720), /stroke-dasharray/g)).toBe(1);
  });

  test('long trajectories are thinned to 200 points, first and last among them', () => {
    const points = Array.from({ length: 5000 }, (_, index) => [index, index / 100] as const);
    const kept = thinned(points);
    expect(kept).toHaveLength(200);
    expect([kept[0], kept.at(-1)]).toEqual([points[0], points.at(-1)]);
    expect(new Set(kept).size).toBe(200);
    expect(thinned(points.slice(0, 200))).toHaveLength(200);
  });
});

describe('bans by test', () => {
  test('hatches what is not counted and writes every value', () => {
    const svg = bansByTest(match, 720);
    expect(count(svg, /fill="url\(#hatch-720-3\)"/g)).toBe(1);
    for (const value of ['46.3', '31.8', '17.4', '38.6', 'sealed threshold 6'])
      expect(svg).toContain(`>${value}<`);
  });

  test('a test that did not apply says so instead of showing 0 bans', () => {
    const [first, ...rest] = match.evidence;
    const svg = bansByTest(
      { ...match, evidence: [{ ...first!, status: 'not-applicable', log10E: 0 }, ...rest] },
      360,
    );
    expect(svg).toContain('>not applicable<');
  });
});

describe('confusion', () => {
  const confusion = {
    labels: ['a', 'b', 'c'],
    counts: [
      [90, 10, 0, 0],
      [0, 5, 0, 1],
      [0, 0, 0, 0],
    ],
  };

  test('draws the cells that have answers, each with its count in a title', () => {
    const titles = [...confusionMap(confusion).matchAll(/<title>([^<]*)<\/title>/g)].map(
      ([, text]) => text,
    );
    expect(titles.slice(0)).toEqual(
      expect.arrayContaining([
        'a → a: 90 of 100',
        'a → b: 10 of 100',
        'b → b: 5 of 6',
        'b → (outside): 1 of 6',
      ]),
    );
    expect(titles).toHaveLength(4);
  });

  test('shades by the logarithm of the share of the row', () => {
    expect([0, 0.0001, 0.001, 0.01, 1].map(shade)).toEqual([0, 0.12, 0.12, 0.413, 1]);
  });

  test('sums up agreement and disagreement, and an empty table', () => {
    expect(confusionSummary(confusion)).toBe(
      'Same label on 95 of 106 answers (89.6%). Commonest disagreements: a → b (10), b → (outside) (1).',
    );
    expect(confusionSummary({ labels: [], counts: [] })).toBe('Same label on 0 of 0 answers (–).');
  });

  test('of many labels draws the 40 most frequent', () => {
    const labels = Array.from({ length: 176 }, (_, index) => `l${index}`);
    const counts = labels.map((_, row) =>
      labels.map((__, column) => (row === column ? row + 1 : 0)),
    );
    const svg = confusionMap({ labels, counts });
    expect(svg).toContain('l175 → l175');
    expect(svg).not.toContain('l135 → l135');
    expect(count(svg, /of \d+<\/title>/g)).toBe(40);
  });
});
