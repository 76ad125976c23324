import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { derivePurposeKey } from '../../../src/keys/derivation.ts';
import { eraseTenant } from '../../../src/ledger/erase.ts';
import { readServingLog } from '../../../src/ledger/read-log.ts';
import { lotOf } from '../../../src/traps/kinds/coin.ts';
import { trapSetSchema } from '../../../src/traps/trap-set.ts';
import { temporaryDirectory } from '../../store/directory.ts';
import {
  build,
  type CoinTrapSet,
  epoch,
  questions,
  sequencesOf,
  serveTo,
  stockOf,
  tenant,
} from './coin-scene.ts';
import { keyRingOf } from './scene.ts';

const asked = questions(300, 'asked');

async function recordsIn(directory: string) {
  const records = [];
  const log = join(directory, '.touchmark', 'log');
  for await (const record of readServingLog(log, { tenant, epoch })) records.push(record);
  return records;
}

describe('building coin traps', () => {
  it('deals coins of the log into lots, each once, and says what they are worth', async () => {
    const directory = temporaryDirectory();
    await serveTo(directory, keyRingOf(), asked);
    const { sets } = await build(directory, 30);
    expect(sets.length).toBe(1);
    const set = trapSetSchema.parse(sets[0]) as CoinTrapSet;
    const records = await recordsIn(directory);
    const coins = records.filter(({ marks }) => marks.coin !== undefined);
    const key = derivePurposeKey(keyRingOf().epochKey(tenant, epoch), 'trap-lots');
    const named = sequencesOf(set);
    expect(named.length).toBe(30);
    expect(new Set(named).size).toBe(30);
    expect(coins.map(({ sequence }) => sequence)).toEqual(expect.arrayContaining(named));
    set.lots.forEach(({ traps }, lot) => {
      for (const { sequence } of traps) expect(lotOf(key, sequence, 4)).toBe(lot);
      expect(traps.map(({ sequence }) => sequence)).toEqual(
        traps.map(({ sequence }) => sequence).sort((left, right) => left - right),
      );
    });
    expect(set).toMatchObject({ from: 0, through: Math.max(...named), source: 'log' });
    expect(set.log.entries).toBe(300);
    expect(set.expected.surrogates).toBe(3);
    expect(set.expected.measuredOn).toContain('perceptron');
    expect(set.stealth.traps).toBe(30);
    expect(JSON.stringify(set)).not.toContain(JSON.stringify(asked[5]));
  });

  it('goes on after the last set, and counts a question once over all sets', async () => {
    const directory = temporaryDirectory();
    await serveTo(directory, keyRingOf(), asked);
    const first = (await build(directory, 20)).sets[0]!;
    await serveTo(directory, keyRingOf(), [...asked, ...questions(40, 'more')]);
    const second = (await build(directory, 200, { stock: stockOf([first]) })).sets[0]!;
    expect((second as CoinTrapSet).through).toBe(639);
    expect((second as CoinTrapSet).from).toBe((first as CoinTrapSet).through + 1);
    const records = await recordsIn(directory);
    const all = [...sequencesOf(first), ...sequencesOf(second)];
    expect(new Set(all.map((sequence) => records[sequence]!.input)).size).toBe(all.length);
    expect(all.some((sequence) => sequence >= 300 && sequence < 600)).toBe(false);
    const third = await build(directory, 10, { stock: stockOf([first, second]) });
    expect(third).toMatchObject({
      sets: [],
      why: expect.stringContaining('No coin is left to seal for acme in e1 after record 639'),
    });
  });

  it('seals the last few coins too, but nothing until the stock lacks a coin a lot', async () => {
    const directory = temporaryDirectory();
    await serveTo(directory, keyRingOf(), asked);
    const first = (await build(directory, 20)).sets[0]!;
    const stock = stockOf([first]);
    const early = await build(directory, 3, { stock });
    expect(early).toEqual({ sets: [], why: expect.stringContaining('lacks 3 coins') });
    const late = asked.length - 3;
    const { sets } = await build(directory, 100, { stock: stockOf([first], late) });
    expect(sets.flatMap(sequencesOf).length).toBeLessThan(4);
    for (const sequence of sets.flatMap(sequencesOf)) expect(sequence).toBeGreaterThan(late);
  });

  it('takes no coin that an audit without traps has shown', async () => {
    const directory = temporaryDirectory();
    await serveTo(directory, keyRingOf(), asked);
    const { sets } = await build(directory, 15, { stock: stockOf([], 150) });
    expect(Math.min(...sequencesOf(sets[0]!))).toBeGreaterThan(150);
    const { sets: none, why } = await build(directory, 15, { stock: stockOf([], 299) });
    expect(none).toEqual([]);
    expect(why).toContain('have shown every coin');
  });

  it('says why where there is nothing to build from', async () => {
    const directory = temporaryDirectory();
    expect((await build(directory, 10)).why).toContain('no watermark profile');
    await serveTo(directory, keyRingOf(), asked.slice(0, 30));
    const few = await build(directory, 10);
    expect(few.sets).toEqual([]);
    expect(few.why).toContain('of 10 wanted');
    await eraseTenant(join(directory, '.touchmark', 'log'), tenant, new Date());
    expect((await build(directory, 10)).why).toContain('was erased');
    const other = temporaryDirectory();
    await serveTo(other, keyRingOf(), []);
    expect((await build(other, 10)).why).toContain('no records of acme');
  });

  it('refuses a log that does not verify or was marked under another key', async () => {
    const directory = temporaryDirectory();
    await serveTo(directory, keyRingOf(), asked.slice(0, 60));
    await expect(build(directory, 10, { keyRing: keyRingOf('another') })).rejects.toMatchObject({
      code: 'EVIDENCE_INVALID',
    });
  });

  it('stops when it is told to', async () => {
    const directory = temporaryDirectory();
    await serveTo(directory, keyRingOf(), asked);
    const signal = AbortSignal.abort();
    await expect(build(directory, 30, { signal })).rejects.toThrow(/abort/i);
  });

  it('says so when a set is too small to train surrogates on', async () => {
    const directory = temporaryDirectory();
    await serveTo(directory, keyRingOf(), asked.slice(0, 150));
    const { sets } = await build(directory, 10);
    expect(sets[0]!.expected).toMatchObject({ surrogates: 0, bansPerLot: 0 });
    expect(sets[0]!.expected.measuredOn).toContain('too few');
  });
});
