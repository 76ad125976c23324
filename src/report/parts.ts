import { z } from 'zod';

const list = <T extends z.ZodType>(item: T) => z.array(item).readonly();
const record = <T extends z.ZodRawShape>(shape: T) => z.object(shape).readonly();
const count = z.int().nonnegative();
const amount = z.number().nonnegative();
const share = z.number().min(0).max(1);
const moment = z.iso.datetime({ offset: true });
const digest = z
  .string()
  .regex(/^sha256:[0-9a-f]{64}$/, { error: 'must be sha256:<64 hex digits>' });

/** When the asking was to end, and the probe after which it did; null when nothing cut it short. */
export const stoppingSchema = record({
  rule: z.enum(['horizon', 'threshold']),
  stoppedAt: count.nullable(),
});

/** What the plan allowed the audit to spend, each limit where there is one, and what it spent. */
export const budgetSchema = record({
  requests: count.exactOptional(),
  tokens: count.exactOptional(),
  /** In the currency of the plan. */
  money: amount.exactOptional(),
  seconds: amount.exactOptional(),
  spent: record({ requests: count, tokens: count, money: amount, seconds: amount }),
});

/** How the suspect answers: whether it repeats itself, remembers, samples, rounds or hides. */
export const checksSchema = record({
  /** Probes that were put twice. */
  repeated: count,
  /** Of these, how many came back with another label. */
  changedLabels: count,
  /** The largest difference of one probability between two answers, 0 to 1. */
  largestChange: share,
  likelyCaching: z.boolean(),
  /** Whether the label looks drawn by chance rather than the likeliest. */
  samples: z.boolean(),
  /** Decimals to which probabilities are rounded. */
  roundedTo: count.exactOptional(),
  /** How many of the likeliest classes are shown. */
  topOnly: z.int().positive().exactOptional(),
  /** Share of answers whose label is not the likeliest class of their own probabilities. */
  labelDisagreesWithArgMax: share.exactOptional(),
  notes: list(z.string()),
}).refine(({ repeated, changedLabels }) => changedLabels <= repeated, {
  path: ['changedLabels'],
  error: 'is more than were repeated',
});

/** Evidence that points two ways; see `conflictsOf`. */
export const conflictSchema = record({
  tests: z.tuple([z.string().min(1), z.string().min(1)]).readonly(),
  says: z.string().min(1),
});

/** Whether the suspect forwards to our own service instead of having learned from it. */
export const relaySchema = record({
  finding: z.enum(['no-sign', 'relay-likely', 'not-testable']),
  /** Since when the audited epoch is closed; null while it may be in use. */
  closedSince: moment.nullable(),
  /** Coins of the keys in use, on questions that nobody had asked our service before. */
  coins: record({
    /** Answers that are one of a coin's two labels. */
    asked: count,
    /** How many of them the key tells that tells most. */
    agreeing: count,
    /** Keys that were in use while the suspect was asked, over all tenants. */
    keys: count,
    /** The mean over the keys. */
    log10E: z.number(),
  }).refine(({ asked, agreeing }) => agreeing <= asked, {
    path: ['agreeing'],
    error: 'is more than were asked',
  }),
  /** What our serving log has of this audit's questions. */
  log: record({
    /** Questions that the suspect answered and that nobody had asked us before the plan was sealed. */
    probes: count,
    /** Those that came to us while the suspect was asked. */
    found: count,
    ofAuditedTenant: count,
    tenants: count,
    /** Those that came within the window before the suspect's own answer. */
    inWindow: count,
    windowSeconds: amount,
    /** Questions of this audit that first came in a time as long before the plan was sealed. */
    earlier: count,
    /** Of so many if they came on their own. */
    log10P: z.number().max(0),
  }).refine(
    ({ probes, found, ofAuditedTenant, inWindow }) =>
      found <= probes && Math.max(ofAuditedTenant, inWindow) <= found,
    { path: ['found'], error: 'does not fit the other counts' },
  ),
  says: z.string().min(1),
});

