import { axisX, gridX, rect, ruleX, text } from '@observablehq/plot';
import { type AuditReport, shownBans } from '../model.ts';
import { bans, clipped, grouped, visible } from '../text.ts';
import { figure, type PlotWidth, seriesColour } from './figure.ts';

interface Bar {
  readonly row: number;
  readonly name: string;
  readonly value: number;
  readonly fill: string;
  readonly stroke: string;
  readonly note: string;
}

const marginTop = 26;
const marginBottom = 40;

/**
 * Returns an SVG of horizontal bars, one per test in the order of `report.evidence`: solid when
 * counted, hatched when not, each with its bans written beside it, and the sealed threshold as a
 * rule. Tests that were not applicable have no bar and say so.
 */
export function bansByTest(report: AuditReport, width: PlotWidth): string {
  const bars = report.evidence.map((_, row) => barOf(report, row, width));
  const { threshold } = report.plan;
  const values = bars.map(({ value }) => value);
  const rows = Math.max(1, bars.length);
  const wide = width === 720;
  const rowHeight = wide ? 34 : 48;
  const [upper, lower] = wide ? [0.2, 0.8] : [0.48, 0.84];
  const left = Math.min(0, ...values) * 1.06;
  const right = Math.max(threshold, 1, ...values) * (wide ? 1.12 : 1.32);
  return figure(
    {
      width,
      height: rows * rowHeight + marginTop + marginBottom,
      marginTop,
      marginBottom,
      marginLeft: wide ? 226 : 12,
      marginRight: 12,
      x: { domain: [left, right], label: null },
      y: { domain: [0, rows], axis: null, label: null },
      marks: [
        gridX({ stroke: 'var(--rule)', strokeOpacity: 1, ticks: wide ? 6 : 4 }),
        axisX({
          ticks: wide ? 6 : 4,
          stroke: 'var(--rule)',
          fill: 'var(--quiet)',
          label: 'bans',
          labelArrow: 'none',
          labelAnchor: 'right',
          labelOffset: 36,
        }),
        rect(bars, {
          x1: 0,
          x2: 'value',
          y1: (bar: Bar) => rows - bar.row - upper,
          y2: (bar: Bar) => rows - bar.row - lower,
          fill: 'fill',
          stroke: 'stroke',
        }),
        ruleX([0], { stroke: 'var(--quiet)' }),
        ruleX([threshold], { stroke: 'var(--threshold)', strokeWidth: 1.5 }),
        text([threshold], {
          x: (value: number) => value,
          y: rows,
          text: (value: number) => `sealed threshold ${grouped(value)}`,
          textAnchor: threshold > right / 2 ? 'end' : 'start',
          dy: -12,
          fill: 'var(--threshold)',
          fontSize: 12,
        }),
        text(bars, {
          x: left,
          y: (bar: Bar) => rows - bar.row - (wide ? 0.5 : 0.27),
          text: 'name',
          textAnchor: wide ? 'end' : 'start',
          dx: wide ? -10 : 4,
          fill: 'var(--ink)',
          stroke: 'var(--paper)',
          strokeWidth: 6,
          fontSize: 12,
        }),
        text(bars, {
          x: (bar: Bar) => Math.max(0, bar.value),
          y: (bar: Bar) => rows - bar.row - (upper + lower) / 2,
          text: 'note',
          textAnchor: 'start',
          dx: 7,
          fill: 'var(--ink)',
          stroke: 'var(--paper)',
          strokeWidth: 4,
          fontSize: 12,
        }),
      ],
    },
    {
      title: 'Bans by test',
      description: `${bars.map(({ name, note }) => `${name}: ${note}`).join('; ')}. The sealed threshold is ${grouped(threshold)} bans.`,
    },
    bars.map(({ stroke }, row) => ({ id: hatchId(width, row), colour: stroke })),
  );
}

function barOf(report: AuditReport, row: number, width: PlotWidth): Bar {
  const evidence = report.evidence[row]!;
  const found = shownBans(report, evidence);
  const applicable = evidence.status !== 'not-applicable';
  const stroke = seriesColour(row);
  return {
    row,
    name: `${clipped(visible(evidence.test, 40), 24)}${evidence.counted ? '' : ', not counted'}`,
    value: applicable ? found : 0,
    fill: evidence.counted ? stroke : `url(#${hatchId(width, row)})`,
    stroke,
    note: applicable ? bans(found) : 'not applicable',
  };
}

function hatchId(width: PlotWidth, row: number): string {
  return `hatch-${width}-${row}`;
}
