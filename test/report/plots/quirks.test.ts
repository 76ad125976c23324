import { parseHTML } from 'linkedom';
import { describe, expect, test } from 'vitest';
import { sampleReports } from '../../../scripts/report-sample.ts';
import type { QuirkFinding } from '../../../src/report/fingerprint.ts';
import type { AuditReport } from '../../../src/report/model.ts';
import { axisOf, place, quirkRows } from '../../../src/report/plots/quirk-rows.ts';
import { quirksSideBySide } from '../../../src/report/plots/quirks.ts';
import { hostileReport } from '../hostile.ts';

const sample = sampleReports.find(({ fingerprint }) => fingerprint !== undefined)!;
const widths = [720, 360] as const;
const even = Array.from({ length: 101 }, (_, index) => index / 100);

function withQuirks(...changes: readonly Partial<QuirkFinding>[]): AuditReport {
  const fingerprint = sample.fingerprint!;
  const [first] = fingerprint.quirks;
  const quirks = changes.map((change) => ({ ...first!, ...change }));
  return { ...sample, fingerprint: { ...fingerprint, quirks } };
}

function rowOf(change: Partial<QuirkFinding>) {
  return quirkRows(withQuirks(change))[0]!;
}

function count(text: string, pattern: RegExp): number {
  return [...text.matchAll(pattern)].length;
}

