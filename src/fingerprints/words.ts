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

/** Returns the text in NFC with typographic apostrophes made plain ones. */
export function plainApostrophes(text: string): string {
  return text.normalize('NFC').replaceAll('’', "'");
}
