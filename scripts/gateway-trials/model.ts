/** The labels of the model that the trials protect. */
export const labels = ['a', 'b', 'c', 'd'] as const;

/** Returns the model's own probabilities of a text: the share of each of its letters. */
export function probabilitiesOf(text: string): number[] {
  const counts = labels.map((label) => text.split(label).length);
  const total = counts.reduce((sum, count) => sum + count, 0);
  return counts.map((count) => count / total);
}

/** Returns what an Open Inference server says to texts. */
export function inferenceReply(texts: readonly string[]): object {
  const data = texts.flatMap(probabilitiesOf);
  const shape = [texts.length, labels.length];
  const probabilities = { name: 'probabilities', datatype: 'FP32', shape, data };
  return { model_name: 'letters', model_version: '1', outputs: [probabilities] };
}
