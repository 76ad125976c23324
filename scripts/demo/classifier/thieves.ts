import type { Progress } from '../../../src/contracts.ts';
import { trainAveragedPerceptron } from '../../../src/models/training/averaged-perceptron.ts';
import { fitNaiveBayes } from '../../../src/models/training/naive-bayes.ts';
import { trainNetwork } from '../../../src/models/training/network.ts';
import { hashNgrams, type NgramOptions } from '../../../src/watermark/probability/features.ts';
import { labels } from './languages.ts';
import type { Prediction } from './model-server.ts';

/** What an attacker holds after its campaign: its questions and the answers it got. */
export interface StolenAnswers {
  readonly texts: readonly string[];
  readonly probabilities: readonly (readonly number[])[];
  readonly labels: readonly number[];
}

type Predict = (text: string) => Prediction;

/** The attacker's own features; their hash and size are not the owner's. */
const ngrams = (dimensions: number): NgramOptions => ({
  dimensions,
  shortest: 1,
  longest: 4,
  seed: 77,
});

/** Trains a soft-label network, or with `hidden: 0` a soft-label linear model, on stolen answers. */
export async function trainSoftStudent(
  stolen: Pick<StolenAnswers, 'texts' | 'probabilities'>,
  options: { readonly hidden: number; readonly seed: string },
  progress: Progress,
): Promise<Predict> {
  const features = ngrams(4096);
  const network = await trainNetwork(
    stolen.texts.map((text) => hashNgrams(text, features)),
    stolen.probabilities,
    {
      dimensions: features.dimensions,
      hidden: options.hidden,
      epochs: 40,
      batchSize: 256,
      learningRate: options.hidden > 0 ? 0.015 : 0.15,
      seed: options.seed,
    },
    progress,
  );
  return (text) => {
    const probabilities = network(hashNgrams(text, features));
    return { label: labels[argMax(probabilities)]!, probabilities };
  };
}

/** Trains an averaged perceptron over 32,768 hashed n-grams on stolen labels. */
export function trainLabelThief(stolen: StolenAnswers, seed: string): Predict {
  const features = ngrams(32_768);
  const score = trainAveragedPerceptron(
    stolen.texts.map((text) => hashNgrams(text, features)),
    stolen.labels,
    { dimensions: features.dimensions, classes: labels.length, epochs: 10, seed },
  );
  return (text) => ({ label: labels[argMax(score(hashNgrams(text, features)))]! });
}

/** Fits a small naive Bayes over 4,096 hashed n-grams on stolen labels. */
export function trainSmallNaiveBayes(stolen: StolenAnswers): Predict {
  const features = ngrams(4096);
  const score = fitNaiveBayes(
    stolen.texts.map((text) => hashNgrams(text, features)),
    stolen.labels,
    { dimensions: features.dimensions, classes: labels.length, smoothing: 0.01 },
  );
  return (text) => ({ label: labels[argMax(score(hashNgrams(text, features)))]! });
}

export function argMax(values: ArrayLike<number>): number {
  let best = 0;
  for (let index = 1; index < values.length; index += 1) {
    if (values[index]! > values[best]!) best = index;
  }
  return best;
}
