import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { digestOf } from '../audit/plan.ts';
import { readSuspectFile } from '../config/suspect-files.ts';
import type { Classifier, Input, Outcome, Probe, Progress } from '../contracts.ts';
import { type Reweighed, reweigh, sampleProbes } from '../dossier/verify/reweigh.ts';
import type { VerifiedDossier } from '../dossier/verify/verify.ts';
import { TouchmarkError } from '../errors.ts';
import { inputDigest } from '../keys/canonical-input.ts';
import { openClassifier } from '../models/adapters/registry.ts';
import type { RemoteClassifier } from '../models/adapters/remote.ts';
import { resolveSuspect } from '../models/adapters/suspect-names.ts';
import { askAllClean } from '../models/clean-answers.ts';
import { readJsonDocument } from '../store/json-document.ts';
import { createFile } from '../store/project-files.ts';

export interface ReaskOptions {
  /** The suspect to ask again, KIND:WHERE. */
  readonly suspect?: string;
  readonly suspectBearer?: string;
  /** The reader's own unmarked copy of the protected model, KIND:WHERE. */
  readonly baseline?: string;
  /** Models that the reader knows to be innocent, KIND:WHERE each. */
  readonly controls?: readonly string[];
  /** The chance of each question to be asked, above 0 and at most 1. */
  readonly share: number;
  /** What draws the sample; random by default. */
  readonly seed?: string;
  /** A JSON file with the audit's labelMap and suspectLabels. */
  readonly reading?: string;
  /** A file to write what was asked and answered to. */
  readonly out?: string;
  readonly signal: AbortSignal;
  readonly progress?: Progress;
}

/** What a reader's own asking came to, and what it has used up. */
export interface AskedAgain {
  readonly seed: string;
  readonly own: Reweighed;
  /** Probes that were asked in clear: no later audit may count on them. */
  readonly spent: readonly string[];
}

const askedAtOnce = 64;

const readingSchema = z.strictObject({
  labelMap: z.record(z.string(), z.string()).default({}),
  suspectLabels: z.array(z.string()).default([]),
});
type Reading = z.output<typeof readingSchema>;

/**
 * Asks the suspect again, the reader's own copy of the protected model and models known to be innocent,
 * for a random sample of a dossier's probes, and weighs the keyed evidence of that sample alone.
 *
 * @throws TouchmarkError USAGE for settings that are not those of the audit; SUSPECT_* or UPSTREAM_*
 *   when nobody answers; INTERRUPTED
 */
export async function askAgain(
  dossier: VerifiedDossier,
  options: ReaskOptions,
): Promise<AskedAgain> {
  requireShare(options.share);
  requireSuspect(options);
  const seed = options.seed ?? randomBytes(32).toString('hex');
  const probes = sampleProbes(dossier, { seed, share: options.share });
  const reading = await readingOf(dossier, options.reading);
  const suspect =
    options.suspect === undefined
      ? undefined
      : await asking(options.suspect, dossier, probes, { ...options, reading }, (classifier) =>
          outcomesOf(classifier, probes, options),
        );
  const clean =
    options.baseline === undefined
      ? undefined
      : await asking(options.baseline, dossier, probes, {}, (classifier) =>
          cleanOf(classifier, probes, options),
        );
  const controls: ReadonlyMap<string, Outcome>[] = [];
  for (const control of options.controls ?? []) {
    const answers = await asking(control, dossier, probes, {}, (classifier) =>
      outcomesOf(classifier, probes, options),
    );
    controls.push(answers);
  }
  const own = reweigh(dossier, probes, {
    controls,
    ...(suspect && { suspect }),
    ...(clean && { clean }),
  });
  if (options.out !== undefined) {
    const kept = {
      schema: 'touchmark/reasked@1',
      ...{ dossier: dossier.digest, seed, own },
      ...(suspect && { suspect: Object.fromEntries(suspect) }),
      ...(clean && { clean: Object.fromEntries(clean) }),
      controls: controls.map((answers) => Object.fromEntries(answers)),
    };
    await createFile(options.out, [`${JSON.stringify(kept, null, 1)}\n`], 0o600);
  }
  const isShown = suspect !== undefined || controls.length > 0;
  return { seed, own, spent: isShown ? probes.map(({ id }) => id) : [] };
}

