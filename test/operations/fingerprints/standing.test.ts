import { readFileSync, writeFileSync } from 'node:fs';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { answersOfModel } from '../../../src/audit/fingerprinting/model-answers.ts';
import {
  type AnsweredReference,
  quirkNulls,
} from '../../../src/audit/fingerprinting/reference-answers.ts';
import { unpackAnswers } from '../../../src/fingerprints/classifier-answers.ts';
import { quirkWeight } from '../../../src/fingerprints/quirk-weights.ts';
import type { ReferenceNull } from '../../../src/fingerprints/reference-null.ts';
import { compareStored } from '../../../src/operations/fingerprints/compare.ts';
import { packFloats } from '../../../src/stats/packed-numbers.ts';
import { ngramModel, type Predict, serve } from '../audit-scene.ts';
import { fingerprintIn, fingerprintProject, topOf, treeProbes } from './scene.ts';

const probes = treeProbes(60, { timed: 0 });
const perPart = { select: 10, calibrate: 24 };

/** Models of the same trade that have their own drift, each for one part. */
async function answerReferences(): Promise<AnsweredReference[]> {
  const answered: AnsweredReference[] = [];
  for (const kind of ['same', 'other'] as const) {
    for (const part of ['select', 'calibrate'] as const) {
      for (let number = 0; number < perPart[part]; number += 1) {
        const name = `${kind}/${part}/${number}`;
        const model = ngramModel(kind === 'same' ? 0.5 : 0.7, name);
        const predict = (inputs: readonly unknown[]) => {
          const rows = inputs.map((input) => Array.from(model(String(input))));
          return { labels: rows.map(topOf), probabilities: Float32Array.from(rows.flat()) };
        };
        answered.push({ name, kind, part, answers: await answersOfModel(predict, probes) });
      }
    }
  }
  return answered;
}

describe('comparing with references', () => {
  let references: readonly AnsweredReference[];
  beforeAll(async () => {
    references = await answerReferences();
  });

  async function scene() {
    const project = await fingerprintProject(probes);
    const take = async (name: string, predict: Predict) => {
      const model = await serve(predict);
      onTestFinished(() => model.close());
      return project.take(model.kserve, name);
    };
    const own = await take('own', ngramModel());
    const answers = unpackAnswers(fingerprintIn(own).answers);
    const kept: ReferenceNull = {
      schema: 'touchmark/fingerprint-references@1',
      ability: { questions: 0, protectedModel: 0, least: 0, most: 0 },
      fingerprint: own.fingerprint,
      probeSet: own.probeSet,
      createdAt: '2026-01-01T00:00:00Z',
      toolkit: '0',
      references: references.map(({ name, kind: data, part }) => ({ name, data, part })),
      quirks: quirkNulls(references, answers, probes, quirkWeight),
    };
    const standings = async (name: string) => {
      const { configPath } = project;
      const compared = await compareStored({
        now: () => new Date(),
        configPath,
        one: name,
        two: own.fingerprint,
      });
      return compared.standings;
    };
    return { ...project, take, own, kept, standings };
  }

  it('ranks a copy first and a model of the same trade in the middle, however alike', async () => {
    const { store, take, own, kept, standings } = await scene();
    const copy = await take('copy', ngramModel(0.05, 'copy'));
    await take('innocent', ngramModel(0.5, 'innocent'));
    expect(await standings('copy')).toEqual([]);
    const { id } = await store.saveReferences(kept);
    const [ofCopy] = await standings('copy');
    expect(ofCopy).toMatchObject({
      ...{ protectedModel: own.fingerprint, ranked: copy.fingerprint, references: id },
      ...{ same: 24, other: 24, smallestP: 1 / 25 },
    });
    const named = (name: string) => expect.objectContaining({ name, p: 1 / 25 });
    expect(ofCopy!.quirks).toEqual(
      expect.arrayContaining(['probability-levels', 'gram-structure'].map(named)),
    );
    const [ofInnocent] = await standings('innocent');
    const counted = ofInnocent!.quirks.filter(({ weight }) => weight > 0);
    expect(counted.map(({ p }) => p > 1 / 25)).toEqual(counted.map(() => true));
  });

  it('refuses references that were edited or do not fit', async () => {
    const { store, kept, own, standings } = await scene();
    const infinite = packFloats([Number.POSITIVE_INFINITY]);
    for (const mean of [infinite, packFloats([0, 0]), 'AAA=']) {
      const [first, ...rest] = kept.quirks;
      const createdAt = new Date(Date.now() + mean.length).toISOString();
      await store.saveReferences({ ...kept, createdAt, quirks: [{ ...first!, mean }, ...rest] });
      await expect(standings('own')).rejects.toMatchObject({
        code: 'FINGERPRINT_INVALID',
        message: expect.stringContaining(`does not fit ${own.fingerprint} in ${first!.name}`),
      });
    }
    const { path } = await store.saveReferences(kept);
    writeFileSync(path, readFileSync(path, 'utf8').replace(/"weight": 0.\d+/, '"weight": 0.1'));
    const { documents, problems } = await store.listReferences();
    expect([documents.length, problems]).toEqual([3, [expect.stringContaining('was edited')]]);
  });
});
