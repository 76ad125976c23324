import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { trapLedgerPath } from '../../../src/ledger/trap-ledger.ts';
import { claimsOf, claimTraps, noteRecordsExposed } from '../../../src/operations/traps/claims.ts';
import { readTrapStock, trapFolders } from '../../../src/operations/traps/stock.ts';
import {
  retireTrapSet,
  StockWriter,
  storeTrapSet,
} from '../../../src/operations/traps/stock-writer.ts';
import { auditsRemaining, type TrapTarget } from '../../../src/traps/stock.ts';
import { quickParent, temporaryDirectory } from '../../ledger/records.ts';
import { coinSet, daysLater, keyRingOf, noon, projectIn, regionSet } from './scene.ts';

const region: TrapTarget = { kind: 'region', tenant: null, epoch: null };
const coin: TrapTarget = { kind: 'coin', tenant: 'acme', epoch: 'e1' };
const keyRing = keyRingOf();

function scene() {
  const project = projectIn(temporaryDirectory());
  const store = (set: Parameters<typeof storeTrapSet>[2]) =>
    storeTrapSet(project, keyRing, set, noon);
  const claim = (audit: string, targets = [region], now = noon, lotsPerAudit = 1, ring = keyRing) =>
    claimTraps({
      project,
      keyRing: ring,
      targets,
      lotsPerAudit,
      suspect: `suspect of ${audit}`,
      operator: null,
      audit,
      now,
    });
  return { project, folders: trapFolders(project), store, claim };
}

function names(lots: readonly { sealed: { seal: { id: string } }; lot: number }[]): string[] {
  return lots.map(({ sealed, lot }) => `${sealed.seal.id}/${lot}`);
}

describe('claimTraps', () => {
  it('gives each audit lots that nobody had, oldest first, until there are none', async () => {
    const { project, store, claim } = scene();
    const { seal } = await store(regionSet([3, 3]));
    expect(names((await claim('first')).lots)).toEqual([`${seal.id}/0`]);
    expect(names((await claim('second')).lots)).toEqual([`${seal.id}/1`]);
    const none = await claim('third');
    expect(none).toMatchObject({ lots: [], notices: [expect.stringContaining('region')] });
    expect(await claimsOf(project, 'second')).toMatchObject([{ set: seal.id, lot: 1 }]);
    const { sets, unnotedClaims } = await readTrapStock(project);
    expect(sets[0]?.lots).toMatchObject([
      { state: 'exposed', suspect: 'suspect of first' },
      { state: 'exposed', audit: 'second' },
    ]);
    expect(unnotedClaims).toEqual([]);
  });

  it('takes the same share of records from every coin set, but so many region lots in all', async () => {
    const { store, claim } = scene();
    const [older, newer] = [await store(coinSet(0, 8, 4)), await store(coinSet(8, 8, 4))];
    const [first] = [await store(regionSet([1, 1])), await store(regionSet([1, 1]))];
    const { lots } = await claim('both', [coin, region], noon, 2);
    expect(names(lots)).toEqual([
      `${older.seal.id}/0`,
      `${older.seal.id}/1`,
      `${newer.seal.id}/0`,
      `${newer.seal.id}/1`,
      `${first.seal.id}/0`,
      `${first.seal.id}/1`,
    ]);
  });

  it('never gives one lot to two audits at once', async () => {
    const { store, claim } = scene();
    await store(regionSet([1, 1, 1, 1, 1, 1]));
    const audits = await Promise.all(
      Array.from({ length: 8 }, (_, number) => claim(`audit ${number}`)),
    );
    const held = audits.flatMap(({ lots }) => names(lots));
    expect(new Set(held).size).toBe(6);
    expect(held).toHaveLength(6);
  });

  it('does not depend on the clock, and notes no wild time', async () => {
    const { project, store, claim } = scene();
    await store(regionSet([1, 1]));
    for (const days of [4_000, -4_000]) {
      expect((await claim(`${days}`, [region], daysLater(days))).lots).toHaveLength(1);
    }
    expect((await readTrapStock(project)).lastEventAt).toBe(noon.toISOString());
  });

  it('goes on while somebody else writes, who notes the claim afterwards', async () => {
    const { project, store, claim } = scene();
    await store(regionSet([1]));
    const writer = await StockWriter.open(project, noon);
    expect((await claim('meanwhile')).lots).toHaveLength(1);
    expect((await writer.stock()).unnotedClaims).toHaveLength(1);
    await writer.close();
    await (await StockWriter.open(project, noon)).close();
    expect((await readTrapStock(project)).unnotedClaims).toEqual([]);
  });

  it('leaves out a set that was edited, with a notice, and takes another', async () => {
    const { folders, store, claim } = scene();
    const [bad, good] = [await store(regionSet([2, 2])), await store(regionSet([2, 2]))];
    const path = join(folders.sealed, `${bad.seal.id}.json`);
    writeFileSync(path, readFileSync(path, 'utf8').replace('"label":"a"', '"label":"b"'));
    const { lots, notices } = await claim('careful');
    expect(names(lots)).toEqual([`${good.seal.id}/0`]);
    expect(notices).toEqual([expect.stringContaining('was changed after it was sealed')]);
    expect(readdirSync(folders.exposures)).toEqual([`${good.seal.id}-0.json`]);
  });

  it('gives no lot that was revealed while it was being claimed', async () => {
    const { project, folders, store, claim } = scene();
    const { seal } = await store(regionSet([1]));
    const path = trapLedgerPath(folders.ledger);
    const before = readFileSync(path);
    await retireTrapSet(project, seal.id, 'revealed', noon);
    const after = readFileSync(path);
    writeFileSync(path, before);
    const revealing = keyRingOf();
    revealing.sealingKey = () => {
      writeFileSync(path, after);
      return keyRing.sealingKey();
    };
    const { lots, notices } = await claim('late', [region], noon, 1, revealing);
    expect({ lots, notices }).toEqual({
      lots: [],
      notices: [expect.stringContaining('was retired just now')],
    });
  });

  it('counts an empty claim file, and a claim whose set was retired', async () => {
    const { project, folders, store, claim } = scene();
    const { seal } = await store(regionSet([1, 1, 1]));
    await claim('first');
    writeFileSync(join(folders.exposures, `${seal.id}-1.json`), '');
    const { sets, unnotedClaims } = await readTrapStock(project);
    expect(sets[0]?.lots[1]).toEqual({ state: 'exposed', suspect: 'unknown', audit: 'unknown' });
    expect(unnotedClaims).toHaveLength(1);
    expect(names((await claim('next')).lots)).toEqual([`${seal.id}/2`]);
    await retireTrapSet(project, seal.id, 'revealed', noon);
    expect((await claim('late')).lots).toEqual([]);
  });
});

