import type { Classifier, Input, Progress } from '../contracts.ts';
import { canonicalInput, inputDigest } from '../keys/canonical-input.ts';
import { askAllClean } from '../models/clean-answers.ts';
import type { LabelledInput } from '../models/training/reference-models.ts';
import { readRows, searchFeatures } from '../models/training/search-features.ts';
import type { SparseRows } from '../models/training/sparse-product.ts';
import { type Twin, trainTwins } from '../models/training/twin.ts';
import { seededRandom } from '../stats/sampling.ts';
import type { ClassifierProfile, FeatureMap } from '../watermark/classifier-profile.ts';

/** The owner's inputs, dealt to the parts that they play. */
export interface RehearsalInputs {
  /** What students ask. */
  readonly questions: readonly Input[];
  /** What twins learn from; no student asks any of it. */
  readonly twin: readonly Input[];
  /** What only audits ask. */
  readonly fresh: readonly Input[];
}

/** What all students of a rehearsal share, whatever their keys. */
export interface RehearsalGround {
  readonly profile: ClassifierProfile;
  /** The questions, then the fresh ones. */
  readonly inputs: readonly Input[];
  readonly questions: number;
  /** For each input, the protected model's own answer and the twins'. */
  readonly clean: readonly Float64Array[];
  readonly twins: readonly (readonly Float32Array[])[];
  /** How students read inputs: as reference models do, without the carriers' features. */
  readonly features: FeatureMap;
  readonly rows: SparseRows;
  /** Labelled data that controls learn from; empty where the owner gave none. */
  readonly labelled: readonly LabelledInput[];
}

/**
 * Deals the owner's inputs. An audit's twins never saw what the suspect asked, and so it is here: with
 * questions of their own for students, twins learn from all of `twin` as in an audit; without, students
 * ask a random half of it, and the twins, which learn from the other half, know less than an audit's.
 */
export function dealInputs(
  twin: readonly Input[],
  fresh: readonly Input[],
  questions: readonly Input[] | undefined,
  seed: string,
): RehearsalInputs {
  const probes = distinct(fresh, new Set());
  const own = distinct(twin, digestsOf(probes));
  if (questions !== undefined) {
    const others = digestsOf([...probes, ...own]);
    return { questions: distinct(questions, others), twin: own, fresh: probes };
  }
  const order = seededRandom(`${seed}/halves`).shuffle(own);
  const middle = Math.ceil(order.length / 2);
  return { questions: order.slice(0, middle), twin: order.slice(middle), fresh: probes };
}

export interface GroundOptions extends RehearsalInputs {
  readonly profile: ClassifierProfile;
  readonly protectedModel: Classifier;
  readonly labelled: readonly LabelledInput[];
  readonly signal: AbortSignal;
  readonly progress?: Progress;
}

/** Asks the protected model and trains the twins, once for all students. */
export async function prepareGround(options: GroundOptions): Promise<RehearsalGround> {
  const { profile, protectedModel, questions, twin, fresh, labelled, signal, progress } = options;
  const inputs = [...questions, ...fresh];
  const clean = await askAllClean(protectedModel, [...inputs, ...twin], signal, progress);
  const watched: Progress = (stage, done, total) => {
    signal.throwIfAborted();
    progress?.(stage, done, total);
  };
  const twins =
    twin.length > 0 ? await trainTwins(profile, twin, clean.slice(inputs.length), watched) : [];
  const features = searchFeatures(inputs);
  return {
    ...{ profile, inputs, questions: questions.length, labelled },
    clean: clean.slice(0, inputs.length),
    twins: inputs.map((input) => answersOf(twins, input)),
    features,
    rows: readRows(features, inputs),
  };
}

/** As an audit's material keeps them. */
function answersOf(twins: readonly Twin[], input: Input): Float32Array[] {
  return twins.map((twin) => Float32Array.from(twin.predict(input)));
}

function distinct(inputs: readonly Input[], others: ReadonlySet<string>): Input[] {
  const seen = new Set(others);
  return inputs.flatMap((input) => {
    const digest = digestOf(input);
    if (seen.has(digest)) return [];
    seen.add(digest);
    return [canonicalInput(input)];
  });
}

function digestsOf(inputs: readonly Input[]): Set<string> {
  return new Set(inputs.map(digestOf));
}

function digestOf(input: Input): string {
  return inputDigest(input).toString('base64');
}
