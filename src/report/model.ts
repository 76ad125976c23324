import { z } from 'zod';
import { fingerprintSchema, fingerprintTest, type QuirkFinding } from './fingerprint.ts';
import * as parts from './parts.ts';

const list = <T extends z.ZodType>(item: T) => z.array(item).readonly();
const record = <T extends z.ZodRawShape>(shape: T) => z.object(shape).readonly();
const count = z.int().nonnegative();
const tally = z.record(z.string(), z.number()).readonly();

/** Evidence of one test, as in the contracts, and whether the sealed plan lets it enter the score. */
const evidenceSchema = record({
  test: z.string().min(1),
  null: z.enum(['keyed', 'reference', 'descriptive']),
  status: z.enum(['done', 'partial', 'not-applicable']),
  log10E: z.number(),
  log10P: z.number().max(0).exactOptional(),
  probes: count,
  skipped: tally,
  effect: tally,
  keyMaterial: list(z.string()),
  assumptions: list(z.string()),
  counted: z.boolean(),
}).refine((evidence) => !(evidence.counted && evidence.null === 'descriptive'), {
  path: ['counted'],
  error: 'descriptive evidence is shown and never counted',
});

const trajectorySchema = record({
  test: z.string().min(1),
  counted: z.boolean(),
  /** Pairs [probes folded, log10 of the e-value at that moment], in folding order. */
  points: list(z.tuple([count, z.number()]).readonly()),
});

const trapKind = z.enum(['coin', 'region']);

const revealedTrapSchema = record({
  /** A text, or a tensor as JSON; empty when the serving log has it no longer. */
  question: z.string(),
  /** What the protected model answered; empty likewise. */
  label: z.string(),
  /** JSON text; SHA-256 of a zero byte and it is the commitment. */
  opening: z.string(),
});

/** Traps are shown as commitments; the questions behind them stay with the owner. */
const trapsSchema = record({
  /** Lots that this audit has exposed for good. */
  lots: list(
    record({
      set: z.string(),
      /** Merkle root that was sealed before the traps were used. */
      root: z.string(),
      kind: trapKind,
      lot: count,
      /** Bans that were expected of the lot when it was sealed. */
      expectedBans: z.number(),
      commitments: list(z.string()),
      /** The traps in clear, in the order of their commitments, once the owner has revealed them. */
      revealed: list(revealedTrapSchema).exactOptional(),
    }),
  ),
  /** How many more audits like this one the stock can serve, by kind. */
  remaining: list(record({ kind: trapKind, audits: count })),
});

const confusionSchema = record({
  labels: list(z.string()),
  /** Rows: protected model; columns: suspect, in the order of `labels`, then perhaps '(outside)'. */
  counts: list(list(count)),
}).refine(
  ({ labels, counts }) =>
    counts.length === labels.length &&
    counts.every((row) => row.length === counts[0]?.length) &&
    (counts[0]?.length ?? 0) - labels.length <= 1 &&
    (counts[0]?.length ?? 0) >= labels.length,
  { path: ['counts'], error: 'needs one row per label, and one column per label or one more' },
);

/**
 * The report of one audit: what was asked of whom under which sealed plan, and what came of it.
 * Bans are log10 of e-values; `score = rawScore - sum of multiplicity[].bans`, each charge >= 0;
 * a `match` has reached `plan.threshold` on keyed evidence. Numbers are finite. `version` is the toolkit's.
 */
