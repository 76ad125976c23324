import { createHash } from 'node:crypto';
import { derivePurposeKey } from '../../src/keys/derivation.ts';
import { ClassifierMarker } from '../../src/watermark/classifier-marker.ts';
import { type ClassifierProfile, carrierShape } from '../../src/watermark/classifier-profile.ts';
import { CarrierBank, carrierSigns } from '../../src/watermark/probability/carriers.ts';
import {
  normalise,
  servingFloor,
  toDistribution,
} from '../../src/watermark/probability/distribution.ts';
import { carrierNgrams, hashNgrams } from '../../src/watermark/probability/features.ts';
import { labels } from '../demo/classifier/languages.ts';
import { loadProtectedModel } from '../demo/classifier/protected-model.ts';
import { drawPools } from '../demo/classifier/snippets.ts';
import { type BenchRow, microsecondsPer } from './measure.ts';

const classes = 24;
const carriers = 256;
const texts = 500;

/** What marking costs per answer, against the bare call of the model whose answers are marked. */
export async function benchEmbedding(): Promise<readonly BenchRow[]> {
  const model = await loadProtectedModel();
  const answers = drawPools('bench', texts).attacker.map(({ text }) => ({
    text,
    clean: restrict(model(text).probabilities ?? []),
    features: hashNgrams(text, carrierNgrams),
  }));
  const profile: ClassifierProfile = {
    schema: 'touchmark/classifier-profile@2',
    labels: labels.slice(0, classes),
    features: { kind: 'text', ngrams: carrierNgrams },
    markedClasses: Array.from({ length: classes / 2 }, (_, index) => 2 * index),
    linearCarriers: carriers,
    fourierCarriers: 0,
    bandwidth: 1,
    smoothStrength: 0.3,
    perQueryStrength: 0.15,
    marginThreshold: 0.05,
  };
  const epochKey = createHash('sha256').update('bench').digest();
  const marker = new ClassifierMarker(epochKey, profile);
  const bank = new CarrierBank(
    derivePurposeKey(epochKey, 'probability-carriers'),
    carrierShape(profile),
  );
  const signs = carrierSigns(derivePurposeKey(epochKey, 'probability-signs'), bank.count);
  const modulate = bank.modulate(signs);

  const bare = microsecondsPer(answers, ({ text }) => model(text));
  const mark = microsecondsPer(answers, ({ text, clean }) => marker.mark(text, clean));
  const features = microsecondsPer(answers, ({ text }) => hashNgrams(text, carrierNgrams));
  const collapsed = microsecondsPer(answers, (answer) => modulate(answer.features));
  const explicit = microsecondsPer(answers, (answer) => explicitSum(bank, signs, answer.features));
  const row = (name: string, value: number, against: string, other: number): BenchRow => ({
    name,
    value,
    unit: 'microseconds per answer',
    ratio: value / other,
    against: `${against}: ${other.toFixed(1)} microseconds`,
  });
  return [
    row(`embed/classifier-${classes}x${carriers}`, mark, 'the bare fastText call', bare),
    row('embed/features', features, 'the whole mark', mark),
    row('embed/carriers-collapsed', collapsed, `the sum over ${carriers} carriers`, explicit),
  ];
}

function restrict(probabilities: ArrayLike<number>): Float64Array {
  const kept = Float64Array.from(probabilities).slice(0, classes);
  return toDistribution(normalise(kept.map((p) => p + servingFloor)), servingFloor);
}

function explicitSum(
  bank: CarrierBank,
  signs: ArrayLike<number>,
  features: Parameters<CarrierBank['evaluate']>[0],
): Float64Array {
  const psi = bank.evaluate(features);
  const shift = new Float64Array(classes);
  for (let j = 0; j < psi.length; j += 1) {
    const amount = (psi[j]! * signs[j]!) / Math.sqrt(psi.length);
    for (let k = 0; k < classes; k += 1) shift[k]! += amount * bank.directions[j * classes + k]!;
  }
  return shift;
}
