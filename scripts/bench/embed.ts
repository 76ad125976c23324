import { createHash } from 'node:crypto';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { ClassifierMarker, deriveModulation } from '../../src/watermark/classifier-marker.ts';
import type { ClassifierProfile } from '../../src/watermark/classifier-profile.ts';
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
const tenants = 1000;

interface BenchAnswer {
  readonly text: string;
  readonly clean: Float64Array;
  readonly features: ReturnType<typeof hashNgrams>;
}

/**
 * What marking costs per answer, against the bare call of the model whose answers are marked: for
 * one tenant, for many who take turns, and for one whose marker has to be made first.
 */
export async function benchEmbedding(): Promise<readonly BenchRow[]> {
  const model = await loadProtectedModel();
  const answers = textsOf(texts).map((text): BenchAnswer => {
    const clean = restrict(model(text).probabilities ?? []);
    return { text, clean, features: hashNgrams(text, carrierNgrams) };
  });
  const profile = profileOf(answers);
  const streamed: ClassifierProfile = { ...profile, schema: 'touchmark/classifier-profile@1' };
  const marker = new ClassifierMarker(keyOf(0), profile);
  const modulate = deriveModulation(keyOf(0), profile);
  const modulateStreamed = deriveModulation(keyOf(0), streamed);

  const bare = microsecondsPer(answers, ({ text }) => model(text));
  const mark = microsecondsPer(answers, ({ text, clean }) => marker.mark(text, clean));
  const features = microsecondsPer(answers, ({ text }) => hashNgrams(text, carrierNgrams));
  const packed = microsecondsPer(answers, (answer) => modulate(answer.features));
  const collapsed = microsecondsPer(answers, (answer) => modulateStreamed(answer.features));
  const { markers, bytesEach } = makeMarkers(profile, answers[0]!);
  let turn = 0;
  const turns = microsecondsPer(answers, ({ text, clean }) => {
    turn = (turn + 617) % tenants;
    return markers[turn]!.mark(text, clean);
  });
  const first = (sealed: ClassifierProfile) => (answer: BenchAnswer) => {
    turn += 1;
    return new ClassifierMarker(keyOf(turn), sealed).mark(answer.text, answer.clean);
  };
  const made = microsecondsPer(answers.slice(0, 50), first(profile));
  const madeStreamed = microsecondsPer(answers.slice(0, 1), first(streamed));
  const row = (name: string, value: number, against: string, other: number): BenchRow => ({
    name,
    value,
    unit: 'microseconds per answer',
    ratio: value / other,
    against: `${against}: ${other.toFixed(1)} microseconds`,
  });
  return [
    row(`embed/classifier-${classes}x${carriers}`, mark, 'the bare fastText call', bare),
    row(`embed/${tenants}-tenants-in-turn`, turns, 'one tenant', mark),
    row('embed/new-tenant', made, 'under a profile @1', madeStreamed),
    row('embed/features', features, 'the whole mark', mark),
    row('embed/carriers', packed, 'the collapsed matrix of profiles @1', collapsed),
    {
      name: 'embed/memory-per-tenant',
      value: bytesEach / 1024,
      unit: 'KiB',
      ratio: bytesEach / (4 * carrierNgrams.dimensions * classes),
      against: `the collapsed matrix of profiles @1: ${(4 * carrierNgrams.dimensions * classes) / 1024} KiB`,
    },
  ];
}

/** Texts of 80 characters, of two pieces in one language each. */
function textsOf(count: number): readonly string[] {
  const pieces = drawPools('bench', 4 * count).attacker;
  return pieces.slice(0, count).map(({ text, language }, index) => {
    const next = pieces.slice(index + 1).find((each) => each.language === language);
    return `${text} ${next?.text ?? text}`.slice(0, 80);
  });
}

function profileOf(answers: readonly BenchAnswer[]): ClassifierProfile {
  const mean = new Array<number>(carrierNgrams.dimensions).fill(0);
  for (const { features } of answers) {
    features.indices.forEach((feature, entry) => {
      mean[feature]! += features.values[entry]! / answers.length;
    });
  }
  return {
    schema: 'touchmark/classifier-profile@2',
    labels: labels.slice(0, classes),
    features: { kind: 'text', ngrams: carrierNgrams, mean },
    markedClasses: Array.from({ length: classes / 2 }, (_, index) => 2 * index),
    linearCarriers: carriers,
    fourierCarriers: 0,
    bandwidth: 1,
    smoothStrength: 0.3,
    perQueryStrength: 0.15,
    marginThreshold: 0.05,
  };
}

/** Markers that have answered once, and what each holds of the heap and of buffers outside it. */
function makeMarkers(profile: ClassifierProfile, { text, clean }: BenchAnswer) {
  const before = bytesHeld();
  const markers = Array.from({ length: tenants }, (_, tenant) => {
    const marker = new ClassifierMarker(keyOf(tenant), profile);
    marker.mark(text, clean);
    return marker;
  });
  return { markers, bytesEach: (bytesHeld() - before) / tenants };
}

function bytesHeld(): number {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  collect();
  collect();
  const { external, heapUsed } = process.memoryUsage();
  return external + heapUsed;
}

function keyOf(tenant: number): Buffer {
  return createHash('sha256').update(`bench ${tenant}`).digest();
}

function restrict(probabilities: ArrayLike<number>): Float64Array {
  const kept = Float64Array.from(probabilities).slice(0, classes);
  return toDistribution(normalise(kept.map((p) => p + servingFloor)), servingFloor);
}
