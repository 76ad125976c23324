import type { Input } from '../../src/contracts.ts';
import { createLabelMatcher, type LabelMatcher } from '../../src/models/adapters/label-mapping.ts';
import { seededRandom } from '../../src/stats/sampling.ts';
import { loadThirdParties, type ThirdParty } from '../demo/classifier/independents.ts';
import type { Scene } from './scene.ts';
import type { Answerer, ZooModel } from './zoo-model.ts';

/** Six language identifiers that other people made from other data, as independents. */
export async function thirdPartyModels({ labels }: Scene): Promise<ZooModel[]> {
  const match = createLabelMatcher(labels);
  return (await loadThirdParties()).map(repeatable).map(({ name, server }) => ({
    id: `third party/${name}`,
    truth: 'other-data independent',
    kind: 'third party',
    familiar: false,
    label: (inputs) =>
      inputs.map((input) => {
        const { label } = server.predict(String(input));
        return label === null ? undefined : match(label);
      }),
    ...(server.labels && { probabilities: projected(server, server.labels, match, labels.length) }),
  }));
}

/**
 * langdetect draws n-grams with Math.random: each text gets draws of its own, so that the same
 * question has the same answer in every run.
 */
function repeatable(party: ThirdParty): ThirdParty {
  if (party.name !== 'langdetect') return party;
  const predict: typeof party.server.predict = (text) => {
    const { random } = Math;
    Math.random = seededRandom(text).uniform;
    try {
      return party.server.predict(text);
    } finally {
      Math.random = random;
    }
  };
  return { ...party, server: { ...party.server, predict } };
}

/** Adds up the probabilities of labels that meet in one of ours, as the adapters do. */
function projected(
  { predict }: ThirdParty['server'],
  theirs: readonly string[],
  match: LabelMatcher,
  classes: number,
): Required<Answerer>['probabilities'] {
  const places = theirs.map(match);
  return (inputs: readonly Input[]) => {
    const rows = new Float32Array(inputs.length * classes);
    inputs.forEach((input, row) => {
      const { probabilities = [] } = predict(String(input));
      places.forEach((place, column) => {
        if (place !== undefined) rows[row * classes + place]! += probabilities[column] ?? 0;
      });
    });
    return rows;
  };
}
