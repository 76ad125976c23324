/** Deeper documents than any protocol has. */
const deepest = 100;
/** Of a list's value; objects, arrays and names weigh four times as much. */
const heaviest = 2 ** 21;

const [quote, comma, colon, bracket, backslash, closeBracket, brace, closeBrace] = [
  ...'",:[\\]{}',
].map((character) => character.charCodeAt(0));

/**
 * Says why a JSON text should not be parsed, or returns undefined when it may be: parsing takes up to
 * 60 times the memory of the text where it is deeper than 100 levels, or holds more than some 2
 * million values, or half a million objects, arrays and names. A text that is no JSON may pass.
 */
export function tooHeavy(text: string): string | undefined {
  let depth = 0;
  let weight = 0;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === quote) at = endOfString(text, at);
    else if (code === comma) weight += 1;
    else if (code === colon) weight += 4;
    else if (code === closeBracket || code === closeBrace) depth -= 1;
    else if (code === bracket || code === brace) {
      depth += 1;
      weight += 4;
      if (depth > deepest) return `more than ${deepest} levels of JSON`;
    }
    if (weight > heaviest) return 'more values than any answer needs';
  }
  return undefined;
}

/** Returns where the string that begins at a quote ends. */
function endOfString(text: string, start: number): number {
  for (let end = start + 1; end < text.length; end += 1) {
    const code = text.charCodeAt(end);
    if (code === quote) return end;
    if (code === backslash) end += 1;
  }
  return text.length;
}
