import { axisX, axisY, cell, frame } from '@observablehq/plot';
import type { AuditReport } from '../model.ts';
import { clipped, displayWidth, grouped, percent, visible } from '../text.ts';
import { figure } from './figure.ts';

type Confusion = AuditReport['confusion'];

interface Cell {
  readonly row: number;
  readonly column: number;
  readonly opacity: number;
  readonly title: string;
}

const mostLabels = 40;
const decades = 3;
const size = 720;

/**
 * Returns an SVG heat map of the protected model's labels (rows) against the suspect's (columns).
 * A cell is as dark as the logarithm of its share of the row, from 0.1% (faint) to 100%; empty
 * cells are blank and counts are in each cell's title. Of more than 40 labels, the 40 that the
 * protected model gave most often are drawn.
 */
export function confusionMap({ labels, counts }: Confusion): string {
  const chosen = drawnLabels({ labels, counts });
  const outside = counts.some((row) => row.length > labels.length);
  const columns = outside ? [...chosen, labels.length] : chosen;
  const nameOf = (index: number) =>
    clipped(visible(labels[index] ?? '(outside)', 24), index < labels.length ? 11 : 12);
  const cells = chosen.flatMap((row) => {
    const rowCounts = counts[row] ?? [];
    const total = rowCounts.reduce((sum, value) => sum + value, 0);
    return columns.flatMap((column) => {
      const value = rowCounts[column] ?? 0;
      if (value === 0) return [];
      const title = `${nameOf(row)} → ${nameOf(column)}: ${grouped(value)} of ${grouped(total)}`;
      return [{ row, column, opacity: shade(value / total), title } satisfies Cell];
    });
  });
  const [marginLeft, marginTop] = [chosen, columns].map(
    (indices) => 14 + 6.6 * Math.max(3, ...indices.map((index) => displayWidth(nameOf(index)))),
  ) as [number, number];
  const step = (size - marginLeft - 8) / Math.max(8, columns.length);
  const fontSize = Math.min(12, Math.max(9, step * 0.56));
  const axis = { tickSize: 0, fill: 'var(--ink)', fontSize, tickFormat: nameOf, label: null };
  return figure(
    {
      width: size,
      height: Math.round(marginTop + step * Math.max(1, chosen.length) + 8),
      marginLeft,
      marginTop,
      marginRight: size - marginLeft - Math.round(step * Math.max(1, columns.length)),
      marginBottom: 8,
      x: { domain: columns, padding: 0.06, label: null },
      y: { domain: chosen, padding: 0.06, label: null },
      marks: [
        frame({ stroke: 'var(--rule)', fill: 'var(--panel)' }),
        cell(cells, {
          x: 'column',
          y: 'row',
          fill: 'var(--heat)',
          fillOpacity: { value: 'opacity', scale: null },
          title: 'title',
          inset: 0,
        }),
        axisX({ ...axis, anchor: 'top', tickRotate: -90 }),
        axisY({ ...axis, anchor: 'left' }),
      ],
    },
    { title: 'Suspect against protected model', description: confusionSummary({ labels, counts }) },
  );
}

/** Returns the shade of a row share in 0..1: 0 for none, .12 at 0.1% and below, 1 for the whole row. */
export function shade(share: number): number {
  if (!(share > 0)) return 0;
  return Number((0.12 + 0.88 * Math.max(0, 1 + Math.log10(share) / decades)).toFixed(3));
}

/** Returns agreement and the three commonest disagreements, as a sentence or two. */
export function confusionSummary({ labels, counts }: Confusion): string {
  const total = counts.flat().reduce((sum, value) => sum + value, 0);
  const agreed = labels.reduce((sum, _, index) => sum + (counts[index]?.[index] ?? 0), 0);
  const name = (index: number) => visible(labels[index] ?? '(outside)', 24);
  const swapped = counts
    .flatMap((row, from) => row.map((value, to) => ({ from, to, value })))
    .filter(({ from, to, value }) => from !== to && value > 0)
    .sort((a, b) => b.value - a.value)
    .slice(0, 3)
    .map(({ from, to, value }) => `${name(from)} → ${name(to)} (${grouped(value)})`);
  const disagreements =
    swapped.length === 0 ? '' : ` Commonest disagreements: ${swapped.join(', ')}.`;
  return `Same label on ${grouped(agreed)} of ${grouped(total)} answers (${percent(agreed, total)}).${disagreements}`;
}

/** Returns how many labels the map leaves out. */
export function undrawnLabels({ labels }: Confusion): number {
  return Math.max(0, labels.length - mostLabels);
}

function drawnLabels({ labels, counts }: Confusion): readonly number[] {
  const weight = counts.map((row) => row.reduce((sum, value) => sum + value, 0));
  return labels
    .map((_, index) => index)
    .sort((a, b) => (weight[b] ?? 0) - (weight[a] ?? 0) || a - b)
    .slice(0, mostLabels)
    .sort((a, b) => a - b);
}