describe('a stock of 2,000 coin traps in 100 lots', () => {
  it('serves 100 audits of different suspects without showing a trap twice, then none', async () => {
    const project = projectIn(temporaryDirectory(quickParent));
    await storeTrapSet(project, keyRing, coinSet(0, 2_000, 100), noon);
    const rest = { project, keyRing, targets: [coin], lotsPerAudit: 1, operator: null, now: noon };
    const shown: number[] = [];
    for (let audit = 0; audit < 100; audit += 1) {
      expect(auditsRemaining(await readTrapStock(project), coin, 1)).toBe(100 - audit);
      const who = { suspect: `suspect ${audit}`, audit: `audit ${audit}` };
      for (const { sealed, lot } of (await claimTraps({ ...rest, ...who })).lots) {
        const { set } = sealed;
        if (set.kind === 'coin')
          shown.push(...(set.lots[lot]?.traps ?? []).map((each) => each.sequence));
      }
    }
    expect(new Set(shown).size).toBe(2_000);
    expect(shown).toHaveLength(2_000);
    expect(auditsRemaining(await readTrapStock(project), coin, 1)).toBe(0);
    expect((await claimTraps({ ...rest, suspect: 's', audit: 'a' })).lots).toEqual([]);
  });
});

describe('noteRecordsExposed', () => {
  it('is in the ledger when it resolves, and retires coin lots that hold such records', async () => {
    const { project, store, claim } = scene();
    const [early, late] = [await store(coinSet(0, 8, 4)), await store(coinSet(8, 8, 4))];
    const shown = { tenant: 'acme', epoch: 'e1', through: 7, suspect: 's', audit: 'a' };
    await noteRecordsExposed(project, { ...shown, now: noon });
    expect((await readTrapStock(project)).recordsExposed).toMatchObject([shown]);
    const { lots } = await claim('after', [coin]);
    expect(names(lots)).toEqual([`${late.seal.id}/0`]);
    expect(early.seal.id).not.toBe(late.seal.id);
  });
});
