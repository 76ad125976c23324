import { axisX, ruleY, text } from '@observablehq/plot';
import type { AuditReport } from '../model.ts';
import { clipped, grouped } from '../text.ts';
import { type Caption, figure, type PlotWidth } from './figure.ts';
import { bandHatches, type Extent, quirkMarks } from './quirk-marks.ts';
import { axisOf, place, type QuirkRow, quirkRows, within } from './quirk-rows.ts';

/** Where things stand in a row: shares of its height from the top. */
interface Layout {
  readonly rowHeight: number;
  readonly marginLeft: number;
  readonly name: number;
  readonly needle: Extent;
  readonly bands: readonly [same: Extent, other: Extent];
  readonly noteColumns: number;
}

const layouts: Readonly<Record<PlotWidth, Layout>> = {
  720: {
    rowHeight: 58,
    marginLeft: 196,
    name: 0.5,
    needle: [0.14, 0.86],
    bands: [
      [0.22, 0.43],
      [0.57, 0.78],
    ],
    noteColumns: 76,
  },
  360: {
    rowHeight: 78,
    marginLeft: 12,
    name: 0.2,
    needle: [0.36, 0.94],
    bands: [
      [0.41, 0.58],
      [0.71, 0.88],
    ],
    noteColumns: 50,
  },
};

const marginRight = 16;
const marginTop = 8;
const marginBottom = 30;

/**
 * Returns an SVG of the quirks side by side, one row each: 0 is the median of the references, 1 the
 * protected model. A row has two bands, of references trained on the same data and on other data
 * (a bar from 5% to 95%, a tick per model), an open diamond for the protected model and a bold
 * needle for the suspect. Rows that are not counted are hatched and say so; what lies outside the
 * axis, which reaches from -1 to 1.5 at most, becomes an arrow at its edge.
 */
export function quirksSideBySide(report: AuditReport, width: PlotWidth): string {
  const rows = quirkRows(report);
  const layout = layouts[width];
  const height = Math.max(1, rows.length);
  const wide = width === 720;
  const axis = axisOf(rows);
  const label = { fontSize: 12, stroke: 'var(--paper)', strokeWidth: 4 };
  return figure(
    {
      width,
      height: height * layout.rowHeight + marginTop + marginBottom,
      marginTop,
      marginBottom,
      marginLeft: layout.marginLeft,
      marginRight,
      x: { domain: [...axis], label: null },
      y: { domain: [0, height], axis: null, label: null },
      marks: [
        ruleY(
          rows.map((_, index) => index),
          { stroke: 'var(--rule)' },
        ),
        axisX({
          ticks: [-1, -0.5, 0, 0.5, 1, 1.5].filter((tick) => within(axis, tick)),
          tickSize: 0,
          fill: 'var(--quiet)',
          fontSize: 12,
          label: null,
          tickFormat: (value: number) => tickName(value, wide),
        }),
        ...rows.flatMap((row, index) => {
          const at = (share: number) => height - index - share;
          const extent = ([top, bottom]: Extent): Extent => [at(top), at(bottom)];
          const needle = extent(layout.needle);
          const rules = [at(wide ? 0 : layout.needle[0]), at(1)] as const;
          const bands = [extent(layout.bands[0]), extent(layout.bands[1])] as const;
          return [
            text([rowName(row, wide)], {
              ...label,
              x: axis[0],
              y: at(layout.name),
              text: (name: string) => name,
              textAnchor: wide ? 'end' : 'start',
              dx: wide ? -14 : 0,
              lineHeight: 1.25,
              fill: row.counted ? 'var(--ink)' : 'var(--quiet)',
            }),
            ...(row.empty === undefined
              ? quirkMarks(row, { axis, needle, bands, rules, width })
              : [
                  text([clipped(row.empty, layout.noteColumns)], {
                    ...label,
                    x: axis[0],
                    y: (needle[0] + needle[1]) / 2,
                    text: (note: string) => note,
                    textAnchor: 'start',
                    fill: 'var(--quiet)',
                  }),
                ]),
          ];
        }),
      ],
    },
    caption(rows),
    bandHatches(width),
  );
}

function tickName(value: number, wide: boolean): string {
  if (value === 0) return wide ? 'median of references' : 'median';
  if (value === 1) return wide ? 'protected model' : 'protected';
  return grouped(value);
}

function rowName({ name, weight, counted }: QuirkRow, wide: boolean): string {
  const weighed = weight > 0 ? `weight ${grouped(weight)}` : 'descriptive';
  const standing = weight > 0 && !counted ? `${weighed}, not counted` : weighed;
  return wide ? `${clipped(name, 26)}\n${standing}` : `${clipped(name, 24)}, ${standing}`;
}

function caption(rows: readonly QuirkRow[]): Caption {
  const parts = rows.map(({ name, empty, suspect, same, other, counted }) => {
    if (empty !== undefined) return `${name}: ${empty}`;
    const shown = [same, other].filter((band) => band !== undefined);
    const range =
      shown.length === 0
        ? 'no references'
        : `references ${place(Math.min(...shown.map(({ from }) => from)))} to ${place(Math.max(...shown.map(({ to }) => to)))}`;
    return `${name}: suspect ${place(suspect)}, ${range}${counted ? '' : ' (not counted)'}`;
  });
  return {
    title: 'Quirks side by side',
    description:
      rows.length === 0
        ? 'No quirk was read.'
        : `0 is the median of the references, 1 the protected model. ${parts.join('; ')}.`,
  };
}
