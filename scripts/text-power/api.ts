/** Marks through an API that its user does not control: what they show, and what they cost. */
import type { Progress } from '../../src/contracts.ts';
import { trainKneserNey } from '../../src/models/language/kneser-ney.ts';
import { chooseDraft } from '../../src/watermark/text/api/choose-draft.ts';
import {
  type BiasedChoice,
  biasForVariation,
  chooseBiasedTokens,
  type UnmarkedAnswer,
} from '../../src/watermark/text/api/choose-tokens.ts';
import { TextDetector } from '../../src/watermark/text/detect.ts';
import type { TextProfile } from '../../src/watermark/text/profile.ts';
import type { TextWatermark } from '../../src/watermark/text/watermark.ts';
import { MeasuringMarker } from './measuring-marker.ts';
import { outputOf, type Scene } from './scenes.ts';

/** A list of biased tokens, and what a thousand tokens of marked answers show. */
export interface BiasedRow {
  readonly name: string;
  readonly tokens: number;
  readonly bias: number;
  /** Means over keys: -log10 p and log10 E of 1,000 tokens in answers of 100. */
  readonly bans: number;
  readonly log10E: number;
  /** Mean total variation of the distributions that are drawn from, and its bound to first order. */
  readonly variation: number;
  readonly variationBound: number;
  /** -log10 p of 1,000 tokens of a student that learned from 40,000 marked ones. */
  readonly student: number | null;
}

/** A number of drafts, and what answers of 100 tokens show that were chosen among them. */
export interface DraftRow {
  readonly name: string;
  readonly drafts: number;
  /** -log10 p of 100 answers together, for one answer. */
  readonly bansPerAnswer: number;
  /** -log10 p of 10,000 tokens of a student that learned from 400 chosen answers. */
  readonly student: number;
}

type Scheme = TextProfile['scheme'];

const answerLength = 100;
const answersPerSample = 10;
const sampleAnswers = 500;
const keys = 10;
const studentAnswers = 400;
const servedAnswers = 100;
const draftCounts = [1, 2, 4, 8];
const budgets = [0.03, 0.1];

/** Chooses lists from unmarked answers and measures each limit at each difference of logits. */
export async function measureBiased(scene: Scene, progress: Progress): Promise<BiasedRow[]> {
  const rows: BiasedRow[] = [];
  const sample = await unmarkedAnswers(scene, progress);
  for (const [name, limit] of [
    ['300', 300],
    ['1,024', 1024],
    ['full', Infinity],
  ] as const) {
    const choice = chooseBiasedTokens(sample, limit);
    const biases = [
      ...budgets.map((budget) => biasForVariation(budget, choice)),
      ...[1, 2, 4].map((delta) => delta / 2),
    ];
    for (const bias of biases) {
      rows.push(await measureList(scene, { name, choice, bias }, progress));
    }
  }
  return rows;
}

/** Measures marks by the choice among drafts, under contexts of several widths and none. */
export async function measureDrafts(scene: Scene, progress: Progress): Promise<DraftRow[]> {
  const choice = chooseBiasedTokens(await unmarkedAnswers(scene, progress), 1024);
  const pool = await draftPool(scene, progress);
  const rows: DraftRow[] = [];
  const cases: readonly (readonly [string, Scheme, number])[] = [
    ['gumbel, context 4', { name: 'gumbel' }, 4],
    ['gumbel, context 1', { name: 'gumbel' }, 1],
    ['fixed green list', { name: 'fixed-green-list', gamma: 0.5, delta: 2 }, 0],
    ['biased list 1,024', { name: 'biased-list', bias: 1, tokens: [...choice.tokens] }, 0],
  ];
  for (const [name, scheme, width] of cases) {
    for (const drafts of draftCounts) {
      rows.push(await measureChosen(scene, { name, scheme, width, drafts, pool }));
      progress(`drafts: ${name}`, drafts, draftCounts.at(-1)!);
    }
  }
  return rows;
}

async function unmarkedAnswers(scene: Scene, progress: Progress): Promise<UnmarkedAnswer[]> {
  const answers = await speak(scene, 'api/unmarked', sampleAnswers, progress);
  return answers.map((tokens) => ({ tokens }));
}

