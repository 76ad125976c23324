import type { Input } from '../../src/contracts.ts';
import type { SeededRandom } from '../../src/stats/sampling.ts';
import {
  type ClassifierProfile,
  carrierShape,
  readFeatures,
} from '../../src/watermark/classifier-profile.ts';
import { softmax } from '../../src/watermark/probability/distribution.ts';

/** A small synthetic classification task: its inputs, and how answers to them are marked. */
export interface Task {
  readonly profile: ClassifierProfile;
  draw(random: SeededRandom): Input;
  /** An input that resembles another one. */
  near(input: Input, random: SeededRandom): Input;
  /** The same canonical input in another spelling: NFD for text, -0 for a tensor's zeros. */
  respell(input: Input): Input;
}

/** The logits of a model [classes] for an input. */
export type Logits = (input: Input) => Float64Array;

const labels = ['a', 'b', 'c', 'd', 'e', 'f'];
const size = 8;
const hiddenUnits = 6;
const letters = [...'aeioubcdlmnrst éüñçå'];

const marking = {
  schema: 'touchmark/classifier-profile@2',
  labels,
  markedClasses: [0, 2, 3, 5],
  bandwidth: 0.7,
  smoothStrength: 0.3,
  perQueryStrength: 0.15,
  marginThreshold: 0.4,
} as const;

/** Tensors of eight values, one of them zero, read by linear and Fourier carriers. */
export const tensorTask: Task = {
  profile: {
    ...marking,
    linearCarriers: 16,
    fourierCarriers: 8,
    features: {
      kind: 'tensor',
      shape: [size],
      mean: new Array<number>(size).fill(0),
      deviation: new Array<number>(size).fill(1),
    },
  },
  draw: (random) => tensor((index) => (index === 0 ? 0 : random.normal())),
  near: (input, random) =>
    tensor((index) => (index === 0 ? 0 : valuesOf(input)[index]! + random.normal() / 10)),
  respell: (input) => tensor((index) => (index === 0 ? -0 : valuesOf(input)[index]!)),
};

/** Texts of 6 to 12 letters, some with accents, read through 64 hashed n-grams. */
export const textTask: Task = {
  profile: {
    ...marking,
    linearCarriers: 40,
    fourierCarriers: 0,
    features: {
      kind: 'text',
      ngrams: { dimensions: 64, shortest: 1, longest: 2, seed: 0 },
    },
  },
  draw: (random) =>
    Array.from({ length: 6 + random.integer(7) }, () => letter(random))
      .join('')
      .concat('é'),
  near: (input, random) => {
    const text = [...String(input)];
    text[random.integer(text.length)] = letter(random);
    return text.join('');
  },
  respell: (input) => String(input).normalize('NFD'),
};

/** Draws a smooth model: a linear part and a layer of six hidden units, with logits of about 2. */
export function drawModel(task: Task, random: SeededRandom): Logits {
  const { classes, dimensions } = carrierShape(task.profile);
  const table = (rows: number, columns: number, scale: number) =>
    Float64Array.from({ length: rows * columns }, () => random.normal() * scale);
  const linear = table(dimensions, classes, 1.6);
  const inner = table(dimensions, hiddenUnits, 2);
  const outer = table(hiddenUnits, classes, 0.8);
  return (input) => {
    const { indices, values } = readFeatures(task.profile.features, input);
    const logits = new Float64Array(classes);
    const hidden = new Float64Array(hiddenUnits);
    for (let entry = 0; entry < indices.length; entry += 1) {
      const feature = indices[entry]!;
      const value = values[entry]!;
      for (let k = 0; k < classes; k += 1) logits[k]! += value * linear[feature * classes + k]!;
      for (let h = 0; h < hiddenUnits; h += 1)
        hidden[h]! += value * inner[feature * hiddenUnits + h]!;
    }
    for (let h = 0; h < hiddenUnits; h += 1) {
      const activation = Math.tanh(hidden[h]!);
      for (let k = 0; k < classes; k += 1) logits[k]! += activation * outer[h * classes + k]!;
    }
    return logits;
  };
}

/** A model that shares the part `likeness` of its variance with another one. */
export function blend(known: Logits, own: Logits, likeness: number): Logits {
  const rest = Math.sqrt(1 - likeness * likeness);
  return (input) => {
    const other = own(input);
    return known(input).map((value, k) => likeness * value + rest * other[k]!);
  };
}

export function probabilities(logits: Logits, temperature = 1): (input: Input) => Float64Array {
  return (input) => softmax(logits(input).map((value) => value / temperature));
}

function tensor(value: (index: number) => number): Input {
  return { shape: [size], data: Float32Array.from({ length: size }, (_, index) => value(index)) };
}

function valuesOf(input: Input): Float32Array {
  if (typeof input === 'string') throw new TypeError(`${input} is no tensor`);
  return input.data;
}

function letter(random: SeededRandom): string {
  return letters[random.integer(letters.length)]!;
}
