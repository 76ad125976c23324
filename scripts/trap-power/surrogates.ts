import type { Input } from '../../src/contracts.ts';
import type { Layers } from '../../src/models/training/layers.ts';
import { hardLabels, oneHot } from '../../src/models/training/model-families.ts';
import { seededRandom } from '../../src/stats/sampling.ts';
import { fineTune } from './fine-tune.ts';
import { probabilitiesOf } from './forward.ts';
import type { View } from './scene.ts';
import {
  type Curriculum,
  type Labeller,
  labellerOf,
  lessonOf,
  neighbourLabeller,
} from './school.ts';
import { type Subject, train, trueLesson, type Workshop } from './subject.ts';

/** How thieves of one kind go about it. */
interface Kind {
  readonly name: string;
  /** Whether they learn from probabilities; from labels otherwise. */
  readonly soft: boolean;
  readonly learner: Curriculum['learner'] | 'nearest neighbours';
  /** Units of the hidden layer for each of some thieves in turn. */
  readonly hidden?: readonly number[];
  /** Whether they read inputs as the protected model does. */
  readonly sameView?: boolean;
  readonly queries?: number;
  readonly asks?: 'traffic' | 'mixtures';
  /** What becomes of the first model. */
  readonly afterwards?: 'distil again' | 'tune';
}

const usual = 3500;
const few = 1000;
const tuningExamples = 500;

const both = (name: string, rest: Omit<Kind, 'name' | 'soft' | 'learner'>): Kind[] =>
  [true, false].map((soft) => ({
    ...{ name: `${name}, ${soft ? 'probabilities' : 'labels'}`, soft, learner: 'network' },
    ...rest,
  }));

const kinds: readonly Kind[] = [
  ...both('same architecture', { sameView: true }),
  ...both('own features', {}),
  ...both('smaller network', { hidden: [16, 20, 28, 32] }),
  ...both('larger network', { hidden: [160, 192, 224] }),
  ...both('linear', { hidden: [0] }),
  ...both(`${few} queries`, { queries: few }),
  ...both('mixed queries', { asks: 'mixtures' }),
  ...both('distilled twice', { afterwards: 'distil again' }),
  ...both('tuned on the truth', { afterwards: 'tune' }),
  ...(['random features', 'perceptron', 'naive-bayes', 'nearest neighbours'] as const).map(
    (learner) => ({ name: `${learner.replace('-b', ' B')}, labels`, soft: false, learner }),
  ),
];

/** Trains thieves of every kind: on answers to the attacker's own questions, with seeds of their own. */
export async function trainThieves(workshop: Workshop, perKind: number): Promise<Subject[]> {
  const subjects: Subject[] = [];
  for (const kind of kinds) {
    for (let index = 0; index < perKind; index += 1) {
      const name = `surrogate/${kind.name}/${index}`;
      subjects.push({
        name,
        truth: 'surrogate',
        kind: kind.name,
        familiar: false,
        label: await steal(workshop, kind, `${workshop.seed}/${name}`, index),
      });
      workshop.progress('training surrogates', subjects.length, kinds.length * perKind);
    }
  }
  return subjects;
}

interface Teacher {
  readonly view: View;
  readonly layers: Layers;
}

async function steal(
  workshop: Workshop,
  kind: Kind,
  seed: string,
  index: number,
): Promise<Labeller> {
  const { scene } = workshop;
  const view = kind.sameView ? scene.views.protected : scene.views.thief;
  const owner = { view: scene.views.protected, layers: workshop.protected };
  const student = await learn(workshop, kind, view, owner, seed, index);
  if (typeof student === 'function') return student;
  if (kind.afterwards === undefined) return labellerOf(view, student);
  if (kind.afterwards === 'distil again') {
    const teacher = { view, layers: student };
    const again = await learn(workshop, kind, view, teacher, `${seed}/again`, index);
    return labellerOf(view, again as Layers);
  }
  const { rows } = trueLesson(scene, view, scene.attacker);
  const sample = Uint32Array.from(
    seededRandom(`${seed}/truth`).choose([...scene.attacker.inputs.keys()], tuningExamples),
  );
  const tuned = fineTune(student, rows, scene.attacker.labels, {
    ...{ sample, epochs: 5, learningRate: 0.02, seed },
  });
  return labellerOf(view, tuned);
}

async function learn(
  workshop: Workshop,
  kind: Kind,
  view: View,
  teacher: Teacher,
  seed: string,
  index: number,
): Promise<Layers | Labeller> {
  const { scene } = workshop;
  const classes = scene.labels.length;
  const questions = questionsOf(workshop, kind, seed);
  const answers = probabilitiesOf(teacher.layers, teacher.view.read(questions));
  const targets = kind.soft ? answers : oneHot(hardLabels(answers, classes), classes);
  const lesson = lessonOf(view, questions, targets);
  const sample = Uint32Array.from(questions.keys());
  if (kind.learner === 'nearest neighbours') {
    return neighbourLabeller(lesson, sample, [1, 3, 5, 7][index % 4]!);
  }
  const { learner, hidden = [scene.units] } = kind;
  const units = hidden[index % hidden.length]!;
  return train(workshop, lesson, { learner, hidden: units, seed, sample });
}

function questionsOf({ scene }: Workshop, kind: Kind, seed: string): Input[] {
  const random = seededRandom(`${seed}/questions`);
  const { inputs } = scene.attacker;
  const count = Math.min(kind.queries ?? usual, Math.floor(inputs.length * 0.9));
  const chosen = random.choose(inputs, count);
  if (kind.asks !== 'mixtures') return chosen;
  return chosen.map((input) =>
    scene.mix(input, inputs[random.integer(inputs.length)]!, 0.3 + 0.4 * random.uniform()),
  );
}
