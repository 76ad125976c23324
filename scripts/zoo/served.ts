import { createHash } from 'node:crypto';
import type { Input, Progress, ServedRecord } from '../../src/contracts.ts';
import { canonicalInput } from '../../src/keys/canonical-input.ts';
import { deriveEpochKey } from '../../src/keys/derivation.ts';
import type { Layers } from '../../src/models/training/layers.ts';
import { encodeModel, type ModelCache } from '../../src/models/training/model-cache.ts';
import { sealProfile } from '../../src/serve/profile-sealing.ts';
import { ClassifierMarker, type MarkedAnswer } from '../../src/watermark/classifier-marker.ts';
import type { ClassifierProfile } from '../../src/watermark/classifier-profile.ts';
import { servingFloor, toDistribution } from '../../src/watermark/probability/distribution.ts';
import type { Scene } from './scene.ts';
import type { Answers } from './subject.ts';
import { classifierOf, type ZooModel } from './zoo-model.ts';

/** Whom all thieves of the zoo ask as, and when. */
export const zooTenant = 'zoo';
export const zooEpoch = 'zoo-1';
const servedAt = '2026-01-01T00:00:00.000Z';

/** As `touchmark init` sets it. */
const targets = {
  totalVariation: 0.0275,
  perQueryStrength: 0.1,
  coinShare: 0.02,
  linearCarriers: 256,
  fourierCarriers: 0,
};
/** The last of the owner's questions are fresh probes, as many as this or a third; on the rest it seals. */
const freshProbes = 1500;
/** Raised when profiles are sealed in another way. */
const version = 1;

/** A protected model behind its gateway, as far as a thief or an audit can tell. */
export interface ServedModel {
  readonly profile: ClassifierProfile;
  /** Public, like everything in the zoo: it protects nothing. */
  readonly epochKey: Uint8Array;
  readonly tenant: string;
  readonly epoch: string;
  /** The owner's questions that the profile was sealed on, and on which it may train twins. */
  readonly twin: readonly Input[];
  /** The owner's questions that were never served; no twin learns from them. */
  readonly fresh: readonly Input[];
  /** What the tenant gets. */
  answer(questions: readonly Input[]): Answers;
  /** The serving log of a tenant who asked this and nothing else. */
  recordsOf(questions: readonly Input[]): readonly ServedRecord[];
}

interface Marked extends MarkedAnswer {
  readonly input: Input;
  readonly clean: Float64Array;
}

/** Seals a profile for a protected model, or finds it in the cache, and marks its answers. */
export async function serveModel(
  scene: Scene,
  model: ZooModel & { readonly layers: Layers },
  { seed, cache, signal, progress }: ServingOptions,
): Promise<ServedModel> {
  const sealed = scene.owner.length - Math.min(freshProbes, Math.floor(scene.owner.length / 3));
  const twin = scene.owner.slice(0, sealed);
  const fresh = scene.owner.slice(sealed);
  const modelVersion = createHash('sha256').update(encodeModel(model.layers)).digest('hex');
  const seal = () =>
    sealProfile({
      ...{ classifier: classifierOf(model, scene.labels), labels: scene.labels },
      ...{ inputs: twin, freshInputs: fresh, targets, signal, progress },
    });
  const profile = await cachedProfile(cache, JSON.stringify([version, modelVersion, seed]), seal);
  const root = createHash('sha256').update(`public root of the zoo: ${model.id}`).digest();
  const epochKey = deriveEpochKey({ root, tenant: zooTenant, epoch: zooEpoch });
  const marker = new ClassifierMarker(epochKey, profile);
  const answered = new Map<Input, Marked>();
  const mark = (questions: readonly Input[]): Marked[] => {
    const news = questions.filter((question) => !answered.has(question));
    const canonical = news.map(canonicalInput);
    const rows = model.probabilities!(canonical);
    const classes = scene.labels.length;
    news.forEach((question, row) => {
      const own = rows.subarray(row * classes, (row + 1) * classes);
      const [input, clean] = [canonical[row]!, toDistribution(own, servingFloor)];
      answered.set(question, { input, clean, ...marker.mark(input, clean) });
    });
    return questions.map((question) => answered.get(question)!);
  };
  return {
    ...{ profile, epochKey, tenant: zooTenant, epoch: zooEpoch, twin, fresh },
    answer(questions) {
      const marked = mark(questions);
      const probabilities = new Float32Array(questions.length * scene.labels.length);
      marked.forEach(({ served }, row) => {
        probabilities.set(served, row * scene.labels.length);
      });
      return { probabilities, labels: marked.map(({ label }) => label) };
    },
    recordsOf: (questions) =>
      mark(questions).map(({ input, clean, served, label, marks }, sequence) => ({
        ...{ sequence, tenant: zooTenant, epoch: zooEpoch, servedAt, modelVersion, input },
        ...{ clean: [...clean], served: [...served], label, marks },
      })),
  };
}

export interface ServingOptions {
  readonly seed: string;
  readonly cache: ModelCache;
  readonly signal: AbortSignal;
  readonly progress: Progress;
}

async function cachedProfile(
  cache: ModelCache,
  content: string,
  seal: () => Promise<ClassifierProfile>,
): Promise<ClassifierProfile> {
  const key = `profile-${createHash('sha256').update(content).digest('hex')}`;
  const known = await cache.read(key);
  if (known !== undefined) return JSON.parse(known) as ClassifierProfile;
  const profile = await seal();
  await cache.write(key, JSON.stringify(profile));
  return profile;
}
