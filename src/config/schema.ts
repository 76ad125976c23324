import { z } from 'zod';
import { logSchema } from './log.ts';
import { policySchema } from './policy.ts';
import { serveSchema } from './serve.ts';
import { suspectsSchema } from './suspects.ts';
import { tenantsFileSchema, tenantsSchema } from './tenants.ts';
import { textSchema } from './text.ts';
import { beaconSchema, timestampAuthoritySchema } from './vouching.ts';

export const configSchemaName = 'touchmark/config@1';

const variableName = z.string().regex(/^[A-Za-z_]\w*$/);
const path = z.string().min(1);

/** Intl knows the names, and refuses others. */
function isTimezone(name: string): boolean {
  try {
    return Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}

const labelList = z
  .array(z.string().min(1))
  .min(2)
  .refine((labels) => new Set(labels).size === labels.length, 'two labels are the same');

const model = z
  .strictObject({
    name: z.string().min(1).max(200).describe('What clients and reports call the model.'),
    upstream: z
      .string()
      .regex(/^[a-z][a-z0-9-]*:https?:\/\/\S+$/, 'not of the form PROTOCOL:ADDRESS')
      .describe(
        'http:URL, kserve:http://HOST:PORT/v2/models/NAME, tfserving:…/v1/models/NAME or openai:…/v1.',
      ),
    labels: labelList
      .exactOptional()
      .describe('The classes, in order, at least two; left out, the upstream is asked for them.'),
    input: z
      .union([
        z.literal('text'),
        z.strictObject({ tensor: z.array(z.int().positive()).min(1).max(8) }),
      ])
      .default('text')
      .describe('What the model takes: text, or { tensor: [SHAPE] } without the batch dimension.'),
    bearerEnvironment: variableName
      .exactOptional()
      .describe('The environment variable that holds the bearer token of the upstream, if any.'),
  })
  .describe('The protected model, as it answers today, without a watermark.');

const keys = z
  .strictObject({
    source: z
      .string()
      .regex(/^(file|env|exec|bundle):./s, 'not of a known form')
      .default('file:.touchmark/keys/ring.json')
      .describe(
        'The root key: file:PATH, env:NAME or exec:COMMAND ARGUMENTS; without it bundle:PATH.',
      ),
    ring: path
      .exactOptional()
      .describe('The key ring file, when the root comes from env: or exec: and not from the ring.'),
    passphraseEnvironment: variableName
      .default('TOUCHMARK_PASSPHRASE')
      .describe(
        'The environment variable that holds the passphrase of the key ring, if it has one.',
      ),
  })
  .prefault({})
  .describe('Every key is derived from one root. Keep a copy of the ring in a safe place.');

const watermark = z
  .strictObject({
    totalVariation: z
      .number()
      .positive()
      .max(0.2)
      .default(0.0275)
      .describe('How far probabilities move on average, as total variation distance; at most 0.2.'),
    perQueryStrength: z
      .number()
      .min(0)
      .max(2)
      .default(0.1)
      .describe(
        'The most that the sign of each question may shift a logit; half of the budget bounds it too.',
      ),
    coinShare: z
      .number()
      .min(0)
      .max(0.25)
      .default(0.02)
      .describe(
        'Share of questions whose two best labels a keyed coin decides between; 0 to 0.25.',
      ),
    linearCarriers: z
      .int()
      .min(0)
      .max(4096)
      .default(256)
      .describe('Number of linear carriers, 0 to 4096.'),
    fourierCarriers: z
      .int()
      .min(0)
      .max(4096)
      .default(0)
      .describe('Number of Fourier carriers, 0 to 4096.'),
  })
  .prefault({})
  .describe('How strongly answers are marked. Fixed once .touchmark/profile.json is sealed.');

const inputs = z
  .strictObject({
    twin: path
      .default('inputs/twin.txt')
      .describe('Questions that the watermark is calibrated on and the twin is trained on.'),
    fresh: path
      .default('inputs/fresh.txt')
      .describe('Questions for suspects; never serve an answer to any of them.'),
    traps: path
      .default('inputs/traps.txt')
      .describe('Questions that region traps are chosen from; never serve an answer to any.'),
    fingerprint: path
      .default('inputs/fingerprint.txt')
      .describe('Questions that fingerprints are taken with; never serve an answer to any.'),
    sameData: path
      .exactOptional()
      .describe(
        "The protected model's training data, one JSON object {input, label} per line (.jsonl).",
      ),
    otherData: path
      .exactOptional()
      .describe('Labelled data of the same trade that the protected model never saw (.jsonl).'),
  })
  .prefault({})
  .describe(
    'Your own questions, one per line: plain text (.txt), or JSON strings or tensors (.jsonl).',
  );

const audit = z
  .strictObject({
    threshold: z
      .number()
      .min(1)
      .max(100)
      .default(6)
      .describe('Bans at which the verdict is a match, 1 to 100.'),
    stopping: z
      .enum(['horizon', 'threshold'])
      .default('horizon')
      .describe('When asking stops: at the horizon, or at the threshold, which saves questions.'),
    budget: z
      .strictObject({
        requests: z
          .int()
          .positive()
          .exactOptional()
          .describe('Requests at most, repeated ones too.'),
        tokens: z
          .int()
          .positive()
          .exactOptional()
          .describe('Tokens at most, as the suspect counts.'),
        money: z.number().positive().exactOptional().describe('What they may cost at most.'),
        seconds: z
          .number()
          .positive()
          .exactOptional()
          .describe('How long asking may take at most.'),
        pricePerRequest: z.number().nonnegative().exactOptional().describe('Of one request.'),
        pricePerThousandTokens: z
          .number()
          .nonnegative()
          .exactOptional()
          .describe('Of 1000 tokens.'),
      })
      .prefault({})
      .describe(
        'What one audit may cost; at a limit it stops and can be resumed with a higher one.',
      ),
    timestampAuthority: timestampAuthoritySchema,
    beacon: beaconSchema,
    suspects: z.int().min(1).default(1).describe('How many suspects are tested; each pays for it.'),
    freshProbes: z.int().min(0).default(6000).describe('Fresh questions put to a suspect at most.'),
    loggedProbes: z
      .int()
      .min(0)
      .default(5000)
      .describe('Questions from the serving log put to a suspect at most.'),
    questionsNotChosenFromAnswers: z
      .boolean()
      .default(false)
      .describe(
        'Vouch that no tenant chose questions by earlier answers; every report then says so.',
      ),
    referencesExchangeable: z
      .boolean()
      .default(false)
      .describe(
        'Vouch that innocents are like the reference models; region traps and fingerprints then count.',
      ),
    inputsChosenWithoutKeys: z
      .boolean()
      .default(false)
      .describe(
        'Vouch for inputs that were changed after the mark was sealed; every report then says so.',
      ),
    coverPerTrap: z
      .number()
      .min(0)
      .max(20)
      .default(1)
      .describe(
        'Ordinary questions asked beside each trap where no test asks any, 0 to 20 on average.',
      ),
    pauseMilliseconds: z
      .number()
      .min(0)
      .max(3_600_000)
      .default(0)
      .describe('Mean of the random pause before each request to a suspect; 0 asks at full speed.'),
    batchSize: z
      .int()
      .min(1)
      .max(1024)
      .default(64)
      .describe('Questions in one request to a suspect, 1 to 1024.'),
    timeoutSeconds: z
      .number()
      .positive()
      .max(600)
      .default(30)
      .describe('How long a suspect may take to answer one request, at most 600.'),
    suspectLabels: labelList
      .exactOptional()
      .describe(
        "The suspect's labels in the order of its probabilities, if it does not name them.",
      ),
    labelMap: z
      .record(z.string(), z.string())
      .default({})
      .describe("From a suspect's labels to yours, where they differ: { english: en }."),
  })
  .prefault({})
  .describe('How suspects are audited.');

const traps = z
  .strictObject({
    coinLots: z
      .int()
      .min(1)
      .max(10_000)
      .default(100)
      .describe(
        'Lots that coin traps are dealt into, 1 to 10000: as many audits as a set can serve.',
      ),
    coinStealth: z
      .number()
      .min(0.55)
      .max(1)
      .default(0.6)
      .describe(
        'Most that a classifier may tell coin traps from traffic (AUC), 0.55 to 1; 1 keeps every coin.',
      ),
    regionLotSize: z
      .int()
      .min(10)
      .max(1000)
      .default(50)
      .describe('Region traps in a lot, 10 to 1000.'),
    lotsPerAudit: z
      .int()
      .min(0)
      .max(1000)
      .default(1)
      .describe('Lots of each kind that one audit exposes for good, 0 to 1000; 0 leaves them out.'),
    coinStock: z
      .int()
      .min(0)
      .max(1_000_000)
      .default(2000)
      .describe("Unexposed coin traps that rotation keeps for each tenant's epoch."),
    regionStock: z
      .int()
      .min(0)
      .max(100_000)
      .default(250)
      .describe('Unexposed region traps that rotation keeps.'),
    maximumAgeDays: z
      .int()
      .min(1)
      .max(3650)
      .default(180)
      .describe('Days after which traps are retired unused, 1 to 3650.'),
    timezone: z
      .string()
      .refine(isTimezone, 'not a time zone')
      .default('UTC')
      .describe('Whose calendar days rotation goes by, such as Europe/Berlin.'),
  })
  .prefault({})
  .describe('Questions kept for one audit each. `touchmark traps rotate` keeps them in stock.');

const fingerprints = z
  .strictObject({
    questions: z
      .int()
      .min(50)
      .max(100_000)
      .default(1000)
      .describe('Questions of a fingerprint at most, 50 to 100000.'),
    pairs: z
      .int()
      .min(0)
      .max(10_000)
      .default(100)
      .describe('Pairs of them between which the boundary is sought, about 6 questions each.'),
  })
  .prefault({})
  .describe("How the protected model's quirks are read, by which suspects are compared with it.");

/** What touchmark.yaml may say; an unknown key anywhere is an error. */
export const configSchema = z.strictObject({
  schema: z.literal(configSchemaName).describe('The version of this file.'),
  model,
  serve: serveSchema,
  tenants: tenantsSchema,
  tenantsFile: tenantsFileSchema,
  keys,
  watermark,
  text: textSchema,
  inputs,
  log: logSchema,
  traps,
  fingerprints,
  audit,
  suspects: suspectsSchema,
  policy: policySchema,
});

/** A checked configuration with every default filled in. */
export type Config = z.output<typeof configSchema>;

/** Returns the JSON Schema (draft 2020-12) of touchmark.yaml, for editors. */
export function configJsonSchema(): object {
  return z.toJSONSchema(configSchema, { io: 'input' });
}
