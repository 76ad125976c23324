/** Control, format, surrogate and private-use characters, and line and paragraph separators. */
const unprintable = /[\p{C}\p{Zl}\p{Zp}]+/gu;

/**
 * Returns foreign text made safe to show: one line, no control or direction-changing characters
 * (Unicode categories C, Zl and Zp become one space), cut to `limit` UTF-16 units with an ellipsis.
 */
export function excerpt(text: string, limit = 120): string {
  const plain = text
    .slice(0, limit * 4)
    .replace(unprintable, ' ')
    .replace(/ {2,}/g, ' ')
    .trim();
  if (plain.length <= limit) return plain;
  return `${plain.slice(0, limit - 1).replace(/[\uD800-\uDBFF]$/, '')}…`;
}

/** Returns a short name for a foreign JSON value, for use in an error message. */
export function shown(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(excerpt(value, 60));
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (typeof value === 'object' && value !== null) return 'an object';
  return value === undefined ? 'missing' : String(value);
}
