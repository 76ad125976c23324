/** What students show that learned from marked text, and from unmarked text. */
import type { Progress } from '../../src/contracts.ts';
import { trainKneserNey } from '../../src/models/language/kneser-ney.ts';
import { kolmogorovSmirnov } from '../../src/stats/bounds.ts';
import { TextDetector } from '../../src/watermark/text/detect.ts';
import type { TokenText } from '../../src/watermark/text/token-pairs.ts';
import type { TextWatermark } from '../../src/watermark/text/watermark.ts';
import { outputOf, type Scene, type SchemeCase, schemeCases } from './scenes.ts';

/** A student of marked text, and what 1,000 tokens of its own say, in several samples. */
export interface StudentRow {
  readonly name: string;
  readonly trainedOn: number;
  readonly ownTokens: number;
  readonly samples: number;
  readonly medianLog10P: number;
  readonly largestLog10P: number;
  readonly medianLog10E: number;
}

/** Students of unmarked text, each tested under a key of its own. */
export interface CleanRow {
  readonly name: string;
  readonly students: number;
  /** Share of p-values of at most 1e-2. */
  readonly rate: number;
  /** The largest E over all students, in bans. */
  readonly largestLog10E: number;
  /** Probability that super-uniform p-values look as bad as these (Kolmogorov-Smirnov). */
  readonly superUniformP: number;
}

const answerLength = 200;
const markedAnswers = 250;
const samples = 5;
const answersPerSample = 5;
const clean = { answers: 10, ownAnswers: 2 };

export async function measureStudent(
  scene: Scene,
  { name, scheme }: SchemeCase,
  progress: Progress,
): Promise<StudentRow> {
  const watermark = scene.watermark(scheme, `student/${name}`);
  const outputs: Int32Array[] = [];
  for (const prompt of scene.prompts(markedAnswers, 'student')) {
    const texts = await scene.texts(scene.model, [prompt], answerLength, 'served', (promptLength) =>
      watermark.marker({ promptLength }),
    );
    outputs.push(...texts.map(outputOf));
    progress(`${name}: answers to learn from`, outputs.length, markedAnswers);
  }
  const { vocabularySize } = scene.model;
  const student = trainKneserNey(outputs, { vocabularySize });
  const detections = [];
  for (let sample = 0; sample < samples; sample++) {
    const prompts = scene.prompts(answersPerSample, `own/${sample}`);
    const own = await scene.texts(student, prompts, answerLength, 'own');
    detections.push(detect(watermark, own));
  }
  const log10Ps = detections.map(({ log10P }) => log10P).sort((a, b) => a - b);
  const log10Es = detections.map(({ log10E }) => log10E).sort((a, b) => a - b);
  return {
    name,
    trainedOn: markedAnswers * answerLength,
    ownTokens: answersPerSample * answerLength,
    samples,
    medianLog10P: log10Ps[samples >> 1]!,
    largestLog10P: log10Ps.at(-1)!,
    medianLog10E: log10Es[samples >> 1]!,
  };
}

/** The same students under keys of every scheme. */
export async function measureCleanStudents(
  scene: Scene,
  students: number,
  progress: Progress,
): Promise<CleanRow[]> {
  const { vocabularySize } = scene.model;
  const found = schemeCases.map(({ name }) => ({
    name,
    pValues: [] as number[],
    log10Es: [] as number[],
  }));
  for (let index = 0; index < students; index++) {
    const prompts = scene.prompts(clean.answers + clean.ownAnswers, `clean/${index}`);
    const asked = prompts.slice(0, clean.answers);
    const lessons = await scene.texts(scene.model, asked, answerLength, `clean/${index}`);
    const student = trainKneserNey(lessons.map(outputOf), { vocabularySize });
    const own = await scene.texts(student, prompts.slice(clean.answers), answerLength, 'own');
    for (const [at, { scheme, name }] of schemeCases.entries()) {
      const watermark = scene.watermark(scheme, `clean/${name}/${index}`);
      const { log10P, log10E } = detect(watermark, own);
      found[at]!.pValues.push(10 ** log10P);
      found[at]!.log10Es.push(log10E);
    }
    progress('clean students', index + 1, students);
  }
  return found.map(({ name, pValues, log10Es }) => ({
    name,
    students,
    rate: pValues.filter((p) => p <= 0.01).length / students,
    largestLog10E: Math.max(...log10Es),
    superUniformP: kolmogorovSmirnov(pValues).superUniformP,
  }));
}

function detect(watermark: TextWatermark, texts: readonly TokenText[]) {
  const detector = new TextDetector(watermark);
  for (const text of texts) detector.fold(text);
  return detector.detection();
}
