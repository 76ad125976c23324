import { areaY, axisX, dot, gridX, ruleX, ruleY, text } from '@observablehq/plot';
import type { AuditReport } from '../model.ts';
import { clipped, grouped } from '../text.ts';
import { type Caption, figure, type PlotWidth, seriesColour } from './figure.ts';
import { type NullRow, nullRows, type OutlinePoint } from './null-rows.ts';

const marginTop = 8;
const marginBottom = 42;
const marginRight = 16;
const farthest = 30;

const layouts = {
  720: { rowHeight: 72, marginLeft: 226, name: 0.5, base: 0.12, top: 0.78 },
  360: { rowHeight: 108, marginLeft: 12, name: 0.78, base: 0.1, top: 0.5 },
} as const;

/**
 * Returns an SVG of null distributions, one row each, on a common scale in standard deviations from
 * what chance gives: the shape that chance draws (a tick per model for references) and a bold needle
 * where the suspect was. What lies beyond 30 deviations becomes an arrow at the edge.
 */
export function nullDistributions(report: AuditReport, width: PlotWidth): string {
  const rows = nullRows(report);
  const layout = layouts[width];
  const wide = width === 720;
  const height = Math.max(1, rows.length);
  const places = rows.flatMap(({ observed, models }) => [observed, ...models]);
  const left = Math.max(-farthest, Math.min(-4.5, ...places.map((place) => place - 0.8)));
  const right = Math.min(farthest, Math.max(4.5, ...places.map((place) => place + 0.8)));
  return figure(
    {
      width,
      height: height * layout.rowHeight + marginTop + marginBottom,
      marginTop,
      marginBottom,
      marginLeft: layout.marginLeft,
      marginRight,
      x: { domain: [left, right], label: null },
      y: { domain: [0, height], axis: null, label: null },
      marks: [
        gridX({ stroke: 'var(--rule)', strokeOpacity: 1, ticks: wide ? 8 : 5 }),
        axisX({
          ticks: wide ? 8 : 5,
          tickSize: 0,
          fill: 'var(--quiet)',
          fontSize: 12,
          label: wide ? 'standard deviations from what chance gives' : 'deviations from chance',
          labelArrow: 'none',
          labelAnchor: 'right',
          labelOffset: 38,
        }),
        ...rows.flatMap((row, index) => rowMarks(row, height - index - 1, { left, right, width })),
      ],
    },
    caption(rows),
  );
}

interface Frame {
  readonly left: number;
  readonly right: number;
  readonly width: PlotWidth;
}

function rowMarks(row: NullRow, floor: number, { left, right, width }: Frame) {
  const layout = layouts[width];
  const wide = width === 720;
  const colour = seriesColour(row.series);
  const base = floor + layout.base;
  const top = floor + layout.top;
  const observed = Math.max(left, Math.min(right, row.observed));
  const beyond = observed !== row.observed;
  const label = { fontSize: 12, stroke: 'var(--paper)', strokeWidth: 4 };
  const name = clipped(row.test, 26);
  const towards = observed > (left + right) / 2 ? 'end' : 'start';
  return [
    ruleY([base], { stroke: 'var(--quiet)' }),
    areaY(row.outline, {
      x: (point: OutlinePoint) => point[0],
      y1: base,
      y2: (point: OutlinePoint) => base + (top - base) * 0.9 * point[1],
      fill: 'var(--quiet)',
      fillOpacity: 0.35,
    }),
    ruleX(
      row.models.map((model) => Math.max(left, Math.min(right, model))),
      {
        y1: base,
        y2: base + (top - base) * 0.45,
        stroke: 'var(--quiet)',
        strokeWidth: 1.5,
      },
    ),
    ruleX([observed], { y1: base, y2: top, stroke: colour, strokeWidth: 3 }),
    dot([observed], {
      x: (value: number) => value,
      y: top,
      r: 4.5,
      fill: colour,
      ...(beyond
        ? { symbol: 'triangle' as const, rotate: row.observed > observed ? 90 : -90, r: 6 }
        : {}),
    }),
    text([wide ? `${name}\n${clipped(row.statistic, 34)}` : `${name}\n${row.note}`], {
      ...label,
      x: left,
      y: floor + layout.name,
      text: (lines: string) => lines,
      textAnchor: wide ? 'end' : 'start',
      dx: wide ? -14 : 0,
      lineHeight: 1.3,
      fill: 'var(--ink)',
    }),
    text(wide ? [row.note] : [], {
      ...label,
      x: observed,
      y: top,
      text: (note: string) => note,
      textAnchor: towards,
      dx: towards === 'end' ? -10 : 10,
      fill: 'var(--ink)',
    }),
  ];
}

function caption(rows: readonly NullRow[]): Caption {
  const parts = rows.map(({ test, observed, note }) => {
    const deviations = grouped(Math.round(observed * 10) / 10 || 0);
    return `${test}: ${note}, ${deviations} standard deviations from chance`;
  });
  return {
    title: 'What chance would give',
    description: parts.length === 0 ? 'No null distribution is drawn.' : `${parts.join('; ')}.`,
  };
}
