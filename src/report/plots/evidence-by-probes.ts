import { axisX, axisY, dot, gridY, line, ruleY, text } from '@observablehq/plot';
import type { AuditReport } from '../model.ts';
import { bans, clipped, grouped, visible } from '../text.ts';
import { type Caption, figure, type PlotWidth, seriesColour } from './figure.ts';

type Trajectory = AuditReport['trajectories'][number];
type Point = readonly [probes: number, log10E: number];

interface Series {
  readonly test: string;
  readonly counted: boolean;
  readonly colour: string;
  readonly points: readonly Point[];
  readonly end: Point;
}

const mostPoints = 200;
const labelGap = 15;
const height = 330;
const marginTop = 26;
const marginBottom = 40;

/**
 * Returns an SVG of bans against probes: one line per test (dashed when not counted), the sealed
 * threshold as a rule, and each line's name and last value at its right. Colours follow the order
 * of `report.evidence`. More than 200 points of a test are thinned, keeping first and last.
 */
export function evidenceByProbes(report: AuditReport, width: PlotWidth): string {
  const series = report.trajectories.flatMap((trajectory) => seriesOf(trajectory, report));
  const { threshold } = report.plan;
  const most = Math.max(1, ...series.map(({ end }) => end[0]));
  const labelsAt = most * 1.03;
  const values = series.flatMap(({ points }) => points.map((point) => point[1]));
  const top = Math.max(threshold, 1, ...values) * 1.06;
  const bottom = Math.min(0, ...values) * 1.06;
  const inner = height - marginTop - marginBottom;
  const toPixel = (value: number) => ((top - value) / (top - bottom)) * inner;
  const rule: Series = {
    test: 'sealed threshold',
    counted: true,
    colour: 'var(--threshold)',
    points: [],
    end: [most, threshold],
  };
  const labels = spread([...series, rule], toPixel, inner).map(({ item, pixel }) => ({
    ...item,
    at: top - (pixel / inner) * (top - bottom),
  }));
  const name = (item: Series) =>
    width === 720
      ? `${bans(item.end[1])}  ${clipped(visible(item.test, 40), 26)}`
      : bans(item.end[1]);
  return figure(
    {
      width,
      height,
      marginTop,
      marginBottom,
      marginLeft: 42,
      marginRight: width === 720 ? 214 : 46,
      x: { domain: [0, labelsAt], label: null },
      y: { domain: [bottom, top], label: null },
      marks: [
        gridY({ stroke: 'var(--rule)', strokeOpacity: 1, ticks: 6 }),
        axisY({ ticks: 6, tickSize: 0, fill: 'var(--quiet)', label: 'bans', labelArrow: 'none' }),
        axisX({
          ticks: width === 720 ? 6 : 3,
          stroke: 'var(--rule)',
          fill: 'var(--quiet)',
          label: 'probes',
          labelArrow: 'none',
          labelAnchor: 'right',
          labelOffset: 36,
        }),
        ruleY([0], { stroke: 'var(--quiet)' }),
        ruleY([threshold], { stroke: 'var(--threshold)', strokeWidth: 1.5 }),
        ...series.flatMap((item) => [
          line(item.points, {
            x: (point: Point) => point[0],
            y: (point: Point) => point[1],
            stroke: item.colour,
            strokeWidth: item.counted ? 2 : 1.6,
            ...(item.counted ? {} : { strokeDasharray: '5 4' }),
          }),
          dot([item.end], {
            x: (point: Point) => point[0],
            y: (point: Point) => point[1],
            r: 3,
            fill: item.colour,
          }),
        ]),
        ...labels.map((item) =>
          line(
            [
              [item.end[0], item.end[1]],
              [most, item.end[1]],
              [labelsAt, item.at],
            ],
            { stroke: item.colour, strokeOpacity: 0.4 },
          ),
        ),
        text(labels, {
          x: labelsAt,
          y: 'at',
          text: name,
          textAnchor: 'start',
          dx: 4,
          fill: (item: Series) => item.colour,
          fontSize: 12,
        }),
      ],
    },
    caption(series, threshold),
  );
}

function seriesOf(trajectory: Trajectory, report: AuditReport): readonly Series[] {
  const finite = trajectory.points.filter((point) => point.every(Number.isFinite));
  const end = finite.at(-1);
  if (end === undefined) return [];
  const place = report.evidence.findIndex(({ test }) => test === trajectory.test);
  const colour = seriesColour(place === -1 ? report.evidence.length : place);
  return [{ ...trajectory, colour, points: thinned(finite), end }];
}

/** Returns at most 200 of the points, evenly spaced by position, the first and last among them. */
export function thinned(points: readonly Point[]): readonly Point[] {
  if (points.length <= mostPoints) return points;
  const step = (points.length - 1) / (mostPoints - 1);
  return Array.from({ length: mostPoints }, (_, index) => points[Math.round(index * step)]!);
}

/** Places the labels in order of height, none nearer than `labelGap` pixels to the next. */
function spread(series: readonly Series[], toPixel: (value: number) => number, inner: number) {
  const placed = series
    .map((item) => ({ item, pixel: toPixel(item.end[1]) }))
    .sort((a, b) => a.pixel - b.pixel);
  let above = -labelGap;
  for (const label of placed) {
    label.pixel = Math.max(label.pixel, above + labelGap);
    above = label.pixel;
  }
  let below = inner + labelGap;
  for (const label of placed.toReversed()) {
    label.pixel = Math.min(label.pixel, below - labelGap);
    below = label.pixel;
  }
  return placed;
}

function caption(series: readonly Series[], threshold: number): Caption {
  const ends = series.map(
    ({ test, counted, end }) =>
      `${visible(test, 40)} ends at ${bans(end[1])} bans after ${grouped(end[0])} probes${counted ? '' : ' (not counted)'}`,
  );
  return {
    title: 'Evidence against probes',
    description:
      ends.length === 0
        ? 'No test recorded how its evidence grew.'
        : `${ends.join('; ')}. The sealed threshold is ${grouped(threshold)} bans.`,
  };
}
