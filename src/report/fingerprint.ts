import { z } from 'zod';

const count = z.int().nonnegative();
const share = z.number().min(0).max(1);
const probability = share.refine((p) => p > 0, { error: 'must be above 0' });
const statistics = z.array(z.number()).readonly();

const quirkSchema = z
  .object({
    name: z.string().min(1),
    /** What it is, as a sentence for the reader. */
    meaning: z.string(),
    /** Its sealed share of the stake of the test; 0 when it is shown and never counted. */
    weight: share,
    /** Null when the quirk does not apply to this suspect; `why` then says the reason. */
    suspect: z.number().nullable(),
    why: z.string().min(1).exactOptional(),
    protectedModel: z.number(),
    /** Calibration references trained on the data of the protected model. */
    same: statistics,
    /** Calibration references trained on other data. */
    other: statistics,
    pSame: probability.nullable(),
    pOther: probability.nullable(),
    /** The smaller e-value of the two kinds of reference. */
    log10E: z.number().nullable(),
  })
  .readonly()
  .refine(({ suspect, why }) => suspect !== null || why !== undefined, {
    path: ['why'],
    error: 'is needed where a quirk does not apply',
  });

/**
 * What an audit found by fingerprints: each quirk of suspect, protected model and references side
 * by side. The statistic of a quirk is how far a model deviates from the selection references in
 * the direction in which the protected model does; any finite number, in a unit of the quirk's own.
 * p is the rank of the suspect among the references of one kind, in (0, 1]; weights sum to at most 1.
 */
export const fingerprintSchema = z
  .object({
    /** The fingerprint of the protected model. */
    protectedModel: z
      .string()
      .regex(/^fingerprint-[0-9a-f]{16}$/, { error: 'must be fingerprint-<16 hex digits>' }),
    probeSet: z
      .string()
      .regex(/^probes-[0-9a-f]{16}$/, { error: 'must be probes-<16 hex digits>' }),
    /** How many references rank the suspect, by kind, and the smallest p that they allow. */
    references: z.object({ same: count, other: count, smallestP: probability }).readonly(),
    questions: count,
    answered: count,
    /** Share of repeated questions that were answered alike; null when none was repeated. */
    steadiness: share.nullable(),
    quirks: z.array(quirkSchema).readonly(),
  })
  .readonly()
  .refine(({ questions, answered }) => answered <= questions, {
    path: ['answered'],
    error: 'is more than the questions',
  })
  .refine(({ quirks }) => quirks.reduce((sum, { weight }) => sum + weight, 0) <= 1 + 1e-9, {
    path: ['quirks'],
    error: 'have weights of more than 1 together',
  });

/** What an audit found by fingerprints; see {@link fingerprintSchema}. */
export type FingerprintPart = z.infer<typeof fingerprintSchema>;

/** One quirk of the suspect beside those of the protected model and of the references. */
export type QuirkFinding = FingerprintPart['quirks'][number];

/** The name of the test whose evidence the quirks are. */
export const fingerprintTest = 'fingerprint-quirks';
