import { isDeepStrictEqual } from 'node:util';
import { digestOfParts, partDigests } from '../../src/audit/stored-material.ts';
import { signedTamperings } from './byte-tampering.ts';
import { fewOfEachKind, mutateAt, placesOf } from './mutations.ts';
import {
  atList,
  atObject,
  changeAt,
  listsIn,
  moved,
  placesIn,
  type Random,
  reconcile,
  type Tampering,
  valueAt,
  withChange,
} from './victims.ts';

/** Changes by an insider, who signs anew. */
export const insiderTamperings: Readonly<Record<string, Tampering>> = {
  ...signedTamperings,
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
