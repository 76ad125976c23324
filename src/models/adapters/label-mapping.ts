import { TouchmarkError } from '../../errors.ts';
import { shown } from './excerpt.ts';

/** Languages that identifiers give as one, or as the language that covers them (ISO 639-3). */
const covering: Readonly<Record<string, string>> = {
  nn: 'no',
  ltg: 'lv',
  yue: 'zh',
  wuu: 'zh',
  hak: 'zh',
  nan: 'zh',
};

/**
 * Returns the language that a code denotes, as its shortest ISO 639 code, or undefined when the
 * text has not the form of a language code.
 *
 * Understands ISO 639-1, 639-2 and 639-3 codes with any script, region or variant behind them, with
 * `_` or `-` between, and fastText's `__label__` before: `en`, `eng`, `eng_Latn`, `en-US`,
 * `por_PT`, `deu_1996`. Replacements are Unicode CLDR's language aliases (UTS 35, annex C), plus
 * one: `nb` is `no`, as most identifiers know one written Norwegian.
 */
export function languageKey(code: string): string | undefined {
  const tag = code.replace(/^__label__/, '').replaceAll('_', '-');
  if (!/^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,4}$/.test(tag)) return undefined;
  const primary = tag.split('-', 1)[0]!;
  const { language } = new Intl.Locale(primary);
  return language === 'nb' ? 'no' : language;
}

/** Decides where one of the suspect's labels stands among ours; undefined when it is outside. */
export type LabelMatcher = (suspectLabel: string) => number | undefined;

/**
 * Returns the matcher from a suspect's labels to positions in `labels`.
 *
 * First hit wins: `labelMap`, the same text, the same `languageKey`, the same covering language
 * (nn and no, yue and zh). A key that two of `labels` share decides nothing. Several of the
 * suspect's labels may meet in one of ours.
 *
 * @throws CONFIG_INVALID when `labelMap` leads to a label that is not ours.
 */
export function createLabelMatcher(
  labels: readonly string[],
  labelMap: Readonly<Record<string, string>> = {},
): LabelMatcher {
  const exact = new Map(labels.map((label, position) => [label, position]));
  const mapped = new Map(
    Object.entries(labelMap).map(([theirs, ours]) => [theirs, positionOf(exact, theirs, ours)]),
  );
  const byLanguage = uniquePositions(labels, languageKey);
  const byCovering = uniquePositions(labels, coveringKey);
  const known = new Map<string, number | undefined>();
  const find: LabelMatcher = (label) =>
    mapped.get(label) ??
    exact.get(label) ??
    byLanguage.get(languageKey(label) ?? '') ??
    byCovering.get(coveringKey(label) ?? '');
  return (label) => {
    if (!known.has(label)) {
      if (known.size >= 10_000) known.clear();
      known.set(label, find(label));
    }
    return known.get(label);
  };
}

function coveringKey(code: string): string | undefined {
  const key = languageKey(code);
  return key === undefined ? undefined : (covering[key] ?? key);
}

function positionOf(exact: ReadonlyMap<string, number>, theirs: string, ours: string): number {
  const position = exact.get(ours);
  if (position === undefined) {
    throw new TouchmarkError(
      'CONFIG_INVALID',
      `the label map sends ${shown(theirs)} to ${shown(ours)}, which the protected model does not have`,
      { hint: `use one of ${[...exact.keys()].slice(0, 12).join(', ')}` },
    );
  }
  return position;
}

function uniquePositions(
  labels: readonly string[],
  keyOf: (label: string) => string | undefined,
): ReadonlyMap<string, number> {
  const positions = new Map<string, number>();
  const shared = new Set<string>();
  for (const [position, label] of labels.entries()) {
    const key = keyOf(label);
    if (key === undefined) continue;
    if (positions.has(key)) shared.add(key);
    positions.set(key, position);
  }
  for (const key of shared) positions.delete(key);
  return positions;
}
