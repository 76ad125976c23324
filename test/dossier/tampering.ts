import { type KeyObject, sign } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { dsse, json } from '@sigstore/core';
import { digestOfParts, partDigests } from '../../src/audit/stored-material.ts';
import { openEnvelope, sealEnvelope } from '../../src/dossier/envelope.ts';
import { type DossierStatement, payloadType } from '../../src/dossier/statement.ts';
import { keyIdentifier, publicKeyOf } from '../../src/keys/signing.ts';
import type { seededRandom } from '../../src/stats/sampling.ts';
import { madeConsistent } from './accusers.ts';
import {
  byteWays,
  fewOfEachKind,
  isOnlySigned,
  mutateAt,
  type Path,
  placesOf,
} from './mutations.ts';
import { type Received, receivedText } from './received.ts';

type Random = ReturnType<typeof seededRandom>;

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

/**
 * What a plan may say as its owner likes, and the material that it seals where no statistic depends on
 * what was changed: another plan is another audit, and no less true.
 */
const ownWords = [
  'material',
  'plan.material',
  'plan.audit',
  'plan.budget',
  'plan.fingerprint.references',
  'plan.reading',
  'plan.rehearsals',
  'plan.sealedAt',
  'plan.stopping',
  'plan.suspect',
  'plan.protectedModel',
  'plan.assumptions',
];
const expectedOfLot = /^plan\.traps\.\d+\.expectedBans$/;

const bytesByClass: Readonly<Record<string, readonly string[]>> = {
  digit: [...'0123456789'],
  letter: [...'abcdefxyzABCXYZ'],
  structure: [...'{}[],:'],
  'quotation mark': ['"'],
  'reverse solidus': ['\\'],
  'white space': [' ', '\t', '\n', '\r'],
  'control character': ['\u0000', '\u001b', '\u0007', '\u007f', '\u009b'],
  'character beyond ASCII': ['é', '\u2028', '\u200b', '\u{1f600}', '\ufeff'],
};

/** Changes to the file by somebody without the key: all of them have to be refused. */
export const byteTamperings: Readonly<Record<string, Tampering>> = {
  ...Object.fromEntries(
    Object.entries(byteWays).map(([kind, way]): [string, Tampering] => [
      `bytes: ${kind}`,
      ({ text }, random) => way(text, random),
    ]),
  ),
  ...Object.fromEntries(
    Object.keys(bytesByClass).map((kind): [string, Tampering] => [
      `statement: ${kind}`,
      (victim, random) => {
        const inside = insideOf(victim);
        const changed = withCharacter(inside, kind, random);
        return changed === inside ? undefined : withPayload(victim, Buffer.from(changed));
      },
    ]),
  ),
  'statement: byte that is no UTF-8': (victim, random) => {
    const bytes = Buffer.from(insideOf(victim));
    bytes[random.integer(bytes.length)] = 0x80 + random.integer(128);
    return withPayload(victim, bytes);
  },
};

