import type { KeyObject } from 'node:crypto';
import { openEnvelope, sealEnvelope } from '../../src/dossier/envelope.ts';
import type { DossierStatement } from '../../src/dossier/statement.ts';
import { verifyDossier } from '../../src/dossier/verify/verify.ts';
import { TouchmarkError } from '../../src/errors.ts';
import type { seededRandom } from '../../src/stats/sampling.ts';

type Random = ReturnType<typeof seededRandom>;
export type Path = readonly (string | number)[];

/**
 * Places that nothing but the signature binds: free text and times that no other part of a dossier
 * determines. Each is a prefix of a path in the predicate, `*` stands for any step.
 */
const onlySigned: readonly string[] = ['createdAt', 'epoch.createdAt', 'epoch.retiredAt', 'report'];

/** Fields of the report that the findings and the plan determine all the same. */
const boundInReport =
  /^report\.(verdict|rawScore|score|keyedScore|tenant|plan\.(hash|sealedAt|threshold)|evidence\.\d+\.(test|status|log10E)|multiplicity\.\d+\.bans)$/;

export function isOnlySigned(path: Path): boolean {
  const place = path.join('.');
  if (boundInReport.test(place)) return false;
  return onlySigned.some((prefix) => place === prefix || place.startsWith(`${prefix}.`));
}

/** Says how a text fares: the code that it is refused with, or undefined when it is accepted. */
export function refusal(text: string): string | undefined {
  try {
    verifyDossier(text);
    return undefined;
  } catch (error) {
    return error instanceof TouchmarkError ? error.code : `not ours: ${String(error)}`;
  }
}

/** Returns a copy of a dossier's statement, to be changed. */
export function statementOf(text: string): DossierStatement {
  return structuredClone(openEnvelope(text).statement);
}

/** Signs what an insider made of a statement with the owner's own key. */
export function signedAnew(statement: unknown, key: KeyObject): string {
  return sealEnvelope(statement as DossierStatement, key);
}

/** Every place of a JSON value that holds something, the value itself aside. */
export function placesOf(value: unknown, path: Path = []): Path[] {
  if (typeof value !== 'object' || value === null) return [];
  const steps = Array.isArray(value) ? [...value.keys()] : Object.keys(value);
  return steps.flatMap((step) => {
    const place = [...path, step];
    return [place, ...placesOf((value as Record<string, unknown>)[step], place)];
  });
}

/** Keeps a few places of each kind: those that differ in nothing but positions in lists. */
export function fewOfEachKind(places: readonly Path[], few: number, random: Random): Path[] {
  const kinds = new Map<string, Path[]>();
  for (const place of places) {
    const kind = place.map((step) => (typeof step === 'number' ? '*' : step)).join('.');
    kinds.set(kind, [...(kinds.get(kind) ?? []), place]);
  }
  return [...kinds.values()].flatMap((alike) =>
    alike.length <= few
      ? alike
      : Array.from({ length: few }, () => alike[random.integer(alike.length)]!),
  );
}

/** Changes the value at one place, for sure, and says how. */
export function mutateAt(root: unknown, path: Path, random: Random): string {
  const holder = path.slice(0, -1).reduce((value, step) => (value as never)[step], root) as Record<
    string | number,
    unknown
  >;
  const last = path.at(-1)!;
  const value = holder[last];
  if (Array.isArray(holder)) {
    const where = Number(last);
    const how = random.integer(4);
    if (how === 0) {
      holder.splice(where, 1);
      return 'removed';
    }
    if (how === 1) {
      holder.splice(where, 0, structuredClone(value));
      return 'duplicated';
    }
    const other = holder.findIndex((each) => JSON.stringify(each) !== JSON.stringify(value));
    if (how === 2 && other >= 0) {
      [holder[where], holder[other]] = [holder[other], holder[where]];
      return 'swapped';
    }
  }
  holder[last] = changed(value, random);
  return `${JSON.stringify(value)?.slice(0, 40)} -> ${JSON.stringify(holder[last])?.slice(0, 40)}`;
}

function changed(value: unknown, random: Random): unknown {
  if (typeof value === 'number')
    return value + (random.integer(2) === 0 ? 1 : -1) * (1 + value / 8);
  if (typeof value === 'boolean') return !value;
  if (typeof value === 'string') return changedText(value, random);
  if (value === null) return 'AAAA';
  if (Array.isArray(value)) return [...value, ...(value.length > 0 ? [value[0]] : ['x'])];
  return { ...(value as object), extra: 1 };
}

/** Exchanges one character for another of its kind, so that the form stays right. */
function changedText(text: string, random: Random): string {
  if (text === '') return 'x';
  const where = random.integer(text.length);
  const old = text[where]!;
  const kinds = ['0123456789', 'abcdef', 'ghijklmnopqrstuvwxyz', 'ABCDEFGHIJKLMNOPQRSTUVWXYZ'];
  const kind = kinds.find((each) => each.includes(old));
  const next = kind === undefined ? 'x' : kind[(kind.indexOf(old) + 1) % kind.length];
  return text.slice(0, where) + next + text.slice(where + 1);
}

type ByteWay = (text: string, random: Random) => string;

const at = (change: (text: string, where: number, random: Random) => string): ByteWay => {
  return (text, random) => change(text, random.integer(text.length), random);
};

/** The ways in which files get changed, or are. */
export const byteWays: Readonly<Record<string, ByteWay>> = {
  'cut short': at((text, where) => text.slice(0, where)),
  'byte removed': at((text, where) => text.slice(0, where) + text.slice(where + 1)),
  'byte twice': at((text, where) => text.slice(0, where) + text[where]! + text.slice(where)),
  'byte added': at((text, where, random) => {
    const added = String.fromCharCode(random.integer(256));
    return text.slice(0, where) + added + text.slice(where);
  }),
  'bit flipped': at((text, where, random) => {
    const flipped = text.charCodeAt(where) ^ (1 << random.integer(7));
    return text.slice(0, where) + String.fromCharCode(flipped) + text.slice(where + 1);
  }),
  'whole file twice': (text) => text + text,
  'blank behind': (text) => `${text} `,
  'blank before': (text) => ` ${text}`,
  'no line end': (text) => text.slice(0, -1),
  'byte order mark': (text) => `\uFEFF${text}`,
  'line end of another system': (text) => text.replace(/\n$/, '\r\n'),
  indented: (text) => `${JSON.stringify(JSON.parse(text), null, 1)}\n`,
  'fields in another order': (text) =>
    `${JSON.stringify(Object.fromEntries(Object.entries(JSON.parse(text)).reverse()))}\n`,
  'field twice': (text) => text.replace('"payload":"', '"payload":"" ,"payload":"'),
  'signature without padding': (text) =>
    text.replace(/"sig":"([^"]+)"/, (_, sig) => `"sig":"${sig.replace(/=+$/, '')}"`),
  'line end in the signature': (text) =>
    text.replace(/"sig":"([^"]{10})/, (_, sig) => `"sig":"${sig}\\n`),
  'character escaped': (text) =>
    text.replace('"payloadType":"application', '"payloadType":"\\u0061pplication'),
  'field added': (text) => text.replace('{', '{"extra":1,'),
  'signature twice': (text) =>
    text.replace(/"signatures":\[(.*)\]/, (_, one) => `"signatures":[${one},${one}]`),
};