export const auditReportSchema = record({
  /** @1 is the form that had none of the optional parts from `stopping` to `policy`. */
  schema: z.literal(['touchmark/audit-report@1', 'touchmark/audit-report@2']),
  version: z.string(),
  suspect: record({
    name: z.string(),
    address: z.string(),
    /** How many labels the suspect has; 0 when it does not say. */
    labels: count,
    gives: list(z.string()),
    /** Who runs it, as the owner says. */
    operator: z.string().exactOptional(),
  }),
  protectedModel: record({ name: z.string(), version: z.string(), labels: list(z.string()) }),
  tenant: z.string(),
  epochs: list(z.string()),
  startedAt: z.iso.datetime({ offset: true }),
  finishedAt: z.iso.datetime({ offset: true }),
  plan: record({
    hash: z.string().regex(/^sha256:[0-9a-f]{64}$/, { error: 'must be sha256:<64 hex digits>' }),
    sealedAt: z.iso.datetime({ offset: true }),
    beacon: z.string().nullable(),
    threshold: z.number(),
    horizon: count,
    tests: list(z.string()),
    assumptions: list(z.string()),
    standing: z.enum(['self-attested', 'timestamped']),
  }),
  verdict: z.enum(['match', 'no-match-found', 'inconclusive']),
  score: z.number(),
  /** The keyed evidence alone, after multiplicity; the score itself in reports without it. */
  keyedScore: z.number().exactOptional(),
  rawScore: z.number(),
  multiplicity: list(record({ reason: z.string(), bans: z.number().nonnegative() })),
  tier: z.enum(['none', 'notify', 'restrict', 'escalate']),
  evidence: list(evidenceSchema),
  trajectories: list(trajectorySchema),
  confusion: confusionSchema,
  traps: trapsSchema.exactOptional(),
  fingerprint: fingerprintSchema.exactOptional(),
  stopping: parts.stoppingSchema.exactOptional(),
  budget: parts.budgetSchema.exactOptional(),
  checks: parts.checksSchema.exactOptional(),
  conflicts: list(parts.conflictSchema).exactOptional(),
  relay: parts.relaySchema.nullable().exactOptional(),
  nulls: list(parts.nullSchema).exactOptional(),
  custody: list(parts.custodySchema).exactOptional(),
  power: parts.powerSchema.nullable(),
  dossier: parts.dossierSchema.nullable().exactOptional(),
  policy: parts.policySchema.exactOptional(),
  ruledOut: list(record({ way: z.string(), how: z.string() })),
  notRuledOut: list(record({ way: z.string(), why: z.string() })),
  run: record({
    probesAsked: count,
    answered: count,
    refused: count,
    failed: count,
    unsupported: count,
    outsideLabels: count,
    seconds: z.number().nonnegative(),
    requests: count,
    retries: count,
  }),
  /** File names relative to the report's own directory. */
  files: record({ plan: z.string(), runLog: z.string(), json: z.string(), html: z.string() }),
})
  .refine(
    ({ verdict, score, keyedScore = score, plan }) =>
      verdict !== 'match' || keyedScore >= plan.threshold,
    { path: ['verdict'], error: 'a match needs a keyed score at or above the sealed threshold' },
  )
  .refine(
    ({ score, rawScore, multiplicity }) =>
      Math.abs(multiplicity.reduce((rest, { bans }) => rest - bans, rawScore) - score) < 1e-6,
    { path: ['score'], error: 'is not rawScore minus the charges in multiplicity' },
  );

/** One finished audit, ready to be rendered; see {@link auditReportSchema}. */
export type AuditReport = z.infer<typeof auditReportSchema>;

/** Returns the JSON Schema (draft 2020-12) of report.json, without the sums that `parseReport` checks. */
export function auditReportJsonSchema(): object {
  return z.toJSONSchema(auditReportSchema, { io: 'input' });
}

/** The score of the keyed evidence, which verdicts and bounds rest on. */
export function keyedBans({ score, keyedScore = score }: AuditReport): number {
  return keyedScore;
}

/** What an audit can conclude. There is no verdict of innocence. */
export type Verdict = AuditReport['verdict'];

/**
 * Returns the bans to show for a test: its log10E, or, for descriptive evidence (whose log10E is 0
 * by contract), the last value of its trajectory if it has one. Never to be added to a score.
 */
export function shownBans(report: AuditReport, evidence: AuditReport['evidence'][number]): number {
  if (evidence.null !== 'descriptive') return evidence.log10E;
  const trajectory = report.trajectories.find(({ test }) => test === evidence.test);
  return trajectory?.points.at(-1)?.[1] ?? evidence.log10E;
}

/** Returns whether a quirk enters the score: it has a weight, and the audit counts its test. */
export function quirkCounts({ evidence }: AuditReport, { weight }: QuirkFinding): boolean {
  return weight > 0 && evidence.some(({ test, counted }) => test === fingerprintTest && counted);
}