/** Changes by an insider, who signs anew. */
export const insiderTamperings: Readonly<Record<string, Tampering>> = {
  ...Object.fromEntries(
    Object.keys(bytesByClass).map((kind): [string, Tampering] => [
      `insider, statement: ${kind}`,
      (victim, random) => signedText(victim, withCharacter(insideOf(victim), kind, random)),
    ]),
  ),
  ...Object.fromEntries(
    (
      [
        ...['createdAt', 'epoch', 'findings', 'leftOut', 'log', 'material', 'ownerKey'],
        ...['plan', 'profile', 'report', 'reveals', 'run', 'toolkit', 'traps', 'vouchers'],
      ] as const
    ).map((section): [string, Tampering] => [
      `insider, field: ${section}`,
      (victim, random) => {
        const places = placesIn(victim, (place) => place[0] === section);
        const [place] = random.choose(places, Math.min(1, places.length));
        return place && withChange(victim, (copy) => mutateAt(copy.predicate, place, random));
      },
    ]),
  ),
  'insider, field removed': (victim, random) =>
    atObject(victim, random, (holder, field) => delete holder[field]),
  'insider, field added': (victim, random) =>
    atObject(victim, random, (holder) => Object.assign(holder, { extra: 1 })),
  'insider, field of another type': (victim, random) =>
    atObject(victim, random, (holder, field) => {
      const value = holder[field];
      holder[field] = typeof value === 'string' ? 1 : value === null ? {} : String(value);
    }),
  'insider, proof': (victim, random) => {
    const proofs = placesIn(victim, (place) =>
      ['proof', 'consistency'].includes(`${place.at(-1)}`),
    );
    return atList(victim, proofs, random, (proof) => tamperedList(proof, random));
  },
  'insider, hash or commitment': (victim, random) => {
    const hashes = placesIn(victim, (_, value) => /^(sha256:)?[0-9a-f]{64}$/.test(`${value}`));
    const [place] = random.choose(hashes, 1);
    return withChange(victim, ({ predicate }) =>
      changeAt(predicate, place!, (hash) =>
        String(hash).replace(/.$/, (digit) => (digit === '0' ? '1' : '0')),
      ),
    );
  },
  'insider, list reordered': (victim, random) =>
    atList(victim, listsIn(victim, 2), random, (list) => {
      const turned = [...list.slice(1), list[0]];
      return isDeepStrictEqual(turned, list) ? [] : turned;
    }),
  'insider, entry twice': (victim, random) =>
    atList(victim, listsIn(victim, 1), random, (list) => {
      const where = random.integer(list.length);
      return [...list.slice(0, where + 1), ...list.slice(where)];
    }),
  'insider, list cut short': (victim, random) =>
    atList(victim, listsIn(victim, 1), random, (list) =>
      list.slice(0, random.integer(list.length)),
    ),
  'insider, answer hidden': (victim, random) =>
    withChange(victim, ({ predicate: { run } }) => {
      if (run.entries.length === 0) return false;
      const where = random.integer(run.entries.length);
      const { sequence, previous, commitment } = run.entries[where]!;
      run.entries[where] = { sequence, previous: previous!, commitment };
      return true;
    }),
  'insider, section of another audit': (victim, random, others) => {
    const { predicate } = victim.statement;
    const sections = Object.keys(predicate) as (keyof typeof predicate)[];
    const section = sections[random.integer(sections.length)]!;
    const foreign = others[random.integer(others.length)]!.statement.predicate[section];
    if (isDeepStrictEqual(foreign, predicate[section])) return undefined;
    return withChange(victim, (copy) => Object.assign(copy.predicate, { [section]: foreign }));
  },
  'insider, entry of another audit': (victim, random, others) => {
    const other = others[random.integer(others.length)]!.statement.predicate;
    const lists = listsIn(victim, 1).filter((place) => {
      const list = valueAt(other, place);
      return Array.isArray(list) && list.length > 0;
    });
    return atList(victim, lists, random, (list, place) => {
      const foreign = valueAt(other, place) as unknown[];
      return list.with(random.integer(list.length), foreign[random.integer(foreign.length)]);
    });
  },
  'insider, plan sealed after the first probe': (victim, random) =>
    withChange(victim, (copy) => {
      const { run, plan, createdAt } = copy.predicate;
      const shown = run.entries.flatMap((entry) => ('payload' in entry ? [entry.payload.at] : []));
      const first = Date.parse(shown[0] ?? createdAt);
      const sealedAt = new Date(first + 1 + random.integer(1e7)).toISOString();
      Object.assign(plan, { sealedAt });
      if (shown.length === 0) Object.assign(plan, { sealedAt: moved(createdAt, 1) });
      reconcile(copy);
    }),
  'insider, key committed after serving': (victim, random) =>
    withChange(victim, ({ predicate: { epoch, log, plan } }) => {
      const [first] = log.records;
      const from = first === undefined ? plan.sealedAt : JSON.parse(first.payload).servedAt;
      epoch.createdAt = moved(from, 1 + random.integer(1e7));
    }),
  'insider, answers from before the plan': (victim, random) =>
    withChange(victim, (copy) => {
      const { run, plan } = copy.predicate;
      const shown = run.entries.flatMap((entry) => ('payload' in entry ? [entry.payload] : []));
      if (shown.length === 0) return false;
      const payload = shown[random.integer(shown.length)]!;
      Object.assign(payload, { at: moved(plan.sealedAt, -1 - random.integer(1e6)) });
      return reconcile(copy);
    }),
  'insider, plan changed and all made consistent': (victim, random) => {
    const places = placesIn(victim, (place) => place[0] === 'plan' && place.length > 1);
    const [place] = random.choose(places, 1);
    return withChange(victim, (copy) => {
      mutateAt(copy.predicate, place!, random);
      return reconcile(copy);
    });
  },
  'insider, material changed and all made consistent': (victim, random) => {
    const parts = Object.entries(victim.statement.predicate.material.parts).filter(
      ([, text]) => placesOf(JSON.parse(text)).length > 0,
    );
    if (parts.length === 0) return undefined;
    return withChange(victim, (copy) => {
      const { material, plan } = copy.predicate;
      const [part, text] = parts[random.integer(parts.length)]!;
      const value = JSON.parse(text);
      mutateAt(value, random.choose(fewOfEachKind(placesOf(value), 3, random), 1)[0]!, random);
      Object.assign(material.parts, { [part]: JSON.stringify(value) });
      Object.assign(material.digests, partDigests(material.parts));
      Object.assign(plan, { material: digestOfParts(material.digests) });
      return reconcile(copy);
    });
  },
};

/**
 * Says how a changed dossier fared. What an insider may write anew at will, and no reader is told to
 * believe, is asserted; whatever else is accepted has passed.
 */
