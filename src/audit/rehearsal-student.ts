import { createHash } from 'node:crypto';
import type { Classifier, Evidence, Input, Outcome, ServedRecord } from '../contracts.ts';
import { classifierKeys } from '../keys/classifier-keys.ts';
import { type Layers, probabilitiesOf } from '../models/training/layers.ts';
import { type ModelFamily, oneHot, trainFamily } from '../models/training/model-families.ts';
import { featureDimensions, readRows } from '../models/training/search-features.ts';
import { seededRandom } from '../stats/sampling.ts';
import { ClassifierMarker } from '../watermark/classifier-marker.ts';
import { topTwo } from '../watermark/probability/distribution.ts';
import { conductAudit } from './conduct.ts';
import type { AnswerShape, RehearsedStudent } from './rehearsal.ts';
import type { RehearsalGround } from './rehearsal-ground.ts';
import { type RehearsalLog, rehearsalMaterial } from './rehearsal-material.ts';
import { keyedScore } from './score.ts';

/** One student to train and audit, under a key of its own. */
export interface StudentJob {
  /** Controls learn nothing of the key that they are audited under. */
  readonly part: 'surrogate' | 'control';
  readonly family: ModelFamily;
  /** Served answers, all with different questions. */
  readonly answers: number;
  readonly index: number;
}

/** What an audit of a student came to. */
export interface AuditedStudent extends RehearsedStudent {
  readonly logged: number;
  readonly coins: number;
}

export interface StudentOptions {
  readonly shape: AnswerShape;
  readonly seed: string;
  readonly freshProbes: number;
  readonly loggedProbes: number;
  /** Coins that an audit shows: those among its logged questions, or this many of the whole log. */
  readonly coins: 'all' | number;
  readonly questionsNotChosenFromAnswers: boolean;
  /** Looked at while a student is trained, which takes about a second. */
  readonly signal: AbortSignal;
}

/** Returns what names a job, in work files and for its draws. */
export function nameOf({ part, family, answers, index }: StudentJob): string {
  return `${part}/${answers}/${family}/${index}`;
}

/**
 * Serves a student random questions of the ground, marked under a dummy key that never serves anybody,
 * trains it on the answers, and audits it in this process with every keyed test of an audit.
 *
 * Replay twins, one pair for each student, would take longer than all else: where the owner vouches
 * for their test, it counts as an e-value of 0, the least that it could give.
 */
export async function rehearseStudent(
  ground: RehearsalGround,
  job: StudentJob,
  options: StudentOptions,
): Promise<AuditedStudent> {
  const { seed, shape } = options;
  const own = `${seed}/${nameOf(job)}`;
  const random = seededRandom(own);
  const asked = random.choose([...Array(ground.questions).keys()], job.answers);
  const epochKey = createHash('sha256').update(`touchmark rehearsal key ${own}`).digest();
  const records = serve(ground, epochKey, asked);
  const layers = await train(ground, job, { asked, records, own, ...options });
  const log: RehearsalLog = {
    ground,
    keys: classifierKeys(epochKey),
    name: own,
    asked,
    records,
    fresh: chooseFresh(ground, options.freshProbes, own),
  };
  const material = rehearsalMaterial(log, options);
  const { evidence } = await conductAudit({
    material,
    suspect: suspectOf(ground, layers, shape),
    gives: givesOf(shape),
    runLog: { recall: () => undefined, record: async () => undefined },
    batchSize: 1024,
    disguise: { seed: own, coverPerTrap: 0, pauseMilliseconds: 0 },
    signal: new AbortController().signal,
  });
  return {
    family: job.family,
    bans: Math.max(-1000, Number(keyedScore(evidence.map(withoutReplay)).toFixed(6))),
    logged: material.logged.length,
    coins: material.coins.length,
  };
}

function withoutReplay(evidence: Evidence): Evidence {
  if (evidence.test !== 'probability-signs-replay') return evidence;
  return { ...evidence, status: 'done', log10E: Number.NEGATIVE_INFINITY };
}

function serve(
  { profile, inputs, clean }: RehearsalGround,
  epochKey: Uint8Array,
  asked: readonly number[],
): ServedRecord[] {
  const marker = new ClassifierMarker(epochKey, profile);
  return asked.map((place, sequence) => {
    const input = inputs[place]!;
    const { served, label, marks } = marker.mark(input, clean[place]!);
    return {
      ...{ sequence, tenant: 'rehearsal', epoch: 'rehearsal', modelVersion: 'rehearsal' },
      servedAt: '2000-01-01T00:00:00.000Z',
      ...{ input, clean: [...clean[place]!], served: [...served], label, marks },
    };
  });
}

interface Lesson extends Pick<StudentOptions, 'shape' | 'signal'> {
  readonly asked: readonly number[];
  readonly records: readonly ServedRecord[];
  readonly own: string;
}

function train(
  { profile, features, rows, clean, inputs, labelled }: RehearsalGround,
  { part, family, answers }: StudentJob,
  { shape, asked, records, own, signal }: Lesson,
): Promise<Layers> {
  const classes = profile.labels.length;
  const common = {
    dimensions: featureDimensions(features),
    classes,
    signed: features.kind === 'tensor',
  };
  if (part === 'control' && labelled.length > 0) {
    const size = Math.min(answers, labelled.length);
    const examples = seededRandom(`${own}/labelled`).choose(labelled, size);
    return trainFamily(
      family,
      {
        ...common,
        rows: readRows(
          features,
          examples.map(({ input }) => input),
        ),
        targets: oneHot(
          examples.map(({ label }) => label),
          classes,
        ),
      },
      { seed: own, sample: Uint32Array.from(examples.keys()), signal },
    );
  }
  const targets = new Float32Array(inputs.length * classes);
  asked.forEach((place, at) => {
    const { served, label } = records[at]!;
    const answer = part === 'control' ? clean[place]! : served;
    const told = part === 'control' ? topTwo(answer)[0] : label;
    if (shape === 'probabilities') targets.set(answer, place * classes);
    else targets[place * classes + told] = 1;
  });
  const data = { ...common, rows, targets };
  return trainFamily(family, data, { seed: own, sample: Uint32Array.from(asked), signal });
}

function chooseFresh({ inputs, questions }: RehearsalGround, most: number, own: string): number[] {
  const pool = [...inputs.keys()].slice(questions);
  return seededRandom(`${own}/fresh`).choose(pool, Math.min(pool.length, most));
}

function givesOf(shape: AnswerShape): readonly AnswerShape[] {
  return shape === 'labels' ? ['labels'] : ['labels', 'probabilities'];
}

function suspectOf(
  { profile: { labels }, inputs, rows }: RehearsalGround,
  layers: Layers,
  shape: AnswerShape,
): Classifier {
  const places = new Map<Input, number>(inputs.map((input, place) => [input, place]));
  const [probabilities] = probabilitiesOf([layers], rows) as [Float32Array];
  const answer = (input: Input): Outcome => {
    const from = places.get(input)! * labels.length;
    const row = Array.from(probabilities.subarray(from, from + labels.length));
    const label = labels[topTwo(row)[0]]!;
    return { answer: shape === 'labels' ? { label } : { label, probabilities: row } };
  };
  return {
    describe: async () => ({ name: 'student', gives: givesOf(shape) }),
    classify: async (asked) => asked.map(answer),
  };
}
