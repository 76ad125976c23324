import { areaY, axisX, axisY, dot, gridY, line, ruleY, text } from '@observablehq/plot';
import type { PowerPart } from '../parts.ts';
import { bans, grouped, percent } from '../text.ts';
import { figure, type PlotWidth } from './figure.ts';

type Point = NonNullable<PowerPart['curve']>[number];

const needed = 0.95;

/**
 * Returns an SVG of power: the share of rehearsed students that were found, with its confidence band,
 * against the answers that they learned from (logarithmic), and the .95 that `no-match-found` takes.
 */
export function powerCurve(curve: readonly Point[], width: PlotWidth): string {
  const points = curve
    .filter(({ answers }) => answers > 0)
    .toSorted((a, b) => a.answers - b.answers);
  const wide = width === 720;
  const most = Math.max(10, ...points.map(({ answers }) => answers));
  const least = Math.min(most / 10, ...points.map(({ answers }) => answers));
  const x = (point: Point) => point.answers;
  return figure(
    {
      width,
      height: 250,
      marginTop: 22,
      marginBottom: 42,
      marginLeft: 46,
      marginRight: wide ? 90 : 30,
      x: { type: 'log', domain: [least, most], label: null },
      y: { domain: [0, 1], label: null },
      marks: [
        gridY({ stroke: 'var(--rule)', strokeOpacity: 1, ticks: 5 }),
        axisY({
          ticks: 5,
          tickSize: 0,
          fill: 'var(--quiet)',
          fontSize: 12,
          tickFormat: (share: number) => `${Math.round(100 * share)}%`,
          label: 'found',
          labelArrow: 'none',
        }),
        axisX({
          ticks: ticksOf(points, wide ? 7 : 4),
          stroke: 'var(--rule)',
          fill: 'var(--quiet)',
          fontSize: 12,
          tickFormat: (answers: number) => grouped(answers),
          label: 'answers learned from',
          labelArrow: 'none',
          labelAnchor: 'right',
          labelOffset: 38,
        }),
        ruleY([0], { stroke: 'var(--quiet)' }),
        areaY(points, { x, y1: 'lower', y2: 'upper', fill: 'var(--series-1)', fillOpacity: 0.18 }),
        line(points, { x, y: 'share', stroke: 'var(--series-1)', strokeWidth: 2 }),
        dot(points, { x, y: 'share', r: 3.5, fill: 'var(--series-1)' }),
        ruleY([needed], { stroke: 'var(--threshold)', strokeDasharray: '5 4' }),
        text([needed], {
          x: least,
          y: needed,
          text: () => (wide ? 'needed for no match found: 95%' : '95% is needed'),
          textAnchor: 'start',
          dx: 6,
          dy: 11,
          fill: 'var(--threshold)',
          stroke: 'var(--paper)',
          strokeWidth: 4,
          fontSize: 12,
        }),
      ],
    },
    {
      title: 'Power by answers leaked',
      description:
        points.length === 0
          ? 'No rehearsal is recorded.'
          : `${points.map(({ answers, share, lower, meanBans }) => `${grouped(answers)} answers: ${percent(share, 1)} found, at least ${percent(lower, 1)}, ${bans(meanBans)} bans on average`).join('; ')}.`,
    },
  );
}

/** The points themselves, thinned to so many, the last among them. */
function ticksOf(points: readonly Point[], most: number): readonly number[] {
  const step = Math.max(1, Math.ceil(points.length / most));
  return points.toReversed().flatMap(({ answers }, index) => (index % step === 0 ? [answers] : []));
}
