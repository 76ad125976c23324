import { describe, expect, it } from 'vitest';
import type { ClassifierAnswers } from '../../src/fingerprints/classifier-answers.ts';
import { labelChoices } from '../../src/fingerprints/quirks/label-choices.ts';
import { randomAnswers } from '../../src/fingerprints/random-answers.ts';
import {
  mergedQuirks,
  packStandard,
  type QuirkNull,
  quirkRanker,
  referenceNullSchema,
  standardOf,
} from '../../src/fingerprints/reference-null.ts';
import {
  DeviationFilter,
  distancesOf,
  rankedShare,
  referenceStandard,
} from '../../src/fingerprints/reference-standard.ts';
import { answersOf, halved, labelsOnly, probeSet } from './classifier-scene.ts';

const probes = probeSet(60);
const own = answersOf('protected', probes);
const calibrating = 40;

/** A null of one quirk from made-up models that are exchangeable with one another. */
function nullOf(weight: number): QuirkNull {
  const choices = (seed: string) => labelChoices.extract(answersOf(seed, probes), probes)!;
  const some = (kind: string, part: string, count: number) =>
    Array.from({ length: count }, (_, index) => choices(`${kind}/${part}/${index}`));
  const chance = ['one', 'two', 'three'].map(
    (seed) => labelChoices.extract(randomAnswers(probes, seed), probes)!,
  );
  const packed = packStandard(
    referenceStandard(some('same', 'select', 30), some('other', 'select', 30), chance),
  );
  const numbers = labelChoices.extract(own, probes)!;
  const filter = new DeviationFilter(numbers, standardOf(packed));
  const distances = distancesOf(
    filter,
    [some('same', 'held', 10), some('other', 'held', 10)],
    chance,
  );
  const statistics = (kind: string) =>
    some(kind, 'calibrate', calibrating).map((each) =>
      rankedShare(filter, each, distances, filter.sharedBy(numbers)),
    );
  const found = { same: statistics('same'), other: statistics('other') };
  return { name: 'label-choices', weight, ...packed, distances, ...found };
}

const quirk = nullOf(1);
const rank = quirkRanker([quirk], own, probes);
const first = (answers: ClassifierAnswers) => rank(answers)[0]!;

describe('quirkRanker', () => {
  it('gives a copy the first rank among both kinds, and the e-value that so many allow', () => {
    const { suspect, protectedModel } = first(own);
    expect(suspect?.statistic).toBeCloseTo(protectedModel, 10);
    expect(suspect?.amongSame.p).toBe(1 / (calibrating + 1));
    expect(suspect?.amongOther.p).toBe(1 / (calibrating + 1));
    expect(suspect?.log10E).toBeCloseTo(Math.log10(25.32), 2);
  });

  it('has p-values and e-values of models like the references that keep what they promise', () => {
    const trials = Array.from(
      { length: 400 },
      (_, index) => first(answersOf(`test/${index}`, probes)).suspect!,
    );
    const share = (level: number) =>
      trials.filter(({ amongSame }) => amongSame.p <= level).length / trials.length;
    // One draw of 40 references: the rate at .05 is Beta(2, 39), .125 its 99th percentile.
    expect(share(0.05)).toBeLessThan(0.125);
    expect(share(0.5)).toBeGreaterThan(0.25);
    expect(share(0.5)).toBeLessThan(0.75);
    expect(share(1)).toBe(1);
  });

  it('counts what was not answered against likeness', () => {
    const half = first(halved(own)).suspect!.statistic;
    expect(half).toBeLessThan(first(own).suspect!.statistic);
    const silent = { ...own, labels: own.labels.map(() => -2) };
    expect(first(silent).suspect!.statistic).toBeLessThan(0);
  });

  it('leaves out what a suspect cannot show, and refuses numbers of other questions', () => {
    const levels = { ...quirk, name: 'probability-levels', mean: '', spread: '', chance: '' };
    expect(() => quirkRanker([levels], own, probes)).toThrow(
      expect.objectContaining({ code: 'FINGERPRINT_INVALID' }),
    );
    const fitting = packStandard({
      mean: new Float64Array(180),
      spread: new Float64Array(180).fill(1),
      chance: new Float64Array(180),
    });
    const [found] = quirkRanker([{ ...levels, ...fitting }], own, probes)(labelsOnly(own));
    expect(found).toMatchObject({ name: 'probability-levels' });
    expect(found?.suspect).toBeUndefined();
    expect(quirkRanker([{ ...quirk, name: 'of another version' }], own, probes)(own)).toEqual([]);
  });
});

describe('mergedQuirks', () => {
  const ranked = (weight: number, log10E?: number) => ({
    ...{ name: 'any', meaning: '', weight, protectedModel: 1, same: [], other: [] },
    ...(log10E === undefined ? {} : { suspect: { ...first(own).suspect!, log10E } }),
  });

  it('is the mean under the sealed weights, never a product', () => {
    const merged = mergedQuirks([ranked(0.75, 1), ranked(0.25, Math.log10(2)), ranked(0, 9)]);
    expect(merged).toBeCloseTo(Math.log10(0.75 * 10 + 0.25 * 2), 12);
  });

  it('counts a quirk that cannot be shown, and weight that is not given, as 1', () => {
    expect(mergedQuirks([ranked(0.5, 1), ranked(0.25)])).toBeCloseTo(Math.log10(5.5), 12);
    expect(mergedQuirks([])).toBe(0);
  });
});

describe('referenceNullSchema', () => {
  it('refuses weights of more than 1', () => {
    const document = {
      schema: 'touchmark/fingerprint-references@1',
      ability: { questions: 0, protectedModel: 0, least: 0, most: 0 },
      fingerprint: 'fingerprint-0123456789abcdef',
      probeSet: 'probes-0123456789abcdef',
      createdAt: '2026-01-01T00:00:00.000Z',
      toolkit: '0',
      references: [],
      quirks: [quirk],
    };
    expect(referenceNullSchema.safeParse(document).success).toBe(true);
    const twice = { ...document, quirks: [quirk, quirk] };
    expect(referenceNullSchema.safeParse(twice).success).toBe(false);
  });
});
