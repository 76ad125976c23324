import { type ClassifierAnswers, enoughAnswers, noAnswer } from '../classifier-answers.ts';
import { closeness } from '../likeness.ts';
import type { ClassifierProbeSet } from '../probe-set.ts';
import type { Quirk } from '../quirk.ts';

const bins = 10;
const quantiles = 20;

/**
 * How sure a model is, and how often it is right when it is that sure: quantiles of its largest
 * probability, the share of questions in each of ten bins of it, and, where the probes say what is
 * right, the share of right answers in each bin (the reliability diagram of DeGroot and Fienberg
 * 1983). A model that leaves a tenth of the questions unanswered says nothing here.
 */
export const confidenceProfile: Quirk<'classify'> = {
  name: 'confidence-profile',
  task: 'classify',
  meaning: 'How sure it is, and how often it is right when it is that sure.',
  extract(answers, probes) {
    const confidences = confidencesOf(answers, probes);
    if (confidences === undefined) return undefined;
    const numbers = new Float64Array(quantiles + 2 * bins);
    if (confidences.length < enoughAnswers * probes.questions.length)
      return numbers.fill(Number.NaN);
    const sorted = confidences.map(({ confidence }) => confidence).sort((a, b) => a - b);
    const levels = Array.from({ length: quantiles }, (_, index) => {
      const place = ((index + 0.5) / quantiles) * (sorted.length - 1);
      return sorted[Math.round(place)] ?? Number.NaN;
    });
    const shares = new Float64Array(bins);
    const right = new Float64Array(bins);
    for (const { confidence, isRight } of confidences) {
      const bin = Math.min(bins - 1, Math.floor(confidence * bins));
      shares[bin]! += 1 / confidences.length;
      if (isRight) right[bin]! += 1 / confidences.length;
    }
    numbers.set([...levels, ...shares, ...right]);
    return numbers;
  },
  compare: closeness,
};

function confidencesOf(
  { labels, probabilities }: ClassifierAnswers,
  { labels: classes, questions }: ClassifierProbeSet,
): { readonly confidence: number; readonly isRight: boolean }[] | undefined {
  if (probabilities === undefined) return undefined;
  return questions.flatMap(({ expected }, question) => {
    const label = labels[question]!;
    if (label === noAnswer) return [];
    const from = question * classes.length;
    let confidence = 0;
    for (let place = from; place < from + classes.length; place += 1)
      confidence = Math.max(confidence, probabilities[place]!);
    return [{ confidence, isRight: label === expected }];
  });
}
