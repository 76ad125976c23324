import { visible } from './text.ts';
import { nameLimit, type Phrase } from './words.ts';

/** A piece of HTML in which every stranger's character has been escaped. */
export interface Markup {
  readonly markup: string;
}

type Value = Markup | string | number | readonly Markup[];

/**
 * Returns the template as HTML. Interpolated strings and numbers become text: made visible, cut at
 * 2,000 characters and escaped, so they are safe between tags and inside double-quoted attributes.
 */
export function html(parts: TemplateStringsArray, ...values: readonly Value[]): Markup {
  return { markup: String.raw({ raw: parts }, ...values.map(written)) };
}

/** Returns markup for text that somebody else chose, set apart from our own reading direction. */
export function foreign(text: string, limit = 120): Markup {
  return html`<bdi>${visible(text, limit)}</bdi>`;
}

/** Returns several names, separated by commas, or an en dash for none; `limit` of them are shown. */
export function foreignList(texts: readonly string[], limit = 40): Markup {
  if (texts.length === 0) return html`–`;
  const shown = texts.slice(0, limit).map((text, index) => {
    return html`${index > 0 ? ', ' : ''}${foreign(text)}`;
  });
  return html`${shown}${texts.length > limit ? ` and ${texts.length - limit} more` : ''}`;
}

/** Returns a sentence with its names set apart and its powers of ten raised. */
export function phrased(phrase: Phrase): Markup {
  const parts = phrase.map((part) => {
    if (typeof part === 'string') return html`${part}`;
    return 'name' in part
      ? foreign(part.name, nameLimit)
      : html`<span class="power">10<sup>${part.exponent}</sup></span>`;
  });
  return html`${parts}`;
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function written(value: Value): string {
  if (typeof value === 'object') {
    return 'markup' in value ? value.markup : value.map(({ markup }) => markup).join('');
  }
  const text = String(value);
  if (text.trim() === '') return text.replace(/[^ ]/g, '');
  return visible(text, 2000).replace(/[&<>"']/g, (character) => entities[character] ?? '');
}
