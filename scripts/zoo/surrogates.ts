import type { Input } from '../../src/contracts.ts';
import type { Layers } from '../../src/models/training/layers.ts';
import { oneHot } from '../../src/models/training/model-families.ts';
import { seededRandom } from '../../src/stats/sampling.ts';
import { prune, roundToFourBits } from './alter.ts';
import { fineTune } from './fine-tune.ts';
import type { SurrogateKind } from './manifest.ts';
import type { View } from './scene.ts';
import { lessonOf } from './school.ts';
import { type Teacher, teacherOf, train, trueLesson, type Workshop } from './subject.ts';
import {
  type Answerer,
  averageOf,
  layersAnswerer,
  neighbourAnswerer,
  type ZooModel,
} from './zoo-model.ts';

/** A model that learnt from the protected model's answers. */
export interface Surrogate extends ZooModel {
  /** What its thief asked the protected model, in order. */
  readonly asked: readonly Input[];
}

const usualQueries = 3500;
const tuningExamples = 500;
/** Where the protected model is linear, a thief who does not know it takes a network like this. */
const usualUnits = 64;
const prunedShares = [0.5, 0.6, 0.7];

/** Trains thieves of some kinds: on answers to the attacker's own questions, with seeds of their own. */
export async function trainThieves(
  workshop: Workshop,
  kinds: readonly SurrogateKind[],
  perKind: number,
): Promise<Surrogate[]> {
  const surrogates: Surrogate[] = [];
  for (const kind of kinds) {
    for (let index = 0; index < perKind; index += 1) {
      const id = `surrogate/${kind.name}/${index}`;
      const seed = `${workshop.seed}/${id}`;
      const asked = questionsOf(workshop, kind, seed);
      surrogates.push({
        ...{ id, truth: 'surrogate', kind: kind.name, familiar: false, asked },
        ...(await steal({ workshop, kind, seed, index }, asked)),
      });
      workshop.progress('training surrogates', surrogates.length, kinds.length * perKind);
    }
  }
  return surrogates;
}

interface Theft {
  readonly workshop: Workshop;
  readonly kind: SurrogateKind;
  readonly seed: string;
  readonly index: number;
}

async function steal(theft: Theft, asked: readonly Input[]): Promise<Answerer> {
  const { workshop, kind, seed, index } = theft;
  const { scene } = workshop;
  const { afterwards } = kind;
  const view = kind.sameArchitecture ? scene.views.protected : scene.views.thief;
  const owner = workshop.served ?? teacherOf(scene.views.protected, workshop.protected);
  if (kind.learner === 'nearest neighbours') {
    const sample = Uint32Array.from(asked.keys());
    return neighbourAnswerer(lessonBy(owner, theft, view, asked), sample, [1, 3, 5, 7][index % 4]!);
  }
  const student = await learn(theft, view, owner, seed, asked);
  if (afterwards === undefined) return layersAnswerer(view, student);
  if (afterwards === 'distil again') {
    const again = `${seed}/again`;
    const questions = questionsOf(workshop, kind, again);
    const second = await learn(theft, view, teacherOf(view, student), again, questions);
    return layersAnswerer(view, second);
  }
  if (afterwards === 'prune')
    return layersAnswerer(view, prune(student, prunedShares[index % prunedShares.length]!));
  if (afterwards === 'round') return layersAnswerer(view, roundToFourBits(student));
  return afterwards === 'tune' ? tuned(theft, view, student) : averaged(theft, view, student);
}

/** Trains a thief's first or second model. */
function learn(
  theft: Theft,
  view: View,
  teacher: Teacher,
  seed: string,
  questions: readonly Input[],
): Promise<Layers> {
  const { workshop, kind } = theft;
  if (kind.learner === 'nearest neighbours') throw new TypeError('neighbours are not trained');
  return train(workshop, lessonBy(teacher, theft, view, questions), {
    ...{ learner: kind.learner, hidden: unitsOf(theft), seed },
    sample: Uint32Array.from(questions.keys()),
  });
}

function lessonBy(
  teacher: Teacher,
  { kind, workshop }: Theft,
  view: View,
  questions: readonly Input[],
) {
  const { probabilities, labels } = teacher(questions);
  const targets = kind.soft ? probabilities : oneHot(labels, workshop.scene.labels.length);
  return lessonOf(view, questions, targets);
}

function unitsOf({ workshop: { scene }, kind, index }: Theft): number {
  const own = kind.sameArchitecture ? scene.units : scene.units || usualUnits;
  return kind.hidden === undefined ? own : kind.hidden[index % kind.hidden.length]!;
}

/** Tunes on a few true labels. */
function tuned({ workshop: { scene }, seed }: Theft, view: View, student: Layers): Answerer {
  const { inputs, labels } = scene.attacker;
  const { rows } = trueLesson(scene, view, scene.attacker);
  const count = Math.min(tuningExamples, inputs.length);
  const sample = Uint32Array.from(seededRandom(`${seed}/truth`).choose([...inputs.keys()], count));
  const options = { sample, epochs: 5, learningRate: 0.02, seed };
  return layersAnswerer(view, fineTune(student, rows, labels, options));
}

/** Averages with a model of the thief's own, which learnt from true labels alone. */
async function averaged(theft: Theft, view: View, student: Layers): Promise<Answerer> {
  const { workshop, seed } = theft;
  const { scene } = workshop;
  const { inputs } = scene.attacker;
  const random = seededRandom(`${seed}/own data`);
  const size = Math.min(usualQueries, inputs.length);
  const own = await train(workshop, trueLesson(scene, view, scene.attacker), {
    ...{ learner: 'network', hidden: unitsOf(theft), seed: `${seed}/own` },
    sample: Uint32Array.from(random.choose([...inputs.keys()], size)),
  });
  return averageOf([layersAnswerer(view, student), layersAnswerer(view, own)], scene.labels.length);
}

function questionsOf({ scene }: Workshop, kind: SurrogateKind, seed: string): readonly Input[] {
  const random = seededRandom(`${seed}/questions`);
  const { inputs } = scene.attacker;
  const count = Math.min(kind.queries ?? usualQueries, Math.floor(inputs.length * 0.9));
  if (kind.asks === 'foreign') return scene.foreign(count, `${seed}/questions`);
  const chosen = random.choose(inputs, count);
  if (kind.asks !== 'mixtures') return chosen;
  return chosen.map((input) =>
    scene.mix(input, inputs[random.integer(inputs.length)]!, 0.3 + 0.4 * random.uniform()),
  );
}