async function measureList(
  scene: Scene,
  { name, choice, bias }: { name: string; choice: BiasedChoice; bias: number },
  progress: Progress,
): Promise<BiasedRow> {
  const scheme: Scheme = { name: 'biased-list', bias, tokens: [...choice.tokens] };
  const measures = { entropy: 0, variation: 0, steps: 0 };
  let [bans, log10E] = [0, 0];
  for (let key = 0; key < keys; key++) {
    const watermark = scene.watermark(scheme, `api/${key}`, 0);
    const texts = await speak(
      scene,
      `api/marked/${key}`,
      answersPerSample,
      progress,
      (length) => new MeasuringMarker(watermark.marker({ promptLength: length }), measures),
    );
    const detection = detect(watermark, texts);
    bans -= detection.log10P / keys;
    log10E += detection.log10E / keys;
  }
  const row = {
    name,
    tokens: choice.tokens.length,
    bias,
    bans,
    log10E,
    variation: measures.variation / measures.steps,
    variationBound: Math.min(Math.tanh(bias / 2), (bias / 2) * Math.sqrt(choice.freedom)),
  };
  if (name !== '1,024') return { ...row, student: null };
  const watermark = scene.watermark(scheme, 'api/student', 0);
  const lessons = await speak(scene, 'api/lessons', studentAnswers, progress, (promptLength) =>
    watermark.marker({ promptLength }),
  );
  return { ...row, student: await readStudent(scene, watermark, lessons, answersPerSample) };
}

/** Drafts of each answer, unmarked; the first `m` of them serve a choice among m. */
async function draftPool(scene: Scene, progress: Progress): Promise<readonly Int32Array[][]> {
  const pool: Int32Array[][] = [];
  for (let draft = 0; draft < draftCounts.at(-1)!; draft++) {
    pool.push(await speak(scene, 'api/drafts', studentAnswers, progress, undefined, `${draft}`));
  }
  return pool;
}

async function measureChosen(
  scene: Scene,
  {
    name,
    scheme,
    width,
    drafts,
    pool,
  }: {
    name: string;
    scheme: Scheme;
    width: number;
    drafts: number;
    pool: readonly Int32Array[][];
  },
): Promise<DraftRow> {
  let bansPerAnswer = 0;
  const watermarks = Array.from({ length: studentAnswers / servedAnswers }, (_, key) =>
    scene.watermark(scheme, `drafts/${key}`, width),
  );
  for (const [at, watermark] of watermarks.entries()) {
    const first = at * servedAnswers;
    const served = chooseAll(watermark, pool, drafts, first, first + servedAnswers);
    const { log10P } = detect(watermark, served);
    bansPerAnswer -= log10P / servedAnswers / watermarks.length;
  }
  const lessons = chooseAll(watermarks[0]!, pool, drafts, 0, studentAnswers);
  const student = await readStudent(scene, watermarks[0]!, lessons, 10 * answersPerSample);
  return { name, drafts, bansPerAnswer, student };
}

function chooseAll(
  watermark: TextWatermark,
  pool: readonly Int32Array[][],
  drafts: number,
  from: number,
  to: number,
): Int32Array[] {
  return Array.from({ length: to - from }, (_, index) => {
    const choices = pool.slice(0, drafts).map((answers) => ({ tokens: answers[from + index]! }));
    return choices[chooseDraft(watermark, choices).index]!.tokens;
  });
}

/** -log10 p of what a student says that learned from some answers. */
async function readStudent(
  scene: Scene,
  watermark: TextWatermark,
  lessons: readonly Int32Array[],
  answers: number,
): Promise<number> {
  const { vocabularySize } = scene.model;
  const student = trainKneserNey(lessons, { vocabularySize });
  const prompts = scene.prompts(answers, 'api/own');
  const own = await scene.texts(student, prompts, answerLength, 'api/own');
  return -detect(watermark, own.map(outputOf)).log10P + 0;
}

async function speak(
  scene: Scene,
  name: string,
  count: number,
  progress: Progress,
  marker?: (promptLength: number) => MeasuringMarker | ReturnType<TextWatermark['marker']>,
  draft = '',
): Promise<Int32Array[]> {
  const outputs: Int32Array[] = [];
  for (const prompt of scene.prompts(count, name)) {
    const texts = await scene.texts(scene.model, [prompt], answerLength, name + draft, marker);
    outputs.push(...texts.map(outputOf));
    if (outputs.length % 100 === 0) progress(`${name}${draft}: answers`, outputs.length, count);
  }
  return outputs;
}

function detect(watermark: TextWatermark, outputs: readonly Int32Array[]) {
  const detector = new TextDetector(watermark);
  for (const tokens of outputs) detector.fold({ tokens, promptLength: 0 });
  return detector.detection();
}
