import type { Input, Progress } from '../contracts.ts';
import type { ModelCache } from '../models/training/model-cache.ts';
import { type ReferenceModel, trainReferences } from '../models/training/reference-models.ts';
import { searchFeatures } from '../models/training/search-features.ts';
import { seededRandom } from '../stats/sampling.ts';
import type { FeatureMap } from '../watermark/classifier-profile.ts';

/** A question and the name of the class that it truly has. */
export interface LabelledQuestion {
  readonly input: Input;
  readonly label: string;
}

export interface ReferencePoolOptions {
  readonly labels: readonly string[];
  /** The protected model's training data; labels outside its set are left out. */
  readonly sameData: readonly LabelledQuestion[];
  /** Labelled data of the same trade that it never saw. */
  readonly otherData: readonly LabelledQuestion[];
  /**
   * References of each kind, 120 by default. A third of them calibrates: from 57 on the first rank has
   * p <= .05, and from 117 on the second has, too.
   */
  readonly referencesPerKind?: number;
  /** How references read inputs; hashed n-grams, or values standardised over the labelled data. */
  readonly features?: FeatureMap;
  readonly seed?: string;
  readonly cache?: ModelCache;
  readonly signal: AbortSignal;
  readonly progress?: Progress;
}

/** Models that never saw an answer of the protected model, of both kinds and all three parts. */
export interface ReferencePool {
  readonly features: FeatureMap;
  readonly references: readonly ReferenceModel[];
}

export const usualPoolSeed = 'region';
const usualReferencesPerKind = 120;
/** More examples or questions, a random choice of which is taken, teach hardly more. */
const most = 20_000;

/**
 * Trains the reference models that region traps and fingerprints are tested against, or finds them in
 * the cache. An abort is noticed between models.
 */
export async function trainReferencePool(options: ReferencePoolOptions): Promise<ReferencePool> {
  const { labels, seed = usualPoolSeed, cache, signal, progress } = options;
  const enough = enoughOf(seed);
  const data = {
    same: enough(known(options.sameData, labels)),
    other: enough(known(options.otherData, labels)),
  };
  const features =
    options.features ?? searchFeatures([...data.same, ...data.other].map(({ input }) => input));
  const references: ReferenceModel[] = [];
  for (const kind of ['same', 'other'] as const) {
    const count = options.referencesPerKind ?? usualReferencesPerKind;
    const own = { kind, examples: data[kind], classes: labels.length, count, features, seed };
    const rest = { signal, ...(cache && { cache }), ...(progress && { progress }) };
    references.push(...(await trainReferences({ ...own, ...rest })));
  }
  return { features, references };
}

/** Returns what takes a random part of lists that are longer than it makes sense to use. */
export function enoughOf(seed: string): <Item>(items: readonly Item[]) => readonly Item[] {
  const random = seededRandom(`${seed}/enough`);
  return (items) => (items.length > most ? random.choose(items, most) : items);
}

function known(data: readonly LabelledQuestion[], labels: readonly string[]) {
  const numbers = new Map(labels.map((label, index) => [label, index]));
  return data.flatMap(({ input, label }) => {
    const number = numbers.get(label);
    return number === undefined ? [] : [{ input, label: number }];
  });
}
