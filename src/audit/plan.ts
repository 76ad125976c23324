import { createHash } from 'node:crypto';
import { json } from '@sigstore/core';
import { z } from 'zod';
import { TouchmarkError } from '../errors.ts';
import { parseJson } from '../json.ts';

const digest = z.string().regex(/^sha256:[0-9a-f]{64}$/);

/** What an audit will do and how it will judge, fixed before the first probe. */
export const auditPlanSchema = z.strictObject({
  schema: z.enum(['touchmark/audit-plan@3', 'touchmark/audit-plan@4']),
  /** Random; claims on traps name the audit by it. */
  audit: z.uuid().exactOptional(),
  sealedAt: z.iso.datetime({ offset: true }),
  suspect: z.string(),
  /** What the suspect said it gives: the tests that apply follow from it. */
  gives: z.array(z.enum(['labels', 'probabilities'])),
  /** Digest of the settings that decide how its labels are read. */
  reading: digest,
  tenant: z.string(),
  epoch: z.string(),
  epochCommitment: digest,
  /** Digest of the watermark profile that the answers were marked with. */
  profile: digest,
  protectedModel: z.strictObject({ name: z.string(), version: z.string() }),
  labels: z.array(z.string()),
  tests: z.array(z.string()),
  /** The serving log when the plan was sealed: its name, its entries, its head and its Merkle root. */
  log: z.strictObject({
    origin: z.string().exactOptional(),
    entries: z.int().nonnegative(),
    head: z.string(),
    root: z.string().exactOptional(),
  }),
  /** Logged questions, fresh probes and their baselines, as digests of the run's material. */
  material: digest,
  probes: z.strictObject({ logged: z.int().nonnegative(), fresh: z.int().nonnegative() }),
  /** The lots of traps that were claimed for this audit, and that nobody will be shown again. */
  traps: z
    .array(
      z.strictObject({
        set: z.string(),
        root: digest,
        kind: z.enum(['coin', 'region']),
        lot: z.int().nonnegative(),
        /** One per trap: its leaf hash in the set's Merkle tree, which hides it. */
        commitments: z.array(z.string().regex(/^[0-9a-f]{64}$/)),
        /** Bans that were expected of the lot when its set was built. */
        expectedBans: z.number(),
      }),
    )
    .exactOptional(),
  /** The protected model's fingerprint that the suspect's quirks are compared with. */
  fingerprint: z
    .strictObject({
      fingerprint: z.string(),
      probeSet: z.string(),
      references: z.string(),
      /** Questions that are known beforehand; those between pairs come on top. */
      questions: z.int().nonnegative(),
      /** Shares of the evidence of each quirk. */
      weights: z.record(z.string(), z.number()),
    })
    .exactOptional(),
  threshold: z.number(),
  /** When asking stops: at the horizon, or as soon as the keyed score reaches the threshold. */
  stopping: z.enum(['horizon', 'threshold']).exactOptional(),
  /** What asking may cost at most. */
  budget: z
    .strictObject({
      requests: z.int().positive().exactOptional(),
      tokens: z.int().positive().exactOptional(),
      money: z.number().positive().exactOptional(),
      seconds: z.number().positive().exactOptional(),
    })
    .exactOptional(),
  /** Rehearsals that may give the power of this audit, by identifier. */
  rehearsals: z.array(z.string()).exactOptional(),
  /** Charges in bans, paid whatever comes out. */
  multiplicity: z.array(z.strictObject({ reason: z.string(), bans: z.number().nonnegative() })),
  assumptions: z.array(z.string()),
  beacon: z.string().nullable(),
  toolkit: z.string(),
});

export type AuditPlan = z.infer<typeof auditPlanSchema>;

/** A plan and the hash that seals it. */
export interface SealedPlan {
  readonly plan: AuditPlan;
  readonly hash: string;
}

/** Seals a plan: SHA-256 of its canonical JSON. */
export function sealPlan(plan: AuditPlan): SealedPlan {
  return { plan, hash: digestOf(plan) };
}

/**
 * Reads a sealed plan back and checks that it is what was sealed.
 *
 * @throws PLAN_INVALID when it does not parse or its hash does not fit.
 */
export function parseSealedPlan(text: string, where: string): SealedPlan {
  const parsed = z.strictObject({ plan: auditPlanSchema, hash: digest }).safeParse(parseJson(text));
  if (!parsed.success) {
    throw new TouchmarkError(
      'PLAN_INVALID',
      `${where} is not a sealed audit plan: ${z.prettifyError(parsed.error)}`,
      {
        hint: 'start a new audit in an empty directory',
      },
    );
  }
  if (digestOf(parsed.data.plan) !== parsed.data.hash) {
    throw new TouchmarkError('PLAN_INVALID', `${where} was changed after it was sealed`, {
      hint: 'a changed plan is a new audit: start one in an empty directory',
    });
  }
  return parsed.data;
}

/** SHA-256 of a record's canonical JSON. */
export function digestOf(value: unknown): string {
  return `sha256:${createHash('sha256').update(json.canonicalize(value)).digest('hex')}`;
}