/** What a test's statistic would be by chance, and what it was. */
export const nullSchema = record({
  test: z.string().min(1),
  kind: z.enum(['keyed', 'reference']),
  /**
   * `coin-binomial`: agreeing among `trials` fair coins. `weighted-signs`: a sum whose signs a key
   * redraws. `standard-signs`: such a sum over its standard deviation, drawn as a normal, which it is
   * close to. `ranks`: what each reference model scores.
   */
  shape: z.enum(['coin-binomial', 'weighted-signs', 'standard-signs', 'ranks']),
  /** The statistic in words, for the axis. */
  statistic: z.string().min(1).exactOptional(),
  /** Coins that fell; with it the binomial is drawn exactly and needs no draws. */
  trials: z.int().positive().exactOptional(),
  /** Values under the null: one per key drawn, or one per reference. */
  draws: list(z.number()).exactOptional(),
  /** Instead of draws: values in ascending order, number i of n at level i / (n + 1), i = 1..n. */
  quantiles: list(z.number()).exactOptional(),
  observed: z.number(),
  log10P: z.number().max(0).exactOptional(),
}).refine(
  ({ shape, trials, draws = [], quantiles = [] }) =>
    shape === 'standard-signs' || trials !== undefined || draws.length + quantiles.length > 0,
  { path: ['draws'], error: 'need values, quantiles, or a number of trials' },
);

/** One thing that happened to what the audit rests on, and how somebody else can know it. */
export const custodySchema = record({
  at: moment,
  what: z.string().min(1),
  digest: digest.nullable(),
  /** What `verify` grades a claim as, strongest first: recomputed, anchored, asserted. */
  grade: z.enum(['recomputed', 'anchored', 'asserted']),
});

/** What the audit would have found; the curve is of rehearsals by answers leaked. */
export const powerSchema = record({
  statement: z.string(),
  /** Lower confidence bound of the power, 0 to 1. */
  lower: share.exactOptional(),
  curve: list(
    record({
      /** Answers that the rehearsed student learned from. */
      answers: count,
      /** Share of students found, with its confidence bounds. */
      share,
      lower: share,
      upper: share,
      meanBans: z.number(),
    }).refine(({ share: found, lower, upper }) => lower <= found && found <= upper, {
      path: ['share'],
      error: 'is outside its bounds',
    }),
  ).exactOptional(),
  /** Which rehearsal it is from. */
  rehearsal: z.string().exactOptional(),
});

/** The sealed file that a third party can check line by line. */
export const dossierSchema = record({
  file: z.string().min(1),
  digest,
  keyIdentifier: z.string().min(1),
});

const tier = z.enum(['none', 'notify', 'restrict', 'escalate']);

/** What the response policy made of the score. */
export const policySchema = record({
  tier,
  actions: list(
    record({
      tier: tier.exclude(['none']),
      /** What is done, such as `command`. */
      kind: z.string().min(1),
      done: z.boolean(),
      /** Whether it was only said what would be done. */
      dry: z.boolean(),
    }).refine(({ done, dry }) => !(done && dry), {
      path: ['done'],
      error: 'is impossible for a dry action',
    }),
  ),
});

/** A null distribution of one test; see {@link nullSchema}. */
export type NullDistribution = z.infer<typeof nullSchema>;
/** A moment of the timeline of custody; see {@link custodySchema}. */
export type CustodyEntry = z.infer<typeof custodySchema>;
/** Two pieces of evidence that disagree; see {@link conflictSchema}. */
export type Conflict = z.infer<typeof conflictSchema>;
/** Power by rehearsal; see {@link powerSchema}. */
export type PowerPart = z.infer<typeof powerSchema>;
/** What the relay check found; see {@link relaySchema}. */
export type RelayPart = z.infer<typeof relaySchema>;
/** How the suspect answers; see {@link checksSchema}. */
export type ChecksPart = z.infer<typeof checksSchema>;
/** What the response policy did; see {@link policySchema}. */
export type PolicyPart = z.infer<typeof policySchema>;
