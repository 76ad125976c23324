import { describe, expect, it } from 'vitest';
import { clopperPearson } from '../../../src/stats/bounds.ts';
import { coinSetSchema, lotOf, thinningOf } from '../../../src/traps/kinds/coin.ts';
import { chooseCoins, dealCoins } from '../../../src/traps/kinds/coin-choice.ts';
import { keyOf } from '../../watermark/fixtures.ts';

const places = Array.from({ length: 8000 }, (_, index) => index);

describe('lotOf and thinningOf', () => {
  it('are uniform over records', () => {
    const key = keyOf('lots');
    const lots = 7;
    for (const lot of Array.from({ length: lots }).keys()) {
      const dealt = places.filter((place) => lotOf(key, place, lots) === lot).length;
      const { lower, upper } = clopperPearson(dealt, places.length, 0.9999);
      expect(lower).toBeLessThan(1 / lots);
      expect(upper).toBeGreaterThan(1 / lots);
      const kept = places.filter((place) => thinningOf(key, place) < (lot + 1) / 8).length;
      const share = clopperPearson(kept, places.length, 0.9999);
      expect(share.lower).toBeLessThan((lot + 1) / 8);
      expect(share.upper).toBeGreaterThan((lot + 1) / 8);
    }
  });

  it('are independent of each other and of other keys', () => {
    const [key, other] = [keyOf('lots'), keyOf('other')];
    const upper = (value: number) => value >= 0.5;
    const agreements = [
      places.filter((place) => (lotOf(key, place, 2) === 1) === upper(thinningOf(key, place))),
      places.filter((place) => lotOf(key, place, 2) === lotOf(other, place, 2)),
      places.filter((place) => lotOf(key, place, 2) === lotOf(key, place + 1, 2)),
    ];
    for (const { length } of agreements) {
      const { lower, upper: most } = clopperPearson(length, places.length, 0.9999);
      expect(lower).toBeLessThan(0.5);
      expect(most).toBeGreaterThan(0.5);
    }
  });

  it('are frozen: what they say of a record never changes', () => {
    const key = Buffer.alloc(32, 7);
    expect([0, 1, 2 ** 40].map((place) => lotOf(key, place, 1000))).toMatchInlineSnapshot(`
      [
        6,
        834,
        266,
      ]
    `);
    expect([0, 1, 2 ** 40].map((place) => thinningOf(key, place))).toMatchInlineSnapshot(`
      [
        0.9981491948855066,
        0.8943171040222637,
        0.9514202591221093,
      ]
    `);
  });
});

describe('chooseCoins', () => {
  const coins = [3, 8, 9, 20, 31, 40].map((sequence) => ({ sequence, isKept: sequence !== 9 }));

  it('takes kept coins in served order until there are enough', () => {
    expect(chooseCoins(coins, { after: -1, wanted: 3, last: 50 })).toEqual({
      sequences: [3, 8, 20],
      through: 20,
      leftOut: 1,
    });
  });

  it('goes to the end of the log where there are too few', () => {
    expect(chooseCoins(coins, { after: 20, wanted: 5, last: 50 })).toEqual({
      sequences: [31, 40],
      through: 50,
      leftOut: 0,
    });
  });

  it('puts no record in two sets, and leaves none out, from set to set', () => {
    const found: number[] = [];
    let after = -1;
    while (after < 50) {
      const { sequences, through } = chooseCoins(coins, { after, wanted: 2, last: 50 });
      found.push(...sequences);
      expect(through).toBeGreaterThan(after);
      after = through;
    }
    expect(found).toEqual([3, 8, 20, 31, 40]);
  });
});

describe('dealCoins', () => {
  it('deals each coin into the lot of its record, in served order, with a salt of its own', () => {
    const key = keyOf('lots');
    const sequences = places.slice(100, 400);
    let salts = 0;
    const lots = dealCoins(key, sequences, 5, () => (salts++).toString(16).padStart(32, '0'));
    expect(coinSetSchema.shape.lots.parse(lots)).toEqual(lots);
    expect(lots.length).toBe(5);
    lots.forEach(({ traps }, lot) => {
      expect(traps.map(({ sequence }) => sequence)).toEqual(
        sequences.filter((sequence) => lotOf(key, sequence, 5) === lot),
      );
    });
    const all = lots.flatMap(({ traps }) => traps);
    expect(new Set(all.map(({ salt }) => salt)).size).toBe(sequences.length);
  });

  it('deals a coin into the same lot, whatever else is dealt', () => {
    const key = keyOf('lots');
    const lotsOf = (sequences: number[]) =>
      dealCoins(key, sequences, 5, () => '').findIndex(({ traps }) =>
        traps.some(({ sequence }) => sequence === 77),
      );
    expect(lotsOf([77])).toBe(lotsOf(places.slice(0, 100)));
  });
});
