import { createHash } from 'node:crypto';
import {
  buildRegionTraps,
  type RegionSource,
} from '../../src/audit/trap-search/build-region-traps.ts';
import { type RegionModels, trainRegionModels } from '../../src/audit/trap-search/region-models.ts';
import type { Classifier, Outcome, Probe, Progress } from '../../src/contracts.ts';
import type { Layers } from '../../src/models/training/layers.ts';
import type { ModelCache } from '../../src/models/training/model-cache.ts';
import { networkVersion } from '../demo/traps/protected-network.ts';
import { readShippedSet, splitsSeed } from '../demo/traps/shipped-set.ts';
import { activityOf } from '../zoo/forward.ts';
import { imageScene } from '../zoo/images.ts';
import { trainIndependents } from '../zoo/independents.ts';
import { type TaskName, trapPowerKinds } from '../zoo/manifest.ts';
import type { Examples, Scene } from '../zoo/scene.ts';
import { folderCache } from '../zoo/school.ts';
import { trainProtected } from '../zoo/subject.ts';
import { trainThieves } from '../zoo/surrogates.ts';
import { textScene } from '../zoo/texts.ts';
import { thirdPartyModels } from '../zoo/third-parties.ts';
import { layersAnswerer, type ZooModel } from '../zoo/zoo-model.ts';
import { measureSet, type SetOutcome } from './measure.ts';

/** One task to be measured. */
export interface SceneJob {
  readonly scene: TaskName;
  readonly seed: string;
  /** Surrogates of each kind. */
  readonly surrogates: number;
  /** References of each kind that the library trains. */
  readonly references: number;
  /** Whether references read as the protected model does, or in the library's own way. */
  readonly reading: 'protected' | 'library';
  /** The sizes of sets, in lots of 50; each is built from every source. */
  readonly lots: readonly number[];
  readonly cache: string;
}

/** What was measured on one task. */
export interface SceneOutcome {
  readonly scene: string;
  readonly seed: string;
  readonly reading: SceneJob['reading'];
  /** Share of ordinary questions on which the protected model is right. */
  readonly accuracy: number;
  readonly sets: readonly SetOutcome[];
  /** Why a source gave no set, or fewer traps, or conspicuous ones. */
  readonly remarks: readonly string[];
}

/** Traps in a lot, where nothing else is said. */
const usualLotSize = 50;

/** Trains all models of a task, builds a set of traps from each source, and audits everybody with it. */
export async function runScene(
  job: SceneJob,
  progress: Progress,
  signal: AbortSignal,
): Promise<SceneOutcome> {
  const { seed } = job;
  const scene = job.scene === 'images' ? imageScene(seed) : textScene(seed);
  const cache = await folderCache(job.cache);
  const layers = await trainProtected(scene, { seed, cache, signal });
  const workshop = { scene, protected: layers, seed, cache, signal, progress };
  const subjects: ZooModel[] = [
    ...(await trainIndependents(workshop, 'count')),
    ...(job.scene === 'languages' ? await thirdPartyModels(scene) : []),
    ...(await trainThieves(workshop, trapPowerKinds, job.surrogates)),
  ];
  const protectedModel = askable(scene, layers, signal, progress);
  const models = await trainModels(scene, protectedModel, {
    ...{ seed, cache, count: job.references, reading: job.reading },
  });
  const sets: SetOutcome[] = [];
  const remarks: string[] = [];
  const sources: readonly RegionSource[] =
    job.scene === 'images' ? ['pool', 'bisection', 'gradient'] : ['pool', 'bisection'];
  for (const source of sources) {
    for (const lots of job.lots) {
      progress(`${source}, ${lots} lots`, 0, 1);
      const { set, why } = await build(scene, models, protectedModel, { seed, source, lots });
      if (why !== undefined) remarks.push(`${scene.name}, ${source}, ${lots} lots: ${why}`);
      if (set !== undefined) sets.push(measureSet(set, scene, subjects, models));
      progress(`${source}, ${lots} lots`, 1, 1);
    }
  }
  if (job.scene === 'languages' && seed === splitsSeed) {
    const shipped = readShippedSet();
    if (shipped.protectedModel.version !== networkVersion(layers)) {
      remarks.push('The shipped set is for another network than the one that was trained here.');
    }
    sets.push({ ...measureSet(shipped, scene, subjects, models), source: 'shipped' });
  }
  const answers = layersAnswerer(scene.views.protected, layers).label(scene.traffic.inputs);
  const right = scene.traffic.labels.filter((label, index) => answers[index] === label).length;
  return {
    scene: scene.name,
    seed,
    reading: job.reading,
    accuracy: right / scene.traffic.labels.length,
    sets,
    remarks,
  };
}

type AskedModel = ReturnType<typeof askable>;

/** Trains the references and simulated surrogates of the scene's owner. */
export function trainModels(
  scene: Scene,
  protectedModel: AskedModel,
  {
    seed,
    cache,
    count,
    reading,
  }: { seed: string; cache: ModelCache; count: number; reading: SceneJob['reading'] },
): Promise<RegionModels> {
  return trainRegionModels({
    protectedModel,
    sameData: named(scene, scene.training),
    otherData: named(scene, scene.other),
    questions: scene.owner,
    referencesPerKind: count,
    ...(reading === 'protected' && scene.features && { features: scene.features }),
    seed: `${seed}/region`,
    cache,
  });
}

/** Builds a set as an owner would, but with salts that are the same every time. */
export function build(
  scene: Scene,
  models: RegionModels,
  protectedModel: AskedModel,
  options: {
    readonly seed: string;
    readonly source: RegionSource;
    readonly lots: number;
    readonly lotSize?: number;
  },
): ReturnType<typeof buildRegionTraps> {
  const { seed, source, lots, lotSize = usualLotSize } = options;
  let salts = 0;
  return buildRegionTraps({
    ...{ protectedModel, models, source, lotSize },
    pool: scene.pool,
    traffic: scene.owner,
    count: lots * lotSize,
    seed: `${seed}/${source}/${lots}`,
    createdAt: '2026-01-01T00:00:00.000Z',
    salt: () => {
      salts += 1;
      return createHash('sha256').update(`${seed} ${source} ${salts}`).digest('hex').slice(0, 32);
    },
  });
}

/** The protected model as a classifier in this process, with a run log in memory. */
export function askable(scene: Scene, layers: Layers, signal: AbortSignal, progress: Progress) {
  const known = new Map<string, Outcome>();
  const classifier: Classifier = {
    describe: async () => ({ name: scene.name, gives: ['labels', 'probabilities'] }),
    classify: async (inputs) => {
      const rows = scene.views.protected.read(inputs);
      return inputs.map((_, row) => {
        const probabilities = [...activityOf(layers, rows, row).probabilities];
        const best = probabilities.indexOf(Math.max(...probabilities));
        return { answer: { label: scene.labels[best]!, probabilities } };
      });
    },
  };
  const runLog = {
    recall: (probe: Probe) => known.get(probe.id),
    record: async (outcomes: readonly { probe: Probe; outcome: Outcome }[]) => {
      for (const { probe, outcome } of outcomes) known.set(probe.id, outcome);
    },
  };
  const { labels, name } = scene;
  return { name, version: '1', classifier, labels, runLog, signal, progress };
}

function named({ labels }: Scene, { inputs, labels: classes }: Examples) {
  return inputs.map((input, index) => ({ input, label: labels[classes[index]!]! }));
}
