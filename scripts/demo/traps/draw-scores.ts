import { axisX, axisY, dot, gridX, link, plot, ruleX } from '@observablehq/plot';
import { parseHTML } from 'linkedom';
import type { AuditedSuspect } from './scores.ts';

const colours = { surrogate: '#a2461b', independent: '#1f5fa8' } as const;

/**
 * Draws one row per suspect and one pair of dots per seed: hollow for the score without traps, full
 * for the score with them, on a scale that is linear near 0 and logarithmic beyond.
 */
export function drawScores(audits: readonly AuditedSuspect[]): string {
  const names = [...new Set(audits.map(({ name }) => name))];
  const { document } = parseHTML('<!doctype html><html><body></body></html>');
  const colour = ({ truth }: AuditedSuspect) => colours[truth];
  const svg = plot({
    document,
    width: 860,
    height: 70 + 34 * names.length,
    marginLeft: 160,
    marginRight: 20,
    marginTop: 46,
    style: { background: 'white', color: '#1d1f22', fontSize: '13px' },
    x: { type: 'symlog', domain: [-6, 60], label: null },
    y: { domain: names, type: 'point', padding: 0.6, label: null },
    marks: [
      gridX([-4, -2, 0, 2, 6, 10, 20, 40], { stroke: '#dedad2', strokeOpacity: 1 }),
      axisX([-4, -2, 0, 2, 6, 10, 20, 40], {
        anchor: 'top',
        tickFormat: String,
        label:
          'bans; red surrogates, blue independents; hollow without traps, full with them; match from 6',
        labelArrow: 'none',
        labelAnchor: 'left',
      }),
      axisY({ tickSize: 0 }),
      ruleX([6], { stroke: '#1d1f22', strokeWidth: 1.5 }),
      link(audits, {
        x1: 'without',
        x2: 'with',
        y1: 'name',
        y2: 'name',
        stroke: colour,
        strokeOpacity: 0.35,
      }),
      dot(audits, { x: 'without', y: 'name', r: 4, stroke: colour, strokeWidth: 1.5 }),
      dot(audits, { x: 'with', y: 'name', r: 4.5, fill: colour, fillOpacity: 0.75 }),
    ],
  }) as { readonly outerHTML: string; setAttribute(name: string, value: string): void };
  svg.setAttribute('xmlns', 'http://www.w3.org/2000/svg');
  return `${svg.outerHTML}\n`;
}
