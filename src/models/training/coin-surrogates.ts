import type { Input, Progress } from '../../contracts.ts';
import { type ClassifierProfile, readFeatures } from '../../watermark/classifier-profile.ts';
import { type Coin, chosenClass } from '../../watermark/label/coins.ts';
import { topTwo } from '../../watermark/probability/distribution.ts';
import type { SparseVector } from '../../watermark/probability/features.ts';
import { trainAveragedPerceptron } from './averaged-perceptron.ts';
import { trainNetwork } from './network.ts';
import { featureDimensions } from './search-features.ts';

/** A question and the answer that a thief got to it. */
export interface StolenAnswer {
  readonly input: Input;
  readonly served: readonly number[];
  readonly label: number;
  /** The coin behind the answer, if one fell. */
  readonly coin: Coin | undefined;
}

/** What one simulated surrogate says where coins fell. */
export interface SurrogateCoins {
  readonly name: string;
  readonly coins: number;
  /** Answers inside the coin's pair, as a share of the coins. */
  readonly insideShare: number;
  /** Answers that repeat the coin, as a share of those inside. */
  readonly repeatedShare: number;
}

type Scores = (features: SparseVector) => ArrayLike<number>;

const training = { hidden: 32, epochs: 15, batchSize: 256, learningRate: 0.03 } as const;
/** A thief of labels takes more features than the owner, where they are hashed. */
const perceptronDimensions = 32_768;

/**
 * Trains three students on questions and served answers, as a thief would, and counts how often each
 * repeats the coins: a network on probabilities, a network on labels, and an averaged perceptron on
 * labels. The same answers give the same students on the same backend.
 *
 * @param answers in served order; at least one with a coin
 * @param progress called after each epoch of a network; may throw to stop
 */
export async function simulateCoinSurrogates(
  { features, labels }: ClassifierProfile,
  answers: readonly StolenAnswer[],
  progress?: Progress,
): Promise<readonly SurrogateCoins[]> {
  const classes = labels.length;
  const rows = answers.map(({ input }) => readFeatures(features, input));
  const dimensions = featureDimensions(features);
  const network = async (name: string, targets: readonly ArrayLike<number>[]) => {
    const options = { ...training, dimensions, seed: `coin-surrogates/${name}` };
    const told: Progress = (_, done, total) =>
      progress?.(`training a ${name} as a thief would`, done, total);
    return countCoins(name, answers, rows, await trainNetwork(rows, targets, options, told));
  };
  const oneHot = answers.map(({ label }) =>
    Array.from({ length: classes }, (_, k) => Number(k === label)),
  );
  return [
    await network(
      'network on probabilities',
      answers.map(({ served }) => served),
    ),
    await network('network on labels', oneHot),
    perceptron({ features, labels }, answers),
  ];
}

function perceptron(
  { features, labels }: Pick<ClassifierProfile, 'features' | 'labels'>,
  answers: readonly StolenAnswer[],
): SurrogateCoins {
  const map =
    features.kind === 'text'
      ? { ...features, ngrams: { ...features.ngrams, dimensions: perceptronDimensions } }
      : features;
  const rows = answers.map(({ input }) => readFeatures(map, input));
  const scores = trainAveragedPerceptron(
    rows,
    answers.map(({ label }) => label),
    {
      dimensions: featureDimensions(map),
      classes: labels.length,
      epochs: 5,
      seed: 'coin-surrogates',
    },
  );
  return countCoins('averaged perceptron on labels', answers, rows, scores);
}

function countCoins(
  name: string,
  answers: readonly StolenAnswer[],
  rows: readonly SparseVector[],
  scores: Scores,
): SurrogateCoins {
  let [coins, inside, repeated] = [0, 0, 0];
  answers.forEach(({ coin }, index) => {
    if (coin === undefined) return;
    coins += 1;
    const [answer] = topTwo(scores(rows[index]!));
    if (answer === coin.top || answer === coin.second) inside += 1;
    if (answer === chosenClass(coin)) repeated += 1;
  });
  return {
    name,
    coins,
    insideShare: coins > 0 ? inside / coins : 0,
    repeatedShare: inside > 0 ? repeated / inside : 0,
  };
}
