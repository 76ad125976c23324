import { beforeAll, describe, expect, it } from 'vitest';
import { cheat } from './cheats.ts';
import { handmadeOwner } from './handmade.ts';
import { type Received, received } from './received.ts';

/** Carried out in full, and refused; the trials in scripts/dossier-trials do more, many times over. */
const refused = [
  'log written anew under another key',
  'late key',
  'late plan',
  'history behind a witnessed checkpoint',
  'witnessed checkpoint without the records',
  'coins counted many times',
  'profile with a label twice',
  'profile that takes all memory',
];
/** Carried out in full as well: their arithmetic is right. */
const undetectable = [
  'sock puppet that asks what agrees',
  'sock puppet that asks what good models answer',
  'secret first look at an honest log',
  'forged clean baseline',
  'forged transcript',
];

describe('a false accuser', () => {
  const fates = new Map<string, Received>();

  beforeAll(() => {
    const owner = handmadeOwner();
    for (const kind of [...undetectable, ...refused]) {
      fates.set(kind, received(cheat(owner, kind, 0)));
    }
  }, 120_000);

  it('gets no claim believed, whatever a reader knows and asks again', () => {
    expect([...fates].filter(([, { fate }]) => fate === 'passed')).toEqual([]);
  });

  it('is refused where log, plan or arithmetic contradict each other', () => {
    const kinds = [...fates].flatMap(([kind, { fate }]) => (fate === 'refused' ? [kind] : []));
    expect(kinds).toEqual(refused);
  });

  it('could say "match" by inventing a tenant, and is asserted', () => {
    for (const kind of ['sock puppet that asks what agrees', 'forged clean baseline']) {
      expect([kind, fates.get(kind)]).toEqual([
        kind,
        expect.objectContaining({ fate: 'asserted', verdict: 'match' }),
      ]);
    }
  });
});
