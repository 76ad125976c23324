import { type PlotOptions, plot } from '@observablehq/plot';
import { parseHTML } from 'linkedom';
import { visible } from '../text.ts';

/** Width in CSS pixels: one drawing for screens and paper, one for telephones. */
export type PlotWidth = 720 | 360;

/** What a plot tells a reader who cannot see it. */
export interface Caption {
  readonly title: string;
  readonly description: string;
}

/** A pattern of slanted lines that a plot fills with as `url(#id)`; the id is unique in the page. */
export interface Hatch {
  readonly id: string;
  readonly colour: string;
}

/** The part of a document's element that drawing needs. */
interface Element {
  textContent: string | null;
  readonly outerHTML: string;
  setAttribute(name: string, value: string): void;
  prepend(...nodes: Element[]): void;
  querySelector(selector: string): Element | null;
  querySelectorAll(selector: string): Iterable<Element>;
  removeAttribute(name: string): void;
  remove(): void;
}

/**
 * Returns one plot as the text of an SVG element: coloured by the page's CSS variables, with a
 * title and a description, which stand for its parts, and the class `wide` or `narrow` by its
 * width. `defs` must be trusted.
 */
export function figure(
  options: PlotOptions & { readonly width: PlotWidth },
  caption: Caption,
  hatches: readonly Hatch[] = [],
): string {
  const { document } = parseHTML('<!doctype html><html><body></body></html>');
  const svg: Element = plot({ ...options, document, className: 'plot' });
  svg.querySelector('style')?.remove();
  for (const part of svg.querySelectorAll('[aria-label]')) part.removeAttribute('aria-label');
  svg.setAttribute('role', 'img');
  svg.setAttribute('class', options.width === 720 ? 'plot wide' : 'plot narrow');
  svg.setAttribute('font-family', 'inherit');
  const make = (name: string): Element =>
    document.createElementNS('http://www.w3.org/2000/svg', name);
  const key = `${caption.title.toLowerCase().replaceAll(/[^a-z]+/g, '-')}-${options.width}`;
  svg.setAttribute('aria-labelledby', `${key}-title`);
  svg.setAttribute('aria-describedby', `${key}-desc`);
  const text = (name: string, content: string) => {
    const element = make(name);
    element.setAttribute('id', `${key}-${name}`);
    element.textContent = visible(content, 1000);
    return element;
  };
  const defs = hatches.map(({ id, colour }) => hatch(make, id, colour));
  svg.prepend(text('title', caption.title), text('desc', caption.description), ...defs);
  return svg.outerHTML;
}

/** Returns the colour of the test at `index`: a CSS variable that both colour schemes define. */
export function seriesColour(index: number): string {
  return `var(--series-${(index % 6) + 1})`;
}

function hatch(make: (name: string) => Element, id: string, colour: string): Element {
  const pattern = make('pattern');
  const attributes = { id, width: '5', height: '5', patternUnits: 'userSpaceOnUse' };
  for (const [name, value] of Object.entries(attributes)) pattern.setAttribute(name, value);
  pattern.setAttribute('patternTransform', 'rotate(45)');
  const line = make('rect');
  for (const [name, value] of Object.entries({ width: '1.6', height: '5', fill: colour })) {
    line.setAttribute(name, value);
  }
  pattern.prepend(line);
  return pattern;
}
