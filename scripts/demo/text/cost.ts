import { denseDistribution } from '../../../src/models/language/next-token-model.ts';
import { totalVariation } from '../../../src/watermark/probability/distribution.ts';
import type { ProtectedModel } from '../document.ts';
import type { TextOwner } from './owner.ts';
import type { TextPools } from './pools.ts';

/** What the mark costs where the next token is known: accuracy of the likeliest token, and drift. */
export function costOfTextMark(owner: TextOwner, heldOut: TextPools['heldOut']): ProtectedModel {
  const { model, watermark } = owner;
  const counts = { clean: 0, served: 0, changed: 0 };
  let drift = 0;
  for (const { context, next } of heldOut) {
    const clean = denseDistribution(model, context);
    const logits = clean.map(Math.log);
    watermark.marker({ promptLength: context.length }).mark(logits, context);
    const served = softmax(logits);
    const [cleanBest, servedBest] = [likeliest(clean), likeliest(served)];
    counts.clean += Number(cleanBest === next);
    counts.served += Number(servedBest === next);
    counts.changed += Number(cleanBest !== servedBest);
    drift += totalVariation(clean, served);
  }
  return {
    name: 'interpolated Kneser-Ney 4-gram model of the State of the Union addresses',
    labels: model.vocabularySize,
    accuracyClean: counts.clean / heldOut.length,
    accuracyServed: counts.served / heldOut.length,
    meanTotalVariation: drift / heldOut.length,
    argMaxChangedByProbabilityMark: counts.changed,
  };
}

function softmax(logits: Float32Array): Float64Array {
  const highest = logits.reduce((most, logit) => Math.max(most, logit), -Infinity);
  const weights = Float64Array.from(logits, (logit) => Math.exp(logit - highest));
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return weights.map((weight) => weight / sum);
}

function likeliest(values: ArrayLike<number>): number {
  let best = 0;
  for (let index = 1; index < values.length; index++) {
    if (values[index]! > values[best]!) best = index;
  }
  return best;
}
