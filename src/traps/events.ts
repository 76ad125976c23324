import { z } from 'zod';

const moment = z.iso.datetime();
const setName = z.string().regex(/^[a-z]+-[0-9a-f]{16}$/);
const lot = z.int().nonnegative();

/** Why a lot is not trusted any more. */
export const retirements = ['age', 'exposed', 'leaked', 'revealed', 'damaged', 'erased'] as const;
export type Retirement = (typeof retirements)[number];

/** What happens to traps, in the order in which the trap ledger chains it. */
export const trapEventSchema = z.discriminatedUnion('event', [
  /** A set exists from here on; before this line none of its traps may be shown. */
  z.strictObject({
    event: z.literal('sealed'),
    at: moment,
    set: setName,
    kind: z.enum(['coin', 'region']),
    tenant: z.string().nullable(),
    epoch: z.string().nullable(),
    root: z.string(),
    /** Traps in each lot. */
    lots: z.array(z.int().nonnegative()),
    /** Records of the log that coin traps were sought in. */
    records: z.strictObject({ from: lot, through: lot }).nullable(),
    bansPerLot: z.number(),
  }),
  /** A lot is claimed for one suspect. The claim file is older than this line, and counts alone. */
  z.strictObject({
    event: z.literal('exposed'),
    at: moment,
    set: setName,
    lot,
    suspect: z.string(),
    operator: z.string().nullable(),
    audit: z.string(),
  }),
  /** An audit without coin traps showed a suspect the logged questions themselves. */
  z.strictObject({
    event: z.literal('records-exposed'),
    at: moment,
    tenant: z.string(),
    epoch: z.string(),
    /** Records up to this sequence can be no coin traps any more. */
    through: z.int().nonnegative(),
    suspect: z.string(),
    audit: z.string(),
  }),
  z.strictObject({
    event: z.literal('retired'),
    at: moment,
    set: setName,
    /** Null retires every lot that is still active. */
    lot: lot.nullable(),
    why: z.enum(retirements),
  }),
  /** A rotation is complete; a second one in the same period has nothing to do. */
  z.strictObject({
    event: z.literal('rotated'),
    at: moment,
    /** A calendar day, YYYY-MM-DD. */
    period: z.iso.date(),
    built: z.int().nonnegative(),
    retired: z.int().nonnegative(),
  }),
  /** The owner vouched for the clock, after it had jumped; times before this line bind no more. */
  z.strictObject({ event: z.literal('clock-trusted'), at: moment }),
]);
export type TrapEvent = z.infer<typeof trapEventSchema>;
export type TrapEventOf<Name extends TrapEvent['event']> = Extract<TrapEvent, { event: Name }>;

/** A claim on one lot: whoever creates its file first may show the lot, to this suspect only. */
export const exposureClaimSchema = z.strictObject({
  schema: z.literal('touchmark/trap-exposure@1'),
  set: setName,
  lot,
  at: moment,
  suspect: z.string(),
  operator: z.string().nullable(),
  /** Random; names the audit, and a resumed one by the same name may ask on. */
  audit: z.string(),
});
export type ExposureClaim = z.infer<typeof exposureClaimSchema>;
