import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { unpackAnswers } from '../../../src/fingerprints/classifier-answers.ts';
import { compareStored } from '../../../src/operations/fingerprints/compare.ts';
import { listFingerprints } from '../../../src/operations/fingerprints/list.ts';
import { seededRandom } from '../../../src/stats/sampling.ts';
import { labels, ngramModel, type Predict, serve } from '../audit-scene.ts';
import { startTinyModel } from '../tiny-project.ts';
import { fingerprintIn, fingerprintProject, topOf, treeProbes } from './scene.ts';

const probes = treeProbes();

async function served(predict: Predict) {
  const suspect = await serve(predict);
  onTestFinished(() => suspect.close());
  return suspect;
}

/** A model on the plain JSON route that chooses what to do with each text. */
const answering = (answer: (text: string, index: number) => string | null) => {
  let asked = 0;
  return startTinyModel((texts) => ({
    answers: texts.map((text) => {
      asked += 1;
      return answer(text, asked);
    }),
  }));
};

type Project = Awaited<ReturnType<typeof fingerprintProject>>;
const likenesses = async ({ configPath }: Project, one: string, two: string) => {
  const { quirks } = await compareStored({ configPath, one, two, now: () => new Date() });
  return Object.fromEntries(quirks.map(({ name, likeness }) => [name, likeness]));
};

