import { z } from 'zod';
import { TouchmarkError } from '../errors.ts';
import { log10WeightedMean } from '../stats/merging.ts';
import { packFloats, unpackFloats } from '../stats/packed-numbers.ts';
import { type ReferenceRank, referenceRank } from '../stats/reference-ranks.ts';
import type { ClassifierAnswers } from './classifier-answers.ts';
import { type ClassifierProbeSet, contentId } from './probe-set.ts';
import { classifierQuirks } from './quirks/registry.ts';
import { DeviationFilter, type ReferenceStandard, rankedShare } from './reference-standard.ts';

const statistics = z.array(z.number()).max(100_000);

const share = z.number().min(0).max(1);

/** What a suspect's quirk is ranked among. */
export const quirkNullSchema = z.strictObject({
  name: z.string(),
  /** Its share of the evidence, sealed before any suspect is asked; 0 is descriptive. */
  weight: z.number().min(0).max(1),
  /** float32: what the references that calibrate nothing are like. */
  mean: z.base64(),
  spread: z.base64(),
  /** float32: what random answers are like. */
  chance: z.base64(),
  /** How far references and random answers are from the mean reference, and what that is worth. */
  distances: z.strictObject({
    reach: z.number().nonnegative(),
    chance: z.number().nonnegative(),
    noise: z.number().nonnegative(),
  }),
  /** The statistic of each reference that calibrates, by what it learnt from. */
  same: statistics,
  other: statistics,
});
export type QuirkNull = z.infer<typeof quirkNullSchema>;

/** The reference models of one protected model's fingerprint, and what they answer. */
export const referenceNullSchema = z
  .strictObject({
    schema: z.literal('touchmark/fingerprint-references@1'),
    /** The protected model's fingerprint, and the probe set of it and of all references. */
    fingerprint: z.string().regex(/^fingerprint-[0-9a-f]{16}$/),
    probeSet: z.string().regex(/^probes-[0-9a-f]{16}$/),
    createdAt: z.iso.datetime({ offset: true }),
    toolkit: z.string(),
    /** Shares of right answers to labelled questions: of the protected model and of references. */
    ability: z.strictObject({
      questions: z.int().nonnegative(),
      protectedModel: share,
      least: share,
      most: share,
    }),
    /** Every reference is for one part only. */
    references: z.array(
      z.strictObject({
        name: z.string(),
        data: z.enum(['same', 'other']),
        part: z.enum(['select', 'calibrate', 'test']),
      }),
    ),
    quirks: z.array(quirkNullSchema),
  })
  .refine(({ quirks }) => quirks.reduce((sum, { weight }) => sum + weight, 0) <= 1 + 1e-9, {
    path: ['quirks'],
    error: 'the weights sum to more than 1',
  });
export type ReferenceNull = z.infer<typeof referenceNullSchema>;

/** Returns the name of a file of references, which is the hash of what it holds. */
export function referenceNullId(references: ReferenceNull): string {
  return contentId('references', references);
}

/** Where a suspect stands in one quirk. */
export interface QuirkRank {
  readonly name: string;
  readonly meaning: string;
  readonly weight: number;
  readonly protectedModel: number;
  readonly same: readonly number[];
  readonly other: readonly number[];
  /** Absent when the suspect's answers lack what the quirk is read from. */
  readonly suspect?: {
    readonly statistic: number;
    readonly amongSame: ReferenceRank;
    readonly amongOther: ReferenceRank;
    /** log10 of the smaller e-value of the two kinds. */
    readonly log10E: number;
  };
}

/**
 * Returns what ranks a suspect's share in the protected model's deviations among reference models,
 * quirk by quirk.
 *
 * Null hypothesis, for each quirk: the suspect is exchangeable with the calibrating references of one
 * of the two kinds. The e-value is the smaller of the two kinds' (see `referenceRank`).
 */
export function quirkRanker(
  quirks: readonly QuirkNull[],
  protectedModel: ClassifierAnswers,
  probes: ClassifierProbeSet,
): (suspect: ClassifierAnswers) => QuirkRank[] {
  const prepared = quirks.flatMap((each) => {
    const quirk = classifierQuirks.find(({ name }) => name === each.name);
    const own = quirk?.extract(protectedModel, probes);
    if (quirk === undefined || own === undefined) return [];
    const standard = standardOf(each);
    requireLength(each.name, standard, own.length);
    const filter = new DeviationFilter(own, standard);
    return [{ quirk, filter, copy: filter.sharedBy(own), ...each }];
  });
  return (suspect) =>
    prepared.map(({ quirk, filter, copy, name, weight, distances, same, other }) => {
      const place = { name, meaning: quirk.meaning, weight, same, other };
      const common = { ...place, protectedModel: copy };
      const found = quirk.extract(suspect, probes);
      if (found === undefined) return common;
      const statistic = rankedShare(filter, found, distances, copy);
      const amongSame = referenceRank(statistic, same);
      const amongOther = referenceRank(statistic, other);
      const log10E = Math.min(amongSame.log10E, amongOther.log10E);
      return { ...common, suspect: { statistic, amongSame, amongOther, log10E } };
    });
}

/**
 * Merges ranks into one e-value, in bans: the mean of the e-values under the sealed weights, a quirk
 * that the suspect's answers cannot show counting as 1. They are read from the same answers, so that
 * they never multiply.
 */
export function mergedQuirks(ranks: readonly QuirkRank[]): number {
  const counted = ranks.filter(({ weight }) => weight > 0);
  const left = Math.max(0, 1 - counted.reduce((sum, { weight }) => sum + weight, 0));
  return log10WeightedMean(
    [0, ...counted.map(({ suspect }) => suspect?.log10E ?? 0)],
    [left, ...counted.map(({ weight }) => weight)],
  );
}

function requireLength(name: string, standard: ReferenceStandard, length: number): void {
  const { mean, spread, chance } = standard;
  if ([mean, spread, chance].every((numbers) => numbers.length === length)) return;
  throw new TouchmarkError(
    'FINGERPRINT_INVALID',
    `the references have ${mean.length} numbers of ${name}, the protected model ${length}`,
    { hint: 'They belong to another probe set or version: take the protected model again.' },
  );
}

/** The standard of a quirk, unpacked. */
export function standardOf({ mean, spread, chance }: PackedStandard): ReferenceStandard {
  const unpack = (text: string) => Float64Array.from(unpackFloats(text));
  return { mean: unpack(mean), spread: unpack(spread), chance: unpack(chance) };
}

type PackedStandard = Pick<QuirkNull, 'mean' | 'spread' | 'chance'>;

/** Packs a standard. */
export function packStandard({ mean, spread, chance }: ReferenceStandard): PackedStandard {
  return { mean: packFloats(mean), spread: packFloats(spread), chance: packFloats(chance) };
}
