import { beforeAll, describe, expect, it } from 'vitest';
import { cheat, cheats } from './cheats.ts';
import { handmadeOwner } from './handmade.ts';
import { type Received, received } from './received.ts';

/** Carried out in full; the trials in scripts/dossier-trials repeat them with other suspects. */
const refused = [
  'log written anew under another key',
  'late key',
  'late plan',
  'dossier of another suspect',
  'history behind a witnessed checkpoint',
  'witnessed checkpoint without the records',
  'coins counted many times',
  'questions asked many times',
  'coins out of order',
  'charges left out',
  'threshold that everybody reaches',
  'profile with a label twice',
  'profile that takes all memory',
];
/** What takes many dossiers or keys, or says no "match", is left to the trials. */
const slow = [
  'ground key',
  'ground plan',
  'late traps',
  'private rehearsal that picks the best lot',
  'private rehearsal that picks the best test',
  'share of a test that is left out',
];

describe('a false accuser', () => {
  const fates = new Map<string, Received>();

  beforeAll(() => {
    const owner = handmadeOwner();
    for (const kind of Object.keys(cheats)) {
      if (!slow.includes(kind)) fates.set(kind, received(cheat(owner, kind, 0)));
    }
  }, 120_000);

  it('gets no claim believed, whatever a reader knows and asks again', () => {
    expect(fates.size).toBeGreaterThan(15);
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
