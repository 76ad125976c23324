import { z } from 'zod';
import { packFloats, packIntegers, unpackFloats, unpackIntegers } from '../stats/packed-numbers.ts';

/** In place of a class: an answer with a label outside the set, and no answer at all. */
export const outsideLabel = -1;
export const noAnswer = -2;
/** The share of questions that a quirk of all answers together needs. */
export const enoughAnswers = 0.9;
/** In place of a boundary: both ends are answered alike, and an end or a step was not answered. */
export const noCrossing = 2;
export const unknownCrossing = 3;

/** Times that a timed question is asked: the smallest is the least disturbed by the network. */
export const timings = 3;

/** The answers of a classifier as a fingerprint holds them, numbers packed. */
export const classifierAnswersSchema = z.strictObject({
  /** int16: a class for every question, or `outsideLabel`, or `noAnswer`. */
  labels: z.base64(),
  /** float32, row-major [questions, classes]; absent for models that give labels only. */
  probabilities: z.base64().exactOptional(),
  /** int16: a class for each question that was asked again. */
  again: z.base64(),
  /** float32: where the answer changes between the questions of each pair, in 0..1, or `noCrossing`, or `unknownCrossing`. */
  crossings: z.base64(),
  /** float32, row-major [timed questions, 3]: milliseconds of each asking; NaN where it failed. */
  milliseconds: z.base64().exactOptional(),
});

/** The answers of a classifier to a probe set. */
export interface ClassifierAnswers {
  /** A class for every question, or `outsideLabel`, or `noAnswer`. */
  readonly labels: Int16Array;
  /** Row-major [questions, classes]; a question without an answer has equal probabilities. */
  readonly probabilities?: Float32Array;
  readonly again: Int16Array;
  readonly crossings: Float32Array;
  readonly milliseconds?: Float32Array;
}

/** Packs answers. */
export function packAnswers(answers: ClassifierAnswers): z.infer<typeof classifierAnswersSchema> {
  const { labels, probabilities, again, crossings, milliseconds } = answers;
  return {
    labels: packIntegers(labels),
    again: packIntegers(again),
    crossings: packFloats(crossings),
    ...(probabilities && { probabilities: packFloats(probabilities) }),
    ...(milliseconds && { milliseconds: packFloats(milliseconds) }),
  };
}

/** Unpacks answers. @throws RangeError for bytes that are no numbers */
export function unpackAnswers(packed: z.infer<typeof classifierAnswersSchema>): ClassifierAnswers {
  const { labels, probabilities, again, crossings, milliseconds } = packed;
  return {
    labels: unpackIntegers(labels),
    again: unpackIntegers(again),
    crossings: unpackFloats(crossings),
    ...(probabilities !== undefined && { probabilities: unpackFloats(probabilities) }),
    ...(milliseconds !== undefined && { milliseconds: unpackFloats(milliseconds) }),
  };
}
