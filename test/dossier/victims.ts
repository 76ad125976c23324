import type { KeyObject } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { json } from '@sigstore/core';
import { openEnvelope, sealEnvelope } from '../../src/dossier/envelope.ts';
import type { DossierStatement } from '../../src/dossier/statement.ts';
import type { seededRandom } from '../../src/stats/sampling.ts';
import { madeConsistent } from './accusers.ts';
import { type Path, placesOf } from './mutations.ts';

export type Random = ReturnType<typeof seededRandom>;

/** A dossier that holds, and the key that signed it. */
export interface Victim {
  readonly text: string;
  readonly statement: DossierStatement;
  readonly key: KeyObject;
}

export function victimOf(text: string, key: KeyObject): Victim {
  return { text, key, statement: openEnvelope(text).statement };
}

/** A way of changing a dossier; undefined where this one has nothing to change. */
export type Tampering = (
  victim: Victim,
  random: Random,
  others: readonly Victim[],
) => string | undefined;

export function reconcile(copy: DossierStatement): true {
  madeConsistent(copy);
  return true;
}

export function moved(at: string, milliseconds: number): string {
  return new Date(Date.parse(at) + milliseconds).toISOString();
}

export function insideOf({ statement }: Victim): string {
  return json.canonicalize(statement);
}

export function withChange(
  victim: Victim,
  change: (copy: DossierStatement) => unknown,
): string | undefined {
  const copy = structuredClone(victim.statement);
  if (change(copy) === false || isDeepStrictEqual(copy, victim.statement)) return undefined;
  return sealEnvelope(copy, victim.key);
}

export function placesIn(
  { statement: { predicate } }: Victim,
  wanted: (place: Path, value: unknown) => boolean,
): Path[] {
  return placesOf(predicate).filter((place) => wanted(place, valueAt(predicate, place)));
}

export function listsIn(victim: Victim, least: number): Path[] {
  return placesIn(victim, (_, value) => Array.isArray(value) && value.length >= least);
}

export function valueAt(root: unknown, place: Path): unknown {
  return place.reduce<unknown>(
    (value, step) => (value as Record<string | number, unknown> | undefined)?.[step],
    root,
  );
}

export function changeAt(root: unknown, place: Path, change: (value: unknown) => unknown): void {
  const holder = valueAt(root, place.slice(0, -1)) as Record<string | number, unknown>;
  holder[place.at(-1)!] = change(holder[place.at(-1)!]);
}

export function atList(
  victim: Victim,
  places: readonly Path[],
  random: Random,
  change: (list: unknown[], place: Path) => unknown[],
): string | undefined {
  if (places.length === 0) return undefined;
  const place = places[random.integer(places.length)]!;
  return withChange(victim, ({ predicate }) =>
    changeAt(predicate, place, (list) => change(list as unknown[], place)),
  );
}

export function atObject(
  victim: Victim,
  random: Random,
  change: (holder: Record<string, unknown>, field: string) => unknown,
): string | undefined {
  const places = placesIn(victim, (place) => typeof place.at(-1) === 'string');
  const place = places[random.integer(places.length)]!;
  return withChange(victim, ({ predicate }) => {
    const holder = valueAt(predicate, place.slice(0, -1)) as Record<string, unknown>;
    change(holder, String(place.at(-1)));
  });
}
