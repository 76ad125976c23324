/** Letters with what is joined to them by an apostrophe, or digits. */
const word = /[\p{L}\p{M}\p{N}]+(?:'[\p{L}\p{M}]+)*/gu;

/**
 * Returns the words of a text in lower case, typographic apostrophes made plain ones.
 *
 * A word is a longest run of letters, marks and digits, with inner apostrophes (`don't`), after NFC.
 * Scripts without blanks, such as Chinese, give whole runs between punctuation as words.
 */
export function wordsOf(text: string): string[] {
  return plainApostrophes(text).toLowerCase().match(word) ?? [];
}

/** Returns the first words of a text, as many as are wanted or there are; as `wordsOf`. */
export function firstWords(text: string, count: number): string[] {
  const words: string[] = [];
  for (const [found] of plainApostrophes(text).toLowerCase().matchAll(word)) {
    if (words.push(found) === count) break;
  }
  return words;
}

/** Returns the text in NFC with typographic apostrophes made plain ones. */
export function plainApostrophes(text: string): string {
  return text.normalize('NFC').replaceAll('’', "'");
}
