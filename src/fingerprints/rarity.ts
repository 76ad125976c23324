import type { Input, TensorInput } from '../contracts.ts';

/**
 * Returns how unlike the others each question is. Texts: the mean surprise -log(share) of its pairs of
 * neighbouring characters; tensors: the mean squared distance from the mean in standard deviations of
 * each value.
 *
 * @param inputs all of one kind and shape
 */
export function rarityOf(inputs: readonly Input[]): number[] {
  const texts = inputs.filter((input) => typeof input === 'string');
  return texts.length > 0
    ? surprises(texts)
    : distances(inputs.filter((input): input is TensorInput => typeof input !== 'string'));
}

function surprises(texts: readonly string[]): number[] {
  const counts = new Map<string, number>();
  let total = 0;
  for (const text of texts) {
    for (const pair of pairsOf(text)) {
      counts.set(pair, (counts.get(pair) ?? 0) + 1);
      total += 1;
    }
  }
  return texts.map((text) => {
    const pairs = pairsOf(text);
    const sum = pairs.reduce((rest, pair) => rest - Math.log(counts.get(pair)! / total), 0);
    return pairs.length > 0 ? sum / pairs.length : 0;
  });
}

function pairsOf(text: string): string[] {
  const characters = [...text];
  return characters.slice(1).map((character, index) => `${characters[index]}${character}`);
}

function distances(tensors: readonly TensorInput[]): number[] {
  const size = tensors[0]?.data.length ?? 0;
  const mean = new Float64Array(size);
  const square = new Float64Array(size);
  for (const { data } of tensors) {
    data.forEach((value, place) => {
      mean[place]! += value / tensors.length;
      square[place]! += (value * value) / tensors.length;
    });
  }
  return tensors.map(({ data }) =>
    data.reduce((sum, value, place) => {
      const variance = square[place]! - mean[place]! ** 2;
      return variance > 1e-12 ? sum + (value - mean[place]!) ** 2 / variance / size : sum;
    }, 0),
  );
}
