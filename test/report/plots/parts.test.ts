import { describe, expect, test } from 'vitest';
import { sampleReports } from '../../../scripts/report-sample.ts';
import type { AuditReport } from '../../../src/report/model.ts';
import type { CustodyEntry, NullDistribution } from '../../../src/report/parts.ts';
import { custodyTimeline, undrawnEvents } from '../../../src/report/plots/custody.ts';
import { nullRows } from '../../../src/report/plots/null-rows.ts';
import { nullDistributions } from '../../../src/report/plots/nulls.ts';
import { powerCurve } from '../../../src/report/plots/power-curve.ts';

const [match] = sampleReports as [AuditReport];

function rowOf(change: Partial<NullDistribution>) {
  const distribution = {
    test: 'x',
    kind: 'keyed',
    shape: 'coin-binomial',
    observed: 60,
    ...change,
  };
  return nullRows({ ...match, nulls: [distribution as NullDistribution] })[0];
}

describe('null distributions', () => {
  test('fair coins are drawn as the exact binomial', () => {
    const row = rowOf({ trials: 100 })!;
    expect(row.observed).toBe(2);
    expect(row.note).toBe('60; by chance 50 ± 5');
    const peak = row.outline.find(([place]) => place === 0)!;
    const next = row.outline.find(([place]) => Math.abs(place - 0.2) < 1e-9)!;
    expect(peak[1]).toBe(1);
    expect(next[1]).toBeCloseTo(50 / 51, 9);
  });

  test('draws become a histogram around their mean, and what has no spread is left out', () => {
    const draws = [1, 2, 2, 3];
    const row = rowOf({ shape: 'weighted-signs', draws, observed: 2 })!;
    expect(row.observed).toBe(0);
    expect(Math.max(...row.outline.map(([, height]) => height))).toBe(1);
    expect(rowOf({ shape: 'weighted-signs', draws: [2, 2, 2] })).toBeUndefined();
    expect(rowOf({ shape: 'ranks', draws: [2] })).toBeUndefined();
  });

  test('references are single ticks, and the suspect may be far outside', () => {
    const nulls: NullDistribution[] = [
      { test: 'x', kind: 'reference', shape: 'ranks', draws: [1, 2, 3], observed: 1e9 },
    ];
    expect(rowOf(nulls[0]!)?.models).toEqual([-1, 0, 1]);
    const svg = nullDistributions({ ...match, nulls }, 720);
    expect(svg).toContain('1,000,000,000; by chance 2 ± 1');
    expect(svg).not.toMatch(/NaN|Infinity/);
  });
});

describe('the timeline of custody', () => {
  const entry = (at: string, grade: CustodyEntry['grade']): CustodyEntry => ({
    at,
    what: `at ${at}`,
    digest: null,
    grade,
  });

  test('numbers events in order of time, however they are given and however many there are', () => {
    const late = entry('2026-05-04T00:00:00Z', 'anchored');
    const early = entry('2026-03-04T02:00:00+02:00', 'asserted');
    const svg = custodyTimeline([late, early], 720);
    expect(svg.indexOf('1: at 2026-03-04')).toBeGreaterThan(0);
    expect(svg).toContain('2: at 2026-05-04');
    expect(svg).toContain('2 events over 61 days: 0 recomputed, 1 anchored, 1 asserted.');
    const many = Array.from({ length: 40 }, () => late);
    expect([undrawnEvents(many, 720), undrawnEvents(many, 360)]).toEqual([10, 26]);
    expect(custodyTimeline(many, 360).match(/<circle/g)).toHaveLength(14);
  });
});

describe('the power curve', () => {
  test('says each rehearsal and survives one, none, and a rehearsal of no answers', () => {
    const curve = match.power!.curve!;
    expect(powerCurve(curve, 720)).toContain('1,000 answers: 77.5% found, at least 63.5%');
    for (const few of [[], curve.slice(0, 1), [{ ...curve[0]!, answers: 0 }]]) {
      expect(powerCurve(few, 360)).not.toMatch(/NaN|Infinity/);
    }
  });
});
