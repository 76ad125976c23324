/** Characters that draw nothing, or that change how their neighbours are drawn. */
const unseen = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}\p{DI}\u2800]/gu;
const piledMarks = /(\p{M}{3})\p{M}+/gu;
const wide =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Emoji_Presentation}\u3000-\u303f\uff01-\uff60]/u;

/**
 * Returns a stranger's text in a form that cannot act: unseen characters (control, bidirectional
 * override, zero width, unpaired surrogate; Unicode TR36, section 2) as `\u{...}`, at most three
 * combining marks in a row, and anything beyond `limit` code points replaced by the full length.
 */
export function visible(text: string, limit = 120): string {
  const head = Array.from(text.slice(0, 2 * limit + 2));
  const cut = head.length > limit;
  const kept = (cut ? head.slice(0, limit).join('') : text)
    .replace(piledMarks, '$1')
    .replace(unseen, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`);
  if (kept.trim() === '') return '(blank)';
  return cut ? `${kept}… (${grouped(text.length)} characters)` : kept;
}

/** Returns how many terminal columns visible text takes: East Asian wide 2, combining marks 0. */
export function displayWidth(text: string): number {
  let width = 0;
  for (const character of text) {
    width += /\p{M}/u.test(character) ? 0 : wide.test(character) ? 2 : 1;
  }
  return width;
}

/** Returns text cut to `columns` terminal columns, ending in an ellipsis when something was cut. */
export function clipped(text: string, columns: number): string {
  if (displayWidth(text) <= columns) return text;
  let kept = '';
  for (const character of text) {
    if (displayWidth(kept) + displayWidth(character) > columns - 1) break;
    kept += character;
  }
  return `${kept}…`;
}

/** Returns a number of bans rounded DOWN, so that what is printed never claims more than was found. */
export function bans(value: number, digits = 1): string {
  return rounded(value, digits, Math.floor);
}

/** Returns a charge in bans or a log10 of a p-value rounded UP, the cautious way for both. */
export function boundAbove(value: number, digits = 1): string {
  return rounded(value, digits, Math.ceil);
}

function rounded(value: number, digits: number, round: (value: number) => number): string {
  const unit = 10 ** digits;
  const slack = round === Math.floor ? 1e-9 : -1e-9;
  const result = round(value * unit + slack) / unit;
  return (result === 0 ? 0 : result).toFixed(digits).replace('-', '−');
}

/** Returns a p-value in (0, 1] with two significant digits, rounded UP. */
export function pValue(p: number): string {
  const unit = 10 ** (1 - Math.floor(Math.log10(p)));
  return String(Number((Math.ceil(p * unit - 1e-9) / unit).toPrecision(2)));
}

/** Returns a count with thousands grouped by commas. */
export function grouped(value: number): string {
  return value.toLocaleString('en-US', { maximumFractionDigits: 4 }).replace('-', '−');
}

/** Returns a share of 0..1 as per cent with one decimal, and an en dash for 0 of 0. */
export function percent(part: number, whole: number): string {
  return whole === 0 ? '–' : `${((100 * part) / whole).toFixed(1)}%`;
}

/** Returns an ISO 8601 moment as `2026-05-04 09:12 UTC`. */
export function moment(iso: string): string {
  return `${new Date(iso).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}

/** Returns a duration as `42.0 s`, `3 min 5 s`, `2 h 4 min` or, from two days on, `61 days`. */
export function duration(seconds: number): string {
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  if (whole >= 172_800) return `${grouped(Math.floor(whole / 86_400))} days`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}

/** Characters that would steer a terminal and that JSON does not escape. */
const steering = /[\p{Cc}\p{Cf}\p{Co}\p{Zl}\p{Zp}]/gu;

/**
 * Returns a value as indented JSON in which characters that would steer a terminal (C1 controls,
 * bidirectional overrides) are written as `\uXXXX`, which means the same to a JSON reader.
 */
export function steadyJson(
  value: unknown,
  replacer?: (key: string, value: unknown) => unknown,
): string {
  const lines = JSON.stringify(value, replacer, 2).split('\n');
  return lines.map((line) => line.replace(steering, escaped)).join('\n');
}

/** As JSON writes it: each UTF-16 unit for itself. */
function escaped(character: string): string {
  return Array.from(
    { length: character.length },
    (_, index) => `\\u${character.charCodeAt(index).toString(16).padStart(4, '0')}`,
  ).join('');
}

/** Columns that a line of the terminal may take. */
export const lineWidth = 100;

/** Returns visible text as lines of at most 100 terminal columns, broken at spaces. */
export function wrapped(text: string): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ').map((long) => clipped(long, lineWidth))) {
    if (line !== '' && displayWidth(line) + 1 + displayWidth(word) > lineWidth) {
      lines.push(line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  return [...lines, line];
}