export function tampered({ statement }: Victim, text: string): Received {
  const found = receivedText(text);
  if (found.fate !== 'passed' || found.why !== 'accepted') return found;
  const changed = differences(statement.predicate, openEnvelope(text).statement.predicate);
  const bound = changed.filter(
    (place) => !isOwnWord(place) && !isOfTestLeftOut(statement.predicate, place),
  );
  if (changed.length > 0 && bound.length === 0) return { ...found, fate: 'asserted' };
  return { ...found, why: `accepted with ${bound.slice(0, 3).map((place) => place.join('.'))}` };
}

/** With another plan the run log starts from another hash, and the report names it. */
function isOwnWord(place: Path): boolean {
  const name = place.join('.');
  return (
    isOnlySigned(place) ||
    ownWords.some((prefix) => name === prefix || name.startsWith(`${prefix}.`)) ||
    expectedOfLot.test(name) ||
    /^run\.(head|entries\.\d+\.(hash|previous))$/.test(name) ||
    /^report\.(plan\.(hash|sealedAt)|tenant)$/.test(name)
  );
}

/** Of a test that is left out nothing is shown but what its owner says of it. */
function isOfTestLeftOut({ leftOut, findings }: Victim['statement']['predicate'], place: Path) {
  const [section, list, index] = place;
  const test = findings.evidence[Number(index)]?.test ?? '';
  return section === 'findings' && list === 'evidence' && leftOut.includes(test);
}

/** Places of leaves that differ between two values. */
function differences(one: unknown, two: unknown, path: Path = []): Path[] {
  if (isDeepStrictEqual(one, two)) return [];
  const nested = (value: unknown) => typeof value === 'object' && value !== null;
  if (!nested(one) || !nested(two)) return [path];
  const [left, right] = [one as Record<string, unknown>, two as Record<string, unknown>];
  const steps = new Set([...Object.keys(left), ...Object.keys(right)]);
  return [...steps].flatMap((step) => differences(left[step], right[step], [...path, step]));
}

function reconcile(copy: DossierStatement): true {
  madeConsistent(copy);
  return true;
}

function moved(at: string, milliseconds: number): string {
  return new Date(Date.parse(at) + milliseconds).toISOString();
}

function insideOf({ statement }: Victim): string {
  return json.canonicalize(statement);
}

function withCharacter(text: string, kind: string, random: Random): string {
  const where = random.integer(text.length);
  const characters = bytesByClass[kind]!;
  const character = characters[random.integer(characters.length)]!;
  const removed = random.integer(2);
  return text.slice(0, where) + character + text.slice(where + removed);
}

/** The file with another payload under the old signature. */
function withPayload({ text }: Victim, payload: Buffer): string {
  const envelope = { ...JSON.parse(text), payload: payload.toString('base64') };
  return `${json.canonicalize(envelope)}\n`;
}

/** The file with another payload that the owner has signed, whatever it is. */
function signedText({ statement, key }: Victim, inside: string): string | undefined {
  if (inside === json.canonicalize(statement)) return undefined;
  const payload = Buffer.from(inside);
  const signature = sign(null, dsse.preAuthEncoding(payloadType, payload), key);
  const signatures = [
    { keyid: keyIdentifier(publicKeyOf(key)), sig: signature.toString('base64') },
  ];
  const envelope = { payload: payload.toString('base64'), payloadType, signatures };
  return `${json.canonicalize(envelope)}\n`;
}

function withChange(
  victim: Victim,
  change: (copy: DossierStatement) => unknown,
): string | undefined {
  const copy = structuredClone(victim.statement);
  if (change(copy) === false || isDeepStrictEqual(copy, victim.statement)) return undefined;
  return sealEnvelope(copy, victim.key);
}

function placesIn(
  { statement: { predicate } }: Victim,
  wanted: (place: Path, value: unknown) => boolean,
): Path[] {
  return placesOf(predicate).filter((place) => wanted(place, valueAt(predicate, place)));
}

function listsIn(victim: Victim, least: number): Path[] {
  return placesIn(victim, (_, value) => Array.isArray(value) && value.length >= least);
}

function valueAt(root: unknown, place: Path): unknown {
  return place.reduce<unknown>(
    (value, step) => (value as Record<string | number, unknown> | undefined)?.[step],
    root,
  );
}

function changeAt(root: unknown, place: Path, change: (value: unknown) => unknown): void {
  const holder = valueAt(root, place.slice(0, -1)) as Record<string | number, unknown>;
  holder[place.at(-1)!] = change(holder[place.at(-1)!]);
}

function atList(
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

function atObject(
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

function tamperedList(list: readonly unknown[], random: Random): unknown[] {
  const where = random.integer(Math.max(1, list.length));
  const flipped = String(list[where] ?? '0'.repeat(64)).replace(/^./, (digit) =>
    digit === 'f' ? '0' : 'f',
  );
  const ways = [
    () => list.with(where, flipped),
    () => list.toSpliced(where, 1),
    () => [...list, '0'.repeat(64)],
    () => [list.at(-1), ...list.slice(0, -1)],
    () => [],
  ];
  return list.length === 0 ? ['0'.repeat(64)] : ways[random.integer(ways.length)]!();
}
