import type { Input, Progress } from '../../contracts.ts';
import {
  type ClassifierProfile,
  carrierShape,
  readFeatures,
} from '../../watermark/classifier-profile.ts';
import { type Network, type NetworkOptions, trainNetwork } from './network.ts';

/** A clean student of the protected model, as a baseline for suspects that may be marked ones. */
export interface Twin {
  readonly architecture: string;
  predict(input: Input): Float64Array;
}

/** The owner cannot know what a thief trains, so each twin is of another kind. */
const architectures: Readonly<
  Record<string, Pick<NetworkOptions, 'hidden' | 'epochs' | 'learningRate'>>
> = {
  network: { hidden: 64, epochs: 30, learningRate: 0.015 },
  linear: { hidden: 0, epochs: 30, learningRate: 0.15 },
};

/**
 * Trains one twin of each architecture on questions and the protected model's clean answers.
 *
 * The twins must not depend on what was served: a twin trained on a tenant's questions is a replay
 * twin, and evidence through it assumes that the questions were not chosen from served answers.
 *
 * @param clean one distribution [classes] per input.
 */
export async function trainTwins(
  profile: ClassifierProfile,
  inputs: readonly Input[],
  clean: readonly ArrayLike<number>[],
  progress?: Progress,
): Promise<readonly Twin[]> {
  const rows = inputs.map((input) => readFeatures(profile.features, input));
  const { dimensions } = carrierShape(profile);
  const twins: Twin[] = [];
  for (const [architecture, options] of Object.entries(architectures)) {
    const network: Network = await trainNetwork(
      rows,
      clean,
      { ...options, dimensions, batchSize: 256, seed: `twin/${architecture}` },
      progress && ((_, done, total) => progress(`training the ${architecture} twin`, done, total)),
    );
    twins.push({
      architecture,
      predict: (input) => network(readFeatures(profile.features, input)),
    });
  }
  return twins;
}
