/** What a pointer may look like: empty for the whole document, else each part after a slash. */
export const pointerPattern = /^(\/([^~]|~[01])*)?$/s;

/**
 * Returns what a JSON pointer (RFC 6901) denotes in a document, or undefined when there is nothing.
 * Only the document's own members are looked at. `-`, which denotes no existing element, finds nothing.
 */
export function atPointer(document: unknown, pointer: string): unknown {
  if (pointer === '') return document;
  let place: unknown = document;
  for (const part of pointer.slice(1).split('/')) {
    const key = part.replaceAll('~1', '/').replaceAll('~0', '~');
    if (typeof place !== 'object' || place === null || !Object.hasOwn(place, key)) return undefined;
    if (Array.isArray(place) && !/^(0|[1-9]\d*)$/.test(key)) return undefined;
    place = (place as Readonly<Record<string, unknown>>)[key];
  }
  return place;
}
