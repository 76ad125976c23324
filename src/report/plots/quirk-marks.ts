import { dot, line, type Markish, rect, ruleX, text } from '@observablehq/plot';
import type { Hatch, PlotWidth } from './figure.ts';
import { type Axis, type Band, place, type QuirkRow, within } from './quirk-rows.ts';

/** Top and bottom, in units of the y axis. */
export type Extent = readonly [top: number, bottom: number];

/** Where a row is drawn. */
interface Space {
  readonly axis: Axis;
  /** Of the suspect's mark, which crosses both bands. */
  readonly needle: Extent;
  readonly bands: readonly [same: Extent, other: Extent];
  /** Of the rules at 0 and 1. */
  readonly rules: Extent;
  readonly width: PlotWidth;
}

interface Mark {
  readonly x: number;
  readonly y: number;
  readonly title: string;
}

const kinds = [
  { key: 'same', colour: 'var(--same-data)', title: 'references trained on the same data' },
  { key: 'other', colour: 'var(--other-data)', title: 'references trained on other data' },
] as const;

/** Returns the hatches of the bands of rows that are not counted. */
export function bandHatches(width: PlotWidth): readonly Hatch[] {
  return kinds.map(({ colour }, index) => ({ id: hatchId(width, index), colour }));
}

/**
 * Returns the marks of a row that is not empty: rules at 0 and 1, both bands, an open diamond for the protected model
 * at 1, and a bold needle for the suspect, which is thin and open in a row that is not counted.
 */
export function quirkMarks(row: QuirkRow, space: Space): readonly Markish[] {
  const { axis, needle } = space;
  const middle = (needle[0] + needle[1]) / 2;
  const protectedModel = dot([1], {
    x: (value: number) => value,
    y: middle,
    symbol: 'diamond2',
    r: 6.5,
    fill: 'var(--paper)',
    stroke: 'var(--accent)',
    strokeWidth: 2,
  });
  const suspect = within(axis, row.suspect)
    ? suspectMark(row, needle, middle)
    : suspectBeyond(row, axis, middle);
  const [y1, y2] = space.rules;
  const rules = [
    ruleX([0], { y1, y2, stroke: 'var(--quiet)', strokeDasharray: '2 3' }),
    ruleX([1], { y1, y2, stroke: 'var(--accent)', strokeDasharray: '2 3' }),
  ];
  return [...rules, ...bands(row, space), protectedModel, ...suspect];
}

/** A bar from the 5% to the 95% quantile, a tick per model, arrows where models lie outside. */
function bands(row: QuirkRow, { axis, bands: extents, width }: Space): readonly Markish[] {
  const [left, right] = axis;
  return kinds.flatMap(({ key, colour, title: kind }, index) => {
    const band = row[key];
    if (band === undefined) return [];
    const { models, from, to } = band;
    const [top, bottom] = extents[index]!;
    const title = `${row.name}: ${kind}, ${place(from)} to ${place(to)}`;
    const edge = (x: number) => ({ x, y: (top + bottom) / 2, title });
    return [
      rect(from <= right && to >= left ? [band] : [], {
        x1: Math.max(left, from),
        x2: Math.min(right, to),
        y1: bottom,
        y2: top,
        fill: row.counted ? colour : `url(#${hatchId(width, index)})`,
        fillOpacity: row.counted ? 0.3 : 0.7,
        stroke: colour,
        strokeOpacity: row.counted ? 0.8 : 0.5,
        title: () => title,
      }),
      line(ticks(band, axis, [top, bottom]), {
        stroke: colour,
        strokeOpacity: row.counted ? 0.65 : 0.4,
        strokeWidth: width === 720 ? 1 : 0.7,
      }),
      ...((models[0] ?? left) < left ? [arrow(edge(left), 'left', 3.5, colour)] : []),
      ...((models.at(-1) ?? right) > right ? [arrow(edge(right), 'right', 3.5, colour)] : []),
    ];
  });
}

function suspectMark(row: QuirkRow, needle: Extent, middle: number): readonly Markish[] {
  const { suspect, counted } = row;
  return [
    line([...needle], {
      x: suspect,
      y: (end: number) => end,
      stroke: 'var(--suspect)',
      strokeWidth: counted ? 3 : 1.5,
    }),
    dot([suspect], {
      x: (value: number) => value,
      y: middle,
      r: counted ? 5 : 4.5,
      fill: counted ? 'var(--suspect)' : 'var(--paper)',
      stroke: counted ? 'var(--paper)' : 'var(--suspect)',
      strokeWidth: 1.5,
      title: () => title(row),
    }),
  ];
}

function suspectBeyond(row: QuirkRow, [left, right]: Axis, y: number): readonly Markish[] {
  const above = row.suspect > right;
  const mark = { x: above ? right : left, y, title: title(row) };
  return [
    arrow(mark, above ? 'right' : 'left', 7, 'var(--suspect)', row.counted),
    text([mark], {
      x: 'x',
      y: 'y',
      text: () => place(row.suspect),
      textAnchor: above ? 'end' : 'start',
      dx: above ? -14 : 14,
      fill: 'var(--ink)',
      stroke: 'var(--paper)',
      strokeWidth: 4,
      fontSize: 12,
    }),
  ];
}

function title({ name, suspect }: QuirkRow): string {
  return `${name}: suspect at ${place(suspect)}`;
}

function arrow(
  mark: Mark,
  towards: 'left' | 'right',
  size: number,
  colour: string,
  solid = true,
): Markish {
  return dot([mark], {
    x: 'x',
    y: 'y',
    symbol: 'triangle2',
    rotate: towards === 'right' ? 90 : -90,
    r: size,
    dx: towards === 'right' ? -size : size,
    fill: solid ? colour : 'var(--paper)',
    stroke: colour,
    title: 'title',
  });
}

/** Strokes of one path, with a gap after each. */
function ticks({ models }: Band, axis: Axis, [top, bottom]: Extent) {
  return models
    .filter((model) => within(axis, model))
    .flatMap((model) => [
      [model, top],
      [model, bottom],
      [Number.NaN, Number.NaN],
    ]);
}

function hatchId(width: PlotWidth, index: number): string {
  return `hatch-quirks-${width}-${index}`;
}
