import { describe, expect, it } from 'vitest';
import { noAnswer, outsideLabel } from '../../../src/fingerprints/classifier-answers.ts';
import { classifierQuirks } from '../../../src/fingerprints/quirks/registry.ts';
import { answersOf, halved, labelsOnly, probeSet } from '../classifier-scene.ts';

const probes = probeSet();
const one = answersOf('one', probes);
const two = answersOf('two', probes);
const named = (name: string) => classifierQuirks.find((quirk) => quirk.name === name)!;

describe('every quirk of classifiers', () => {
  it('has a name and a meaning of its own', () => {
    expect(new Set(classifierQuirks.map(({ name }) => name)).size).toBe(classifierQuirks.length);
    expect(new Set(classifierQuirks.map(({ meaning }) => meaning)).size).toBe(
      classifierQuirks.length,
    );
  });

  it.each(
    classifierQuirks.map((quirk) => [quirk.name, quirk] as const),
  )('%s: as many numbers for every model; likeness 1 to itself, symmetric, less to a stranger', (_, quirk) => {
    const [first, second] = [quirk.extract(one, probes)!, quirk.extract(two, probes)!];
    expect(first.length).toBeGreaterThan(0);
    expect(second.length).toBe(first.length);
    expect(first.every(Number.isFinite)).toBe(true);
    expect(quirk.compare(first, first)).toBeCloseTo(1, 10);
    expect(quirk.compare(first, second)).toBeCloseTo(quirk.compare(second, first), 12);
    expect(quirk.compare(first, second)).toBeLessThan(0.999);
    expect(quirk.compare(first, second)).toBeGreaterThanOrEqual(-1);
  });

  it.each(
    classifierQuirks.map((quirk) => [quirk.name, quirk] as const),
  )('%s: defined for half of the answers, none, and labels outside the set', (_, quirk) => {
    const whole = quirk.extract(one, probes)!;
    const silent = { ...halved(one), labels: one.labels.map(() => noAnswer) };
    const outside = { ...one, labels: one.labels.map(() => outsideLabel) };
    for (const answers of [halved(one), silent, outside]) {
      const found = quirk.extract(answers, probes)!;
      expect(found.length).toBe(whole.length);
      expect(Number.isFinite(quirk.compare(found, whole))).toBe(true);
      expect(quirk.compare(whole, found)).toBeLessThanOrEqual(1);
    }
  });

  it('reads what labels alone show, and nothing else of a model that gives no more', () => {
    const { milliseconds: _, ...bare } = { ...labelsOnly(one), milliseconds: undefined };
    const shown = classifierQuirks.filter((quirk) => quirk.extract(bare, probes) !== undefined);
    expect(shown.map(({ name }) => name)).toEqual([
      'label-choices',
      'rare-slice',
      'hard-slice',
      'class-confusion',
      'gram-structure',
      'boundary-geometry',
    ]);
  });
});

describe('label-choices', () => {
  it('is an indicator of each label, NaN without an answer of the set', () => {
    const labels = Int16Array.of(2, outsideLabel, noAnswer);
    const few = { ...probes, questions: probes.questions.slice(0, 3) };
    const found = named('label-choices').extract({ ...one, labels }, few)!;
    expect([...found]).toEqual([0, 0, 1, ...new Array(6).fill(Number.NaN)]);
  });
});

describe('class-confusion', () => {
  it('counts wrong answers by what was expected, labels outside the set apart', () => {
    const labels = Int16Array.of(0, 2, 2, outsideLabel);
    const few = { ...probes, questions: probes.questions.slice(0, 4) };
    const found = named('class-confusion').extract({ ...one, labels }, few)!;
    // Expected 0 1 2 0: right, 1 taken for 2, right, 0 taken for something else.
    expect([...found]).toEqual([0, 0, 0, 0.25, 0, 0, 0.25, 0, 0, 0, 0, 0]);
  });

  it('is absent where nobody knows what is right', () => {
    const unknown = { ...probes, questions: probes.questions.map(({ input }) => ({ input })) };
    expect(named('class-confusion').extract(one, unknown)).toBeUndefined();
  });
});

describe('probability-levels', () => {
  const tempered = (answers: typeof one, sharpness: number) => {
    const probabilities = answers.probabilities.slice();
    for (let from = 0; from < probabilities.length; from += 3) {
      const row = probabilities.subarray(from, from + 3).map((each) => each ** sharpness);
      const sum = row.reduce((total, each) => total + each, 0);
      probabilities.set(
        row.map((each) => each / sum),
        from,
      );
    }
    return { ...answers, probabilities };
  };

  it.each([0.5, 2])('reads a model alike at another temperature: power %f', (sharpness) => {
    const { extract, compare } = named('probability-levels');
    const changed = extract(tempered(one, sharpness), probes)!;
    expect(compare(extract(one, probes)!, changed)).toBeGreaterThan(0.999);
  });
});

describe('gram-structure', () => {
  it('does not change when classes change their names', () => {
    const { extract } = named('gram-structure');
    const turned = { ...labelsOnly(one), labels: one.labels.map((label) => (label + 1) % 3) };
    expect(extract(turned, probes)).toEqual(extract(labelsOnly(one), probes));
  });
});

describe('latency-coupling', () => {
  it('sees times that go with the length of the question, through noise that repeats average', () => {
    const lengths = probes.questions.slice(0, 8).map(({ input }) => String(input).length);
    const noise = [0, 0.3, 0.1, 0.9, 0.2, 0.7, 0.5, 0.8];
    const milliseconds = Float32Array.from({ length: 24 }, (_, index) => {
      const round = Math.floor(index / 8);
      return lengths[index % 8]! + (round === 1 ? 0 : noise[index % 8]!);
    });
    const [, length, share] = named('latency-coupling').extract({ ...one, milliseconds }, probes)!;
    expect(length).toBeCloseTo(1, 6);
    expect(share).toBeGreaterThan(0);
    expect(share).toBeLessThan(0.1);
  });
});
