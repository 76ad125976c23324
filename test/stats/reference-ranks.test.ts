import fc from 'fast-check';
import { expect, it } from 'vitest';
import { TouchmarkError } from '../../src/errors.ts';
import { referenceRank } from '../../src/stats/reference-ranks.ts';

it('ranks the suspect with ties against it', () => {
  const first = referenceRank(10, [1, 2, 3, 4]);
  expect(first).toMatchObject({ p: 0.2, references: 4 });
  expect(first.log10P).toBeCloseTo(Math.log10(0.2), 14);
  expect(first.e).toBeCloseTo(5 / (1 + 1 / 4 + 1 / 9 + 1 / 16 + 1 / 25), 12);
  expect(first.log10E).toBeCloseTo(Math.log10(first.e), 14);
  expect(referenceRank(3, [1, 2, 3, 4]).p).toBeCloseTo(0.6, 14);
  expect(referenceRank(0, [1, 2, 3, 4]).p).toBe(1);
  expect(referenceRank(7, [])).toMatchObject({ p: 1, e: 1, log10E: 0, references: 0 });
});

it('is valid under exchangeability, with ties too: E[e] <= 1, P(p <= level) <= level', () => {
  const models = fc.array(fc.integer({ min: 0, max: 6 }), { minLength: 1, maxLength: 12 });
  fc.assert(
    fc.property(models, (values) => {
      const ranks = values.map((value, index) => referenceRank(value, values.toSpliced(index, 1)));
      const mean = ranks.reduce((sum, { e }) => sum + e, 0) / ranks.length;
      expect(mean).toBeLessThanOrEqual(1 + 1e-12);
      if (new Set(values).size === values.length) expect(mean).toBeCloseTo(1, 12);
      for (const { p, e } of ranks) {
        expect(ranks.filter((rank) => rank.p <= p).length).toBeLessThanOrEqual(
          p * ranks.length + 1e-9,
        );
        expect(e).toBeLessThanOrEqual(values.length);
      }
    }),
  );
});

it('gives the first rank most of what is possible', () => {
  for (const references of [1, 9, 99, 10_000]) {
    const { e } = referenceRank(1, new Array(references).fill(0));
    expect(e / (references + 1)).toBeGreaterThan(0.6);
  }
});

it('refuses statistics that are no numbers', () => {
  expect(() => referenceRank(Number.NaN, [1])).toThrow(/the suspect has statistic NaN/);
  expect(() => referenceRank(1, [1, Infinity])).toThrow(/reference 1 has statistic Infinity/);
  expect(() => referenceRank(1, [-Infinity])).toThrow(TouchmarkError);
});