/** Horizontal positions of the rules at 0 and 1 and of the marks with this title. */
function positions(svg: string, title: RegExp): { zero: number; one: number; marks: number[] } {
  const { document } = parseHTML(svg);
  const at = (node: { getAttribute(name: string): string | null }) =>
    Number(
      /translate\(([^,]+),/.exec(node.getAttribute('transform') ?? '')?.[1] ??
        node.getAttribute('cx') ??
        node.getAttribute('x1'),
    );
  const rules = [...document.querySelectorAll('g[stroke-dasharray] line')].map(at);
  const marks = [...document.querySelectorAll('title')]
    .filter((node) => title.test(node.textContent ?? ''))
    .map((node) => at(node.parentElement!));
  return { zero: Math.min(...rules), one: Math.max(...rules), marks };
}

describe('quirk rows', () => {
  test('put the median of both kinds together at 0 and the protected model at 1', () => {
    const row = rowOf({ same: [1, 2, 3], other: [4, 5], protectedModel: 13, suspect: 8 });
    expect(row.suspect).toBeCloseTo(0.5, 12);
    expect(row.same?.models.map((model) => Number(model.toFixed(3)))).toEqual([-0.2, -0.1, 0]);
    expect(row.other?.models.map((model) => Number(model.toFixed(3)))).toEqual([0.1, 0.2]);
  });

  test('bars run from the 5% to the 95% quantile, whatever the order of the models', () => {
    const shuffled = even.map((_, index) => even[(index * 37) % even.length]!);
    const { same, other } = rowOf({ same: shuffled, other: [0.5], protectedModel: 1.5 });
    expect(same?.from).toBeCloseTo(-0.45, 12);
    expect(same?.to).toBeCloseTo(0.45, 12);
    expect(other).toEqual({ models: [0], from: 0, to: 0 });
  });

  test('draw at most 60 models of a kind, the outermost among them', () => {
    const { same } = rowOf({ same: even, other: [], protectedModel: 1.5 });
    expect(same?.models).toHaveLength(60);
    expect([same?.models[0], same?.models.at(-1)]).toEqual([-0.5, 0.5]);
    expect(new Set(same?.models).size).toBe(60);
    expect(
      rowOf({ same: even.slice(0, 60), other: [], protectedModel: 1.5 }).same?.models,
    ).toHaveLength(60);
  });

  test('are counted only when weighed and when the audit counts the test', () => {
    expect(rowOf({ weight: 0.2 }).counted).toBe(true);
    expect(rowOf({ weight: 0 }).counted).toBe(false);
    const evidence = sample.evidence.map((each) => ({ ...each, counted: false }));
    expect(quirkRows({ ...sample, evidence }).some(({ counted }) => counted)).toBe(false);
  });

  test('without references 0 is 0, and a protected model among the references has no scale', () => {
    expect(rowOf({ same: [], other: [], protectedModel: 4, suspect: 3 })).toMatchObject({
      suspect: 0.75,
      same: undefined,
      other: undefined,
    });
    for (const protectedModel of [2, 1, -1e308]) {
      const row = rowOf({ same: [2, 1e308], other: [2], protectedModel });
      expect(row.empty).toMatch(/^no scale: /);
    }
  });

  test('the axis holds 0, 1 and what lies near, and never more than -1 to 1.5', () => {
    const near = { same: [0], other: [0], protectedModel: 1 };
    expect(axisOf(quirkRows(withQuirks({ ...near, suspect: 0.9 })))).toEqual([-0.3, 1.2]);
    expect(axisOf(quirkRows(withQuirks({ ...near, suspect: -0.5 })))).toEqual([-0.55, 1.2]);
    expect(axisOf(quirkRows(withQuirks({ ...near, suspect: -7 })))).toEqual([-1, 1.2]);
    expect(axisOf(quirkRows(withQuirks({ ...near, suspect: 1e300 })))).toEqual([-0.3, 1.5]);
    expect(axisOf([])).toEqual([-0.3, 1.2]);
  });

  test('places are written with two decimals, and far ones as far', () => {
    expect([0.816, -0.004, -1.5, 1e6, -1e6].map(place)).toEqual([
      '0.82',
      '0',
      '−1.5',
      'over 99',
      'under −99',
    ]);
  });
});

describe('quirks side by side', () => {
  test.each(widths)('at %i pixels the suspect stands where its statistic is', (width) => {
    const near = { name: 'near', same: [0], other: [0], protectedModel: 8, suspect: 2 };
    const svg = quirksSideBySide(withQuirks(near), width);
    const { zero, one, marks } = positions(svg, /^near: suspect at 0\.25$/);
    expect(marks).toHaveLength(1);
    expect((marks[0]! - zero) / (one - zero)).toBeCloseTo(0.25, 6);
  });

  test.each(widths)('at %i pixels what lies outside is an arrow at the edge', (width) => {
    const base = { same: [0], other: [0], protectedModel: 1 };
    const svg = quirksSideBySide(
      withQuirks(
        { ...base, name: 'above', suspect: 7.25 },
        { ...base, name: 'below', suspect: -3 },
        { ...base, name: 'crowd', suspect: 0.5, same: [-9, 0, 9] },
      ),
      width,
    );
    const above = positions(svg, /^above: suspect/);
    expect(above.marks[0]).toBeGreaterThan(above.one);
    expect(above.marks[0]).toBeLessThanOrEqual(width);
    expect(positions(svg, /^below: suspect/).marks[0]).toBeLessThan(above.zero);
    expect(count(svg, /rotate\(90\)/g)).toBe(2);
    expect(count(svg, /rotate\(-90\)/g)).toBe(2);
    for (const value of ['7.25', '−3']) expect(svg).toContain(`>${value}<`);
  });

  test('only rows that are not counted are hatched, and they say so', () => {
    const svg = quirksSideBySide(withQuirks({ weight: 0.3 }, { weight: 0 }), 360);
    expect(count(svg, /fill="url\(#hatch-quirks-360-[01]\)"/g)).toBe(2);
    expect(svg).toContain('weight 0.3<');
    expect(svg).toContain(', descriptive<');
    expect(quirksSideBySide(withQuirks({ weight: 0.3 }), 360)).not.toContain('url(#');
  });

  test('a suspect that gives labels only has rows that say why, and no marks', () => {
    const why = 'the suspect gives labels only';
    const svg = quirksSideBySide(withQuirks({ suspect: null, why }, { suspect: null, why }), 720);
    expect(count(svg, />not applicable: the suspect gives labels only</g)).toBe(2);
    expect(svg).not.toContain('suspect at');
    expect(svg).not.toContain('stroke-dasharray');
  });

  test('the description states every row for readers who cannot see it', () => {
    const { document } = parseHTML(quirksSideBySide(sample, 720));
    const description = document.querySelector('desc')?.textContent ?? '';
    for (const { name } of sample.fingerprint!.quirks) expect(description).toContain(`${name}: `);
    expect(description).toMatch(/^0 is the median of the references, 1 the protected model\. /);
    expect(description).toMatch(/confidence-profile: suspect .+ \(not counted\); /);
    expect(description).toMatch(/not applicable: the suspect takes no temperature\.$/);
  });

  test.each(widths)('at %i pixels no report draws a NaN or an infinity', (width) => {
    const extremes = [
      { suspect: 1.7e308, same: [-1.7e308], other: [1.7e308], protectedModel: 1.7e308 },
      { suspect: -1.7e308, same: [1e-320], other: [0], protectedModel: 5e-324 },
      { same: [], other: [] },
      { same: even, other: [0.5] },
    ];
    for (const report of [sample, hostileReport(), withQuirks(...extremes), withQuirks()]) {
      const svg = quirksSideBySide(report, width);
      expect(svg).not.toMatch(/="[^"]*(NaN|Infinity|undefined)/);
      expect(svg).toContain(`width="${width}"`);
    }
  });

  test('a stranger’s name stays text', () => {
    const svg = quirksSideBySide(withQuirks({ name: '<script>x</script>"' }), 720);
    expect(svg).toContain('&lt;script&gt;');
    expect(svg).not.toContain('<script');
  });

  test('is silent about nothing: no quirks make an empty picture that says so', () => {
    expect(quirksSideBySide(withQuirks(), 720)).toContain('No quirk was read.');
  });
});
