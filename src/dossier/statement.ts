import { z } from 'zod';
import { auditPlanSchema } from '../audit/plan.ts';
import { type MaterialPart, materialParts } from '../audit/stored-material.ts';
import { vouchersSchema } from '../audit/vouchers.ts';
import { type Purpose, purposes } from '../keys/derivation.ts';
import { runEntrySchema, sealedRunEntrySchema } from '../ledger/run-chain.ts';

const hash = z.string().regex(/^[0-9a-f]{64}$/);
const digest = z.string().regex(/^sha256:[0-9a-f]{64}$/);
const moment = z.iso.datetime();
const count = z.int().nonnegative();
const proof = z.array(hash).max(64);

export const statementType = 'https://in-toto.io/Statement/v1';
export const predicateType = 'urn:touchmark:dossier:1';
export const payloadType = 'application/vnd.in-toto+json';

/** A leaf of a coin tree in clear. */
const coinOpening = z.strictObject({ leaf: count, seed: hash, proof });

/** The least of the epoch's keys that the shown tests need; each layer that is shown is used up. */
const revealsSchema = z.strictObject({
  /** Leaves of the label coins that were asked. */
  labelCoins: z.array(coinOpening).exactOptional(),
  /** The direction of the per-query layer, and the leaves of the questions that were asked. */
  perQuery: z.strictObject({ directionKey: hash, leaves: z.array(coinOpening) }).exactOptional(),
  /** Carriers and signs of this tenant's smooth layer. */
  smooth: z.strictObject({ carriersKey: hash, signsKey: hash }).exactOptional(),
});

/** An entry of the serving log's chain with its way to the checkpoint's root. */
const provenEntry = z.strictObject({ entry: z.json(), proof });

/** What opens the commitment of a served record's entry. */
const openedRecord = z.strictObject({
  sequence: count,
  /** 16 random bytes. */
  salt: z.string().regex(/^[0-9a-f]{32}$/),
  /** The record as the log encodes it, JSON text. */
  payload: z.string(),
});

/** A checkpoint of the same log that was signed earlier, and who saw it then. */
const anchorSchema = z.strictObject({
  checkpoint: z.string(),
  /** That the checkpoint's tree is a prefix of the plan's (RFC 6962, section 2.1.2). */
  consistency: proof,
  /** An RFC 3161 token over the checkpoint's bytes in DER, base64. */
  token: z.base64().exactOptional(),
});

const partStrings = Object.fromEntries(
  materialParts.map((part) => [part, z.string().exactOptional()]),
) as Record<MaterialPart, z.ZodExactOptional<z.ZodString>>;
const partDigestSchemas = Object.fromEntries(
  materialParts.map((part) => [part, digest.exactOptional()]),
) as Record<MaterialPart, z.ZodExactOptional<typeof digest>>;

const purposeHashes = Object.fromEntries(purposes.map((purpose) => [purpose, hash])) as Record<
  Purpose,
  typeof hash
>;

/** Evidence as the contracts have it. */
const evidenceSchema = z.strictObject({
  test: z.string(),
  null: z.enum(['keyed', 'reference', 'descriptive']),
  status: z.enum(['done', 'partial', 'not-applicable']),
  log10E: z.number(),
  log10P: z.number().exactOptional(),
  probes: count,
  skipped: z.record(z.string(), z.number()),
  effect: z.record(z.string(), z.number()),
  keyMaterial: z.array(z.string()),
  assumptions: z.array(z.string()),
});

/** What the dossier claims to follow from all the rest. */
const findingsSchema = z.strictObject({
  verdict: z.enum(['match', 'no-match-found', 'inconclusive']),
  rawScore: z.number(),
  score: z.number(),
  keyedScore: z.number(),
  evidence: z.array(evidenceSchema),
});
export type Findings = z.infer<typeof findingsSchema>;

/** Everything that a third party needs to check an audit without the network. */
const predicateSchema = z.strictObject({
  schema: z.literal('touchmark/dossier@1'),
  createdAt: moment,
  toolkit: z.string(),
  /** The owner's Ed25519 key, SPKI in DER, base64. */
  ownerKey: z.base64(),
  plan: auditPlanSchema,
  epoch: z.strictObject({
    createdAt: moment,
    /** Since when the log shows answers under later keys only; null while it does not. */
    retiredAt: moment.nullable(),
    commitments: z.strictObject(purposeHashes),
  }),
  reveals: revealsSchema,
  /** The watermark profile as it was sealed, JSON. */
  profile: z.json(),
  material: z.strictObject({
    digests: z.strictObject(partDigestSchemas),
    /** JSON text of each part that the shown tests need. */
    parts: z.strictObject(partStrings),
  }),
  log: z.strictObject({
    /** A C2SP signed note over the tree of as many entries as the plan names. */
    checkpoint: z.string(),
    /** What sealed the epoch's key and the profile, and the records that the shown tests read. */
    proven: z.array(provenEntry),
    records: z.array(openedRecord),
    anchor: anchorSchema.nullable(),
  }),
  /** What opens the commitments of the traps that were asked, by lot as the plan lists them. */
  traps: z.array(z.strictObject({ lot: count, openings: z.array(z.string()) })),
  run: z.strictObject({
    head: hash,
    entries: z.array(z.union([runEntrySchema, sealedRunEntrySchema])),
  }),
  /** Tests that apply and whose material is left out. */
  leftOut: z.array(z.string()),
  findings: findingsSchema,
  /** Who saw the plan, and the public round that ordered the questions. */
  vouchers: vouchersSchema,
  /** The report as it was written. */
  report: z.json(),
});
export type DossierPredicate = z.infer<typeof predicateSchema>;

export const statementSchema = z.strictObject({
  _type: z.literal(statementType),
  subject: z.tuple([
    z.strictObject({ name: z.string(), digest: z.strictObject({ sha256: hash }) }),
  ]),
  predicateType: z.literal(predicateType),
  predicate: predicateSchema,
});
export type DossierStatement = z.infer<typeof statementSchema>;
