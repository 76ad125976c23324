import { z } from 'zod';
import { commonFields, inputSchema, salt } from './common.ts';

const model = z.strictObject({
  name: z.string(),
  /** Whether it learnt from the protected model's training data, or from other data. */
  data: z.enum(['same', 'other']),
});

/** Traps shown together, and how the calibration references do on them. */
export const regionLotSchema = z.strictObject({
  traps: z.array(
    z.strictObject({
      input: inputSchema,
      /** The protected model's answer. */
      label: z.string(),
      /** What agreement on this trap adds to the statistic. */
      weight: z.number().positive(),
      salt,
    }),
  ),
  /** The statistic of each calibration reference over this lot, by kind. */
  calibration: z.strictObject({ same: z.array(z.number()), other: z.array(z.number()) }),
});
export type RegionLot = z.infer<typeof regionLotSchema>;

/**
 * Region traps: questions on which simulated surrogates agree with the protected model and
 * reference models, of both kinds, do not.
 *
 * Null (reference): the suspect is exchangeable with the calibration references of one of the two
 * kinds. Its weighted agreement over a whole lot is ranked among theirs, kind by kind, and the
 * smaller e-value counts. References that chose the traps calibrate nothing, and those that
 * calibrate test nothing: each is in one of three parts, which the set records.
 */
export const regionSetSchema = z.strictObject({
  kind: z.literal('region'),
  protectedModel: z.strictObject({ name: z.string(), version: z.string() }),
  labels: z.array(z.string()),
  references: z.strictObject({
    select: z.array(model),
    calibrate: z.array(model),
    test: z.array(model),
  }),
  ...commonFields,
  lots: z.array(regionLotSchema),
});
export type RegionTrapSet = z.infer<typeof regionSetSchema>;

/**
 * Returns the statistic of one model over a lot: the sum of the weights of the traps on which it
 * gives the protected model's label. A missing answer is no agreement.
 *
 * @param answers one label per trap, in the lot's order
 */
export function regionStatistic(lot: RegionLot, answers: readonly (string | undefined)[]): number {
  return lot.traps.reduce(
    (sum, { label, weight }, index) => (answers[index] === label ? sum + weight : sum),
    0,
  );
}
