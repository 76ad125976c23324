import { z } from 'zod';

/** Sixteen random bytes in hexadecimal, which hide a trap behind its commitment. */
export const salt = z.string().regex(/^[0-9a-f]{32}$/);

/** A question: text, or a tensor as shape and row-major float32 values. */
export const inputSchema = z.union([
  z.string(),
  z.strictObject({
    shape: z.array(z.int().nonnegative()).max(8),
    data: z.array(z.number()),
  }),
]);

/** What every trap set says of itself, whatever its kind. */
export const commonFields = {
  createdAt: z.iso.datetime(),
  /** Where the questions come from. */
  source: z.enum(['log', 'pool', 'gradient', 'bisection']),
  /** Bans that one lot is expected to give, measured on simulated surrogates. */
  expected: z.strictObject({
    bansPerLot: z.number(),
    /** How many simulated surrogates that is the mean of; 0 when none could be trained. */
    surrogates: z.int().nonnegative(),
    /** What those surrogates are. */
    measuredOn: z.string(),
  }),
  /** How well a held-out classifier tells the traps from traffic. */
  stealth: z.strictObject({
    /** Area under the ROC curve; .5 is chance. Null when there was too little to measure on. */
    areaUnderCurve: z.number().min(0).max(1).nullable(),
    classifier: z.string(),
    traps: z.int().nonnegative(),
    traffic: z.int().nonnegative(),
  }),
};
