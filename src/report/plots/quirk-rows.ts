import type { QuirkFinding } from '../fingerprint.ts';
import { type AuditReport, quirkCounts } from '../model.ts';
import { grouped, visible } from '../text.ts';

/** References of one kind on the scale of a row: single models, and the middle 90% of them. */
export interface Band {
  readonly models: readonly number[];
  readonly from: number;
  readonly to: number;
}

/** One quirk on a scale where 0 is the median of the references and 1 the protected model. */
export interface QuirkRow {
  readonly name: string;
  readonly counted: boolean;
  readonly weight: number;
  /** Why the row is empty; undefined for a row with a suspect. */
  readonly empty: string | undefined;
  readonly suspect: number;
  readonly same: Band | undefined;
  readonly other: Band | undefined;
}

const mostDrawn = 60;
const farthest = 1e6;

/**
 * Returns the quirks of a report, in its order, on their common scale: x = (statistic - m) /
 * (protected - m), where m is the median of all references together (0 without any). Bands run
 * from the 5% to the 95% quantile of their kind (Hyndman and Fan 1996, type 7) and keep at most 60
 * models, evenly by rank. A row is empty when the quirk does not apply, or when the protected model
 * does not exceed the median.
 */
export function quirkRows(report: AuditReport): readonly QuirkRow[] {
  return (report.fingerprint?.quirks ?? []).map((quirk) => rowOf(report, quirk));
}

function rowOf(report: AuditReport, quirk: QuirkFinding): QuirkRow {
  const median = quantile(sorted([...quirk.same, ...quirk.other]), 0.5) ?? 0;
  const unit = quirk.protectedModel - median;
  const drawable = unit > 0 && Number.isFinite(unit);
  const scaled = (value: number) =>
    Math.max(-farthest, Math.min(farthest, (value - median) / unit));
  const band = (values: readonly number[]) =>
    drawable ? bandOf(sorted(values).map(scaled)) : undefined;
  const empty =
    quirk.suspect === null
      ? `not applicable: ${visible(quirk.why ?? '')}`
      : drawable
        ? undefined
        : 'no scale: the protected model does not exceed the median of the references';
  return {
    name: visible(quirk.name, 40),
    counted: quirkCounts(report, quirk),
    weight: quirk.weight,
    empty,
    suspect: empty === undefined ? scaled(quirk.suspect ?? 0) : 0,
    same: empty === undefined ? band(quirk.same) : undefined,
    other: empty === undefined ? band(quirk.other) : undefined,
  };
}

/** The two ends of the axis. */
export type Axis = readonly [left: number, right: number];

/** Returns an axis that holds 0, 1, every suspect and every bar, from -1 to 1.5 at most. */
export function axisOf(rows: readonly QuirkRow[]): Axis {
  const values = rows
    .filter(({ empty }) => empty === undefined)
    .flatMap(({ suspect, same, other }) => [
      suspect,
      ...[same, other].flatMap((band) => (band === undefined ? [] : [band.from, band.to])),
    ]);
  return [
    Math.max(-1, Math.min(-0.3, ...values.map((value) => value - 0.05))),
    Math.min(1.5, Math.max(1.2, ...values.map((value) => value + 0.05))),
  ];
}

/** Returns whether a place is on the axis. */
export function within([left, right]: Axis, value: number): boolean {
  return value >= left && value <= right;
}

/** Returns a place on the scale of a row with two decimals. */
export function place(value: number): string {
  if (Math.abs(value) > 99) return value > 0 ? 'over 99' : 'under −99';
  return grouped(Math.round(value * 100) / 100 || 0);
}

function bandOf(models: readonly number[]): Band | undefined {
  const [from, to] = [quantile(models, 0.05), quantile(models, 0.95)];
  if (from === undefined || to === undefined) return undefined;
  const step = Math.max(1, (models.length - 1) / (mostDrawn - 1));
  const kept = Math.min(models.length, mostDrawn);
  const drawn = Array.from({ length: kept }, (_, index) => models[Math.round(index * step)]!);
  return { models: drawn, from, to };
}

function sorted(values: readonly number[]): readonly number[] {
  return values.toSorted((a, b) => a - b);
}

function quantile(ascending: readonly number[], share: number): number | undefined {
  const at = (ascending.length - 1) * share;
  const below = ascending[Math.floor(at)];
  const above = ascending[Math.ceil(at)];
  if (below === undefined || above === undefined) return undefined;
  const part = at - Math.floor(at);
  return below * (1 - part) + above * part;
}
