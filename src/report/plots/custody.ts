import { axisY, dot, line, ruleY, text } from '@observablehq/plot';
import type { CustodyEntry } from '../parts.ts';
import { duration, moment, visible } from '../text.ts';
import { figure, type PlotWidth } from './figure.ts';

interface Stop {
  readonly x: number;
  readonly y: number;
  readonly number: number;
  readonly entry: CustodyEntry;
}

const lanes = ['recomputed', 'anchored', 'asserted'] as const;
const colours: Readonly<Record<CustodyEntry['grade'], string>> = {
  recomputed: 'var(--recomputed)',
  anchored: 'var(--anchored)',
  asserted: 'var(--asserted)',
};
const layouts = {
  720: { most: 30, marginLeft: 96, marginRight: 16 },
  360: { most: 14, marginLeft: 90, marginRight: 10 },
} as const;

/** Returns how many events a picture of this width leaves to the table. */
export function undrawnEvents(custody: readonly CustodyEntry[], width: PlotWidth): number {
  return Math.max(0, custody.length - layouts[width].most);
}

/** Returns the events in order of time; those of one moment keep their order. */
export function inOrder(custody: readonly CustodyEntry[]): readonly CustodyEntry[] {
  return custody.toSorted((a, b) => Date.parse(a.at) - Date.parse(b.at));
}

/**
 * Returns an SVG of custody: events from left to right in order of time, numbered as in the table,
 * on the lane of their grade. The steps between them grow with the logarithm of the time between;
 * of more than 30 events (14 on a telephone) the first are drawn.
 */
export function custodyTimeline(custody: readonly CustodyEntry[], width: PlotWidth): string {
  const layout = layouts[width];
  const stops = stopsOf(inOrder(custody).slice(0, layout.most));
  const last = stops.at(-1)?.x ?? 1;
  const room = Math.max(0.5, last * 0.03);
  return figure(
    {
      width,
      height: 172,
      marginTop: 20,
      marginBottom: 12,
      marginLeft: layout.marginLeft,
      marginRight: layout.marginRight,
      x: { domain: [-room, last + room], axis: null },
      y: { domain: [-0.5, lanes.length - 0.5], label: null },
      marks: [
        ruleY([0, 1, 2], { stroke: 'var(--rule)' }),
        axisY({
          ticks: [0, 1, 2],
          tickSize: 0,
          fill: 'var(--quiet)',
          fontSize: 12,
          label: null,
          tickFormat: (lane: number) => lanes[lanes.length - 1 - lane] ?? '',
        }),
        line(stops, { x: 'x', y: 'y', stroke: 'var(--quiet)', strokeOpacity: 0.6 }),
        dot(stops, {
          x: 'x',
          y: 'y',
          r: 6,
          fill: (stop: Stop) => colours[stop.entry.grade],
          stroke: 'var(--paper)',
          strokeWidth: 2,
          title: (stop: Stop) =>
            `${stop.number}: ${visible(stop.entry.what, 80)}, ${moment(stop.entry.at)}`,
        }),
        text(stops, {
          x: 'x',
          y: 'y',
          text: (stop: Stop) => String(stop.number),
          dy: -14,
          fill: 'var(--ink)',
          stroke: 'var(--paper)',
          strokeWidth: 3,
          fontSize: 11,
        }),
      ],
    },
    { title: 'Timeline of custody', description: spoken(custody) },
  );
}

function stopsOf(custody: readonly CustodyEntry[]): readonly Stop[] {
  let x = 0;
  return custody.map((entry, index) => {
    const before = custody[index - 1];
    const seconds =
      before === undefined ? 0 : (Date.parse(entry.at) - Date.parse(before.at)) / 1000;
    if (before !== undefined) x += 1 + Math.log10(1 + seconds) / 8;
    return { x, y: lanes.length - 1 - lanes.indexOf(entry.grade), number: index + 1, entry };
  });
}

function spoken(custody: readonly CustodyEntry[]): string {
  const ordered = inOrder(custody);
  const [first, last] = [ordered[0], ordered.at(-1)];
  if (first === undefined || last === undefined) return 'No event is recorded.';
  const counts = lanes.map(
    (lane) => `${custody.filter(({ grade }) => grade === lane).length} ${lane}`,
  );
  const seconds = (Date.parse(last.at) - Date.parse(first.at)) / 1000;
  return `${custody.length} events over ${duration(seconds)}: ${counts.join(', ')}. The table below lists them.`;
}
