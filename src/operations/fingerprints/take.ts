import { readSuspectFile } from '../../config/suspect-files.ts';
import type { Progress } from '../../contracts.ts';
import { TouchmarkError } from '../../errors.ts';
import {
  type ClassifierProbeSet,
  decodeQuestion,
  type ProbeSet,
} from '../../fingerprints/probe-set.ts';
import { openClassifier } from '../../models/adapters/registry.ts';
import type { RemoteOptions } from '../../models/adapters/remote.ts';
import type { StoredDocument } from '../../store/fingerprint-files.ts';
import { type FingerprintPlace, openPlace, type PlaceOptions } from './place.ts';
import { type TakenFingerprint, takeFrom } from './taking.ts';

export interface TakeOptions extends PlaceOptions {
  /** `kserve:URL` or `http:URL`. */
  readonly suspect: string;
  readonly suspectBearer?: string;
  /** What the fingerprint calls the model; what it calls itself by default. */
  readonly name?: string;
  /** Denotes the probe set; the only one in the folder by default. */
  readonly probes?: string;
  readonly now: () => Date;
  readonly signal: AbortSignal;
  readonly progress?: Progress;
}

const usualBatchSize = 64;

/**
 * Takes the fingerprint of a classifier behind an address and keeps it in `fingerprints/`.
 *
 * @throws TouchmarkError as `openPlace`, `FingerprintStore.findProbeSet`, `openClassifier` and
 *   `takeFrom`; CONFIG_INVALID for a name of more than 200 characters
 */
export async function takeFingerprint(options: TakeOptions): Promise<TakenFingerprint> {
  const { suspect, suspectBearer } = options;
  requireName(options.name);
  const place = await openPlace(options);
  const probes = await chooseProbes(place, options.probes);
  const { reading, batchSize, timeoutMilliseconds } = settingsOf(place, probes);
  const example = exampleOf(probes);
  const classifier = openClassifier(suspect, {
    ...reading,
    labels: probes.labels,
    batchSize,
    readFile: readSuspectFile,
    ...(timeoutMilliseconds !== undefined && { timeoutMilliseconds }),
    ...(suspectBearer !== undefined && { bearer: suspectBearer }),
    ...(example && { example }),
  });
  try {
    const { name, now, signal, progress } = options;
    return await takeFrom({
      ...{ place, classifier, probes, reading, batchSize, now, signal },
      specification: suspect,
      ...(name !== undefined && { name }),
      ...(progress && { progress }),
    });
  } finally {
    await classifier.close();
  }
}

function requireName(name: string | undefined): void {
  if (name === undefined || (name.trim() !== '' && name.length <= 200)) return;
  throw new TouchmarkError('USAGE', 'A name has 1 to 200 characters.', {
    hint: 'Give another --name, or leave it out.',
  });
}

/** How answers of suspects are read; a map of labels may be for other questions, too. */
function settingsOf(
  { project }: FingerprintPlace,
  { labels }: ClassifierProbeSet,
): {
  readonly reading: Pick<RemoteOptions, 'labelMap' | 'suspectLabels'>;
  readonly batchSize: number;
  readonly timeoutMilliseconds?: number;
} {
  if (project === undefined) return { reading: {}, batchSize: usualBatchSize };
  const { labelMap, suspectLabels, batchSize, timeoutSeconds } = project.config.audit;
  const fitting = Object.entries(labelMap).filter(([, ours]) => labels.includes(ours));
  return {
    reading: {
      labelMap: Object.fromEntries(fitting),
      ...(suspectLabels && { suspectLabels }),
    },
    batchSize,
    timeoutMilliseconds: timeoutSeconds * 1000,
  };
}

/** A tensor of zeros, where questions are tensors: what a suspect gives is learnt without a probe. */
function exampleOf({ questions }: ClassifierProbeSet): RemoteOptions['example'] {
  const input = decodeQuestion(questions[0]!.input);
  if (typeof input === 'string') return undefined;
  return { shape: input.shape, data: new Float32Array(input.data.length) };
}

async function chooseProbes(
  { store }: FingerprintPlace,
  reference: string | undefined,
): Promise<ClassifierProbeSet> {
  const { id, document } =
    reference === undefined ? await onlyProbeSet(store) : await store.findProbeSet(reference);
  if (document.task === 'classify') return document;
  throw new TouchmarkError(
    'USAGE',
    `${id} is for language models; this command asks classifiers.`,
    {
      hint: 'Choose a probe set for classifiers with --probes.',
    },
  );
}

async function onlyProbeSet(store: FingerprintPlace['store']): Promise<StoredDocument<ProbeSet>> {
  const { documents, problems } = await store.listProbeSets();
  const [only, ...others] = documents;
  if (only !== undefined && others.length === 0) return only;
  const known = documents.slice(0, 12).map(({ id, document }) => `${id} (${document.name})`);
  const shipped = 'builtin:language-identification, for identifiers of thirty languages';
  const found =
    only === undefined
      ? `There is no probe set in ${store.directory}.`
      : `${store.directory} has ${documents.length} probe sets: ${known.join(', ')}.`;
  throw new TouchmarkError('USAGE', `${found} Say which questions to ask.`, {
    hint: [`Give --probes ID. The package ships ${shipped}.`, ...problems.slice(0, 3)].join('\n'),
  });
}
