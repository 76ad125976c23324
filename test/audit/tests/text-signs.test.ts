import { beforeAll, describe, expect, it } from 'vitest';
import { conductTextAudit } from '../../../src/audit/conduct-text.ts';
import { textSamples } from '../../../src/audit/tests/text-samples.ts';
import type { TextMaterial } from '../../../src/audit/text-material.ts';
import type { Evidence, LanguageModel, Observation } from '../../../src/contracts.ts';
import type { KneserNeyModel } from '../../../src/models/language/kneser-ney.ts';
import { clopperPearson } from '../../../src/stats/bounds.ts';
import type { TextProfile } from '../../../src/watermark/text/profile.ts';
import { openTextWatermark } from '../../../src/watermark/text/watermark.ts';
import { biasedProfile } from '../../watermark/text/api/biased-scene.ts';
import { nativeKey } from '../../watermark/text/random-text.ts';
import {
  asLanguageModel,
  generate,
  outputsOf,
  signal,
  textMaterial,
  trainModel,
  writeText,
} from '../text-scene.ts';

const key = nativeKey('stolen');

async function audit(material: TextMaterial, suspect: LanguageModel): Promise<readonly Evidence[]> {
  return (await conductTextAudit({ material, suspect, batchSize: 64, signal })).evidence;
}

describe('the signs of a biased list in a suspect', () => {
  let model: KneserNeyModel;
  let profile: TextProfile;
  let material: TextMaterial;
  let student: LanguageModel;
  let independent: LanguageModel;

  beforeAll(async () => {
    model = trainModel([writeText('training', 40_000)]);
    profile = await biasedProfile(model, 60, 1);
    const marked = asLanguageModel(model, openTextWatermark(profile, key));
    const log = await generate(marked, 'served', 40, 200);
    student = asLanguageModel(trainModel(outputsOf(log)));
    const unmarked = await generate(asLanguageModel(model), 'served', 40, 200);
    independent = asLanguageModel(trainModel(outputsOf(unmarked)));
    const reference = trainModel([writeText('other training', 20_000)]);
    material = textMaterial({ profile, key, log, reference, prompts: 40 });
  });

  it('are found in what a student of marked answers writes; other tests do not apply', async () => {
    const [samples, reading, contrast] = await audit(material, student);
    expect(samples).toMatchObject({ test: 'text-samples', status: 'done', null: 'keyed' });
    expect(samples?.log10E).toBeGreaterThan(5);
    expect(samples?.log10P).toBeLessThan(-6);
    const none = { status: 'not-applicable', log10E: 0, probes: 0 };
    expect([reading, contrast]).toMatchObject([none, none]);
    const [innocent] = await audit(material, independent);
    expect(innocent?.log10E).toBeLessThan(2);
    expect(innocent?.log10P).toBeGreaterThan(-3);
  });

  it('are looked at four times only, and what was gained is kept', async () => {
    const run = textSamples.start(material);
    const probes = run.next();
    const prompts = probes.map(({ input }) => input.prompt);
    const answers = await student.complete(prompts, { sampling: material.sampling, signal });
    const changes: number[] = [];
    let last = run.evidence();
    expect(last).toMatchObject({ status: 'partial', log10E: 0 });
    for (const [index, answer] of answers.entries()) {
      const observation = { probe: probes[index]!, ...answer } as Observation<'complete'>;
      run.fold([observation]);
      const now = run.evidence();
      expect('log10P' in now).toBe(index === probes.length - 1);
      if (now.log10E !== last.log10E) changes.push(index + 1);
      if (changes.length > 1) expect(now.log10E).toBeGreaterThanOrEqual(last.log10E);
      last = now;
    }
    expect(changes).toEqual([10, 20, 30, 40]);
  });

  it('accuse innocents no more often than they say, over keys', async () => {
    const keys = 300;
    const answers = await independent.complete(material.prompts, {
      sampling: material.sampling,
      signal,
    });
    let [betting, small] = [0, 0];
    for (let turn = 0; turn < keys; turn++) {
      const watermark = openTextWatermark(profile, nativeKey(`innocent ${turn}`));
      const run = textSamples.start({ ...material, watermark });
      const probes = run.next();
      run.fold(
        answers.map((answer, index) => ({
          probe: probes[index]!,
          ...answer,
        })) as Observation<'complete'>[],
      );
      const { log10E, log10P } = run.evidence();
      betting += Number(log10E >= Math.log10(20));
      small += Number(log10P! <= Math.log10(0.05));
    }
    expect(clopperPearson(small, keys, 0.999).lower).toBeLessThanOrEqual(0.05);
    expect(small).toBeGreaterThan((0.05 * keys) / 5);
    expect(clopperPearson(betting, keys, 0.999).lower).toBeLessThanOrEqual(0.05);
  });
});