function requireSuspect({ suspect, baseline }: ReaskOptions): void {
  if (baseline === undefined || suspect !== undefined) return;
  throw new TouchmarkError('USAGE', '--baseline alone lifts no claim', {
    hint: 'give it together with --reask: two claims lifted by two halves prove neither',
  });
}

function requireShare(share: number): void {
  if (share > 0 && share <= 1) return;
  throw new TouchmarkError('USAGE', `--share ${share} is no share of the questions`, {
    hint: 'write .1 for about a tenth of them, or 1 for all',
  });
}

async function asking<Value>(
  where: string,
  { predicate: { plan } }: VerifiedDossier,
  probes: readonly Probe[],
  options: { readonly suspectBearer?: string; readonly reading?: Reading },
  ask: (classifier: RemoteClassifier) => Promise<Value>,
): Promise<Value> {
  const { labelMap, suspectLabels = [] } = options.reading ?? {};
  const digest = (input: Input) => inputDigest(input).toString('hex');
  const ids = new Map(probes.map(({ id, input }) => [digest(input), id]));
  const example = probes.find(({ input }) => typeof input !== 'string')?.input;
  const classifier = openClassifier(resolveSuspect(where), {
    labels: plan.labels,
    environment: process.env,
    readFile: readSuspectFile,
    replayIds: (input) => ids.get(digest(input)),
    ...(labelMap && { labelMap }),
    ...(suspectLabels.length > 0 && { suspectLabels }),
    ...(options.suspectBearer !== undefined && { bearer: options.suspectBearer }),
    ...(example !== undefined && { example }),
  });
  try {
    return await ask(classifier);
  } finally {
    await classifier.close();
  }
}

async function outcomesOf(
  classifier: Classifier,
  probes: readonly Probe[],
  { signal, progress }: ReaskOptions,
): Promise<ReadonlyMap<string, Outcome>> {
  await classifier.describe({ signal });
  const outcomes = new Map<string, Outcome>();
  for (let start = 0; start < probes.length; start += askedAtOnce) {
    const some = probes.slice(start, start + askedAtOnce);
    const answers = await classifier.classify(
      some.map(({ input }) => input),
      { signal },
    );
    some.forEach(({ id }, index) => {
      outcomes.set(id, answers[index]!);
    });
    progress?.('asking again', outcomes.size, probes.length);
  }
  return outcomes;
}

async function cleanOf(
  classifier: Classifier,
  probes: readonly Probe[],
  { signal, progress }: ReaskOptions,
): Promise<ReadonlyMap<string, readonly number[]>> {
  await classifier.describe({ signal });
  const inputs = probes.map(({ input }) => input);
  const rows = await askAllClean(classifier, inputs, signal, progress);
  return new Map(probes.map(({ id }, index) => [id, [...rows[index]!]]));
}

/** The settings by which the audit read labels; what was sealed is their digest. */
async function readingOf(
  { predicate: { plan } }: VerifiedDossier,
  path: string | undefined,
): Promise<Reading> {
  const given = path === undefined ? {} : await readJsonDocument(path, 'reading of labels');
  const parsed = readingSchema.safeParse(given);
  if (parsed.success && digestOf(parsed.data) === plan.reading) return parsed.data;
  throw new TouchmarkError(
    'USAGE',
    path === undefined
      ? 'The audit read the suspect’s labels by settings of its own.'
      : `${path} is not the reading of labels that the audit sealed.`,
    {
      hint: 'Ask the owner for audit.labelMap and audit.suspectLabels, and give them with --reading.',
    },
  );
}
