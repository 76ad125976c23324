import { getLIDModel } from 'fasttext.wasm.js';
import { labels } from './languages.ts';
import type { Prediction } from './model-server.ts';

/** fastText's answers over all its languages, as the wrapper's WebAssembly core returns them. */
interface Predictions {
  size(): number;
  get(index: number): readonly [probability: number, label: string];
  delete(): void;
}

const allLanguages = 176;
const prefix = '__label__';

/** Loads fastText's language identifier (Joulin et al. 2016), restricted to the demonstration's labels. */
export async function loadProtectedModel(): Promise<(text: string) => Prediction> {
  const identifier = await getLIDModel();
  await identifier.load();
  const core = identifier.model as unknown as {
    predict(text: string, count: number, threshold: number): Predictions;
  };
  return (text) => {
    const probabilities = new Float64Array(labels.length);
    const predictions = core.predict(text, allLanguages, 0);
    for (let index = 0; index < predictions.size(); index += 1) {
      const [probability, label] = predictions.get(index);
      const place = labels.indexOf(label.slice(prefix.length));
      if (place >= 0) probabilities[place] = probability;
    }
    predictions.delete();
    return restricted(probabilities);
  };
}

function restricted(probabilities: Float64Array): Prediction {
  const total = probabilities.reduce((sum, value) => sum + value, 0);
  const shares =
    total > 0
      ? probabilities.map((value) => value / total)
      : probabilities.fill(1 / probabilities.length);
  const best = shares.reduce((top, value, index) => (value > shares[top]! ? index : top), 0);
  return { label: labels[best]!, probabilities: shares };
}