describe('fingerprints of classifiers behind HTTP', () => {
  it('agree when one model is taken twice, and less with another model of the same trade', async () => {
    const project = await fingerprintProject(probes);
    const model = await served(ngramModel());
    const other = await served(ngramModel(0.6, 'another'));
    const first = await project.take(model.http, 'first');
    const again = await project.take(model.kserve, 'again');
    const stranger = await project.take(other.http, 'stranger');
    expect(first).toMatchObject({ questions: 120, answered: 120, steadiness: 1 });
    const alike = await likenesses(project, 'first', 'again');
    const { 'latency-coupling': latency, ...steady } = alike;
    expect(Object.keys(steady)).toHaveLength(8);
    for (const [name, likeness] of Object.entries(steady)) expect(likeness, name).toBeCloseTo(1, 5);
    expect(latency).toEqual(expect.any(Number));
    const unlike = await likenesses(project, 'first', stranger.fingerprint);
    for (const name of ['label-choices', 'class-confusion', 'gram-structure'])
      expect(unlike[name], name).toBeLessThan(0.9);
    const { milliseconds } = unpackAnswers(fingerprintIn(again).answers);
    expect(milliseconds).toHaveLength(24);
    expect(milliseconds!.every((each) => each > 0 && each < 10_000)).toBe(true);
    const taking = join(project.directory, '.touchmark/fingerprints/taking');
    expect(readdirSync(taking)).toEqual([]);
  });

  it('ask the same model anew at the next taking, and say what it was asked and when', async () => {
    const project = await fingerprintProject(probes);
    const model = await served(ngramModel());
    const taken = await project.take(model.kserve);
    const asked = model.asked.length;
    model.predict = ngramModel(1, 'changed');
    const later = await project.take(model.kserve);
    expect(model.asked.length).toBeGreaterThan(asked + 150);
    expect(later.fingerprint).not.toBe(taken.fingerprint);
    expect(fingerprintIn(later)).toMatchObject({
      schema: 'touchmark/fingerprint@1',
      model: { name: 'm', address: model.kserve },
      probeSet: taken.probeSet,
      labels,
    });
    expect(Date.now() - Date.parse(later.takenAt)).toBeLessThan(60_000);
  });

  it('of a suspect that gives labels only compare in what labels show', async () => {
    const project = await fingerprintProject(probes);
    const model = await served(ngramModel());
    await project.take(model.http, 'whole');
    model.labelsOnly = true;
    const taken = await project.take(model.http, 'labels');
    expect(taken.gives).toEqual(['labels']);
    expect(fingerprintIn(taken).answers.probabilities).toBeUndefined();
    const { configPath } = project;
    const { quirks } = await compareStored({
      now: () => new Date(),
      configPath,
      one: 'whole',
      two: 'labels',
    });
    const found = Object.fromEntries(quirks.map((quirk) => [quirk.name, quirk]));
    expect(found['label-choices']).toMatchObject({ likeness: 1 });
    expect(found['boundary-geometry']).toMatchObject({ likeness: 1 });
    expect(found['confidence-profile']).toMatchObject({
      likeness: null,
      why: '"labels" has no probabilities',
    });
  });

  it('of random answers are not steady, and like nobody', async () => {
    const project = await fingerprintProject(treeProbes(300));
    const model = await served(ngramModel());
    await project.take(model.http, 'model');
    const random = seededRandom('answers');
    const guesser = await answering(() => labels[random.integer(labels.length)]!);
    const taken = await project.take(guesser, 'guesser');
    expect(taken.steadiness).toBeLessThan(0.5);
    const found = await likenesses(project, 'model', 'guesser');
    for (const name of ['label-choices', 'hard-slice', 'rare-slice', 'gram-structure'])
      expect(Math.abs(found[name]!), name).toBeLessThan(0.35);
  });

  it('of half of the answers count the other half and still say whose they are', async () => {
    const project = await fingerprintProject(treeProbes(300));
    const model = await served(ngramModel());
    const choose = (text: string) => labels[topOf(model.predict(text))]!;
    await project.take(await answering(choose), 'whole');
    const shy = await answering((text) => (text.length % 2 === 0 ? choose(text) : null));
    const taken = await project.take(shy, 'shy');
    expect(taken.answered).toBeGreaterThan(90);
    expect(taken.answered).toBeLessThan(210);
    expect(taken.outcomes.refused).toBeGreaterThan(90);
    expect(taken.steadiness).toBe(1);
    const { configPath } = project;
    const { quirks } = await compareStored({
      now: () => new Date(),
      configPath,
      one: 'whole',
      two: 'shy',
    });
    const found = Object.fromEntries(quirks.map((quirk) => [quirk.name, quirk]));
    expect(found['label-choices']!.likeness).toBeGreaterThan(0.9);
    expect(found['class-confusion']).toMatchObject({
      likeness: null,
      why: '"shy" left too many questions unanswered',
    });
    const { fingerprints } = await listFingerprints({ configPath });
    expect(fingerprints.map(({ model: { name } }) => name).slice(0, 2)).toEqual(['whole', 'shy']);
  });

  it('are none where nothing is answered, or nothing in the label set', async () => {
    const project = await fingerprintProject(treeProbes(20, { pairs: [], repeated: 0 }));
    const silent = await answering((text) => (text.includes('fox') ? 'ash' : null));
    await expect(project.take(silent)).rejects.toMatchObject({
      code: 'SUSPECT_REFUSED',
      exitCode: 3,
      message: expect.stringContaining('20 refused'),
    });
    const foreign = await answering(() => 'quartz\u001b[2J');
    await expect(project.take(foreign)).rejects.toMatchObject({
      code: 'SUSPECT_ANSWER_INVALID',
      hint: expect.stringContaining('audit.labelMap'),
    });
    expect(readdirSync(join(project.directory, 'fingerprints')).sort()).toEqual([
      'README.md',
      expect.stringMatching(/^probes-/),
    ]);
  });

  it('read the labels of a suspect by the map of audits', async () => {
    const mapped = { 'labelMap: {}': 'labelMap: { quartz: oak, slate: nobody }' };
    const project = await fingerprintProject(treeProbes(20), mapped);
    const taken = await project.take(await answering(() => 'quartz'));
    const { labels: given } = unpackAnswers(fingerprintIn(taken).answers);
    expect(new Set(given)).toEqual(new Set([labels.indexOf('oak')]));
  });

  it('of tensors ask tensors', async () => {
    const shape = [2, 2];
    const packed = (value: number) =>
      Buffer.from(Float32Array.of(value, 1, 2, 3).buffer).toString('base64');
    const questions = Array.from({ length: 12 }, (_, index) => ({
      input: { shape, data: packed(index) },
    }));
    const tensors = treeProbes(12, { questions, pairs: [[0, 11]], repeated: 4, timed: 0 });
    const project = await fingerprintProject(tensors);
    const address = await startTinyModel((inputs) => ({
      answers: inputs.map((input) =>
        Number((input as unknown as number[][])[0]![0]) < 5.6 ? 'ash' : 'oak',
      ),
    }));
    const taken = await project.take(address);
    expect(taken.answered).toBe(12);
    const { crossings, milliseconds } = unpackAnswers(fingerprintIn(taken).answers);
    expect(crossings[0]).toBeCloseTo(5.6 / 11, 1);
    expect(milliseconds).toBeUndefined();
  });
});

describe('taking', () => {
  it('is for one process at a time', async () => {
    const project = await fingerprintProject(treeProbes(20));
    const model = await served(ngramModel());
    model.milliseconds = 200;
    const first = project.take(model.kserve);
    await expect.poll(() => model.asked.length).toBeGreaterThan(0);
    await expect(project.take(model.kserve)).rejects.toMatchObject({ code: 'STORE_LOCKED' });
    model.milliseconds = 0;
    expect((await first).answered).toBe(20);
  });

  it('wants to know which questions where there are several sets or none', async () => {
    const model = await served(ngramModel());
    const two = await fingerprintProject(treeProbes(20));
    await two.store.saveProbeSet(treeProbes(21));
    await expect(two.take(model.http)).rejects.toMatchObject({
      code: 'USAGE',
      message: expect.stringMatching(/has 2 probe sets: probes-.*--?/s),
    });
    expect(model.asked).toEqual([]);
    expect(existsSync(join(two.directory, '.touchmark/fingerprints'))).toBe(false);
  });
});
