import { beforeAll, describe, expect, it } from 'vitest';
import { conductTextAudit } from '../../src/audit/conduct-text.ts';
import { provenanceScore } from '../../src/audit/score.ts';
import type { TextMaterial } from '../../src/audit/text-material.ts';
import type { Evidence, LanguageModel } from '../../src/contracts.ts';
import type { KneserNeyModel } from '../../src/models/language/kneser-ney.ts';
import { clopperPearson } from '../../src/stats/bounds.ts';
import type { TextProfile } from '../../src/watermark/text/profile.ts';
import { openTextWatermark } from '../../src/watermark/text/watermark.ts';
import { nativeKey } from '../watermark/text/random-text.ts';
import {
  asLanguageModel,
  generate,
  outputsOf,
  sceneProfile,
  signal,
  textMaterial,
  trainModel,
  writeText,
} from './text-scene.ts';

const schemes: readonly TextProfile['scheme'][] = [
  { name: 'green-list', gamma: 0.25, delta: 3 },
  { name: 'gumbel' },
  { name: 'tournament', depth: 20 },
];
const greenList = schemes[0]!;

async function audit(material: TextMaterial, suspect: LanguageModel): Promise<readonly Evidence[]> {
  const { evidence } = await conductTextAudit({ material, suspect, batchSize: 64, signal });
  return evidence;
}

async function stolenUnder(protectedModel: KneserNeyModel, scheme: TextProfile['scheme']) {
  const profile = sceneProfile(scheme);
  const key = nativeKey('stolen');
  const marked = asLanguageModel(protectedModel, openTextWatermark(profile, key));
  const log = await generate(marked, 'served', 40, 200);
  return { profile, key, log, student: trainModel(outputsOf(log)) };
}

describe('the text tests of an audit', () => {
  let protectedModel: KneserNeyModel;
  let reference: KneserNeyModel;
  let independent: KneserNeyModel;

  beforeAll(async () => {
    protectedModel = trainModel([writeText('training', 40_000)]);
    reference = trainModel([writeText('other training', 20_000)]);
    const unmarked = await generate(asLanguageModel(protectedModel), 'served', 40, 200);
    independent = trainModel(outputsOf(unmarked));
  });

  it.each(schemes)('find a student of marked answers: $name', async (scheme) => {
    const { student, ...owner } = await stolenUnder(protectedModel, scheme);
    const evidence = await audit(textMaterial({ ...owner, reference }), asLanguageModel(student));
    expect(evidence.map(({ test }) => test)).toEqual([
      'text-samples',
      'text-reading',
      'text-contrast',
    ]);
    const [samples, reading, contrast] = evidence;
    expect(samples?.log10E).toBeGreaterThan(6);
    expect(samples?.log10P).toBeLessThan(-6);
    expect(reading?.log10E).toBeGreaterThan(3);
    expect(provenanceScore(evidence)).toBeGreaterThan(6);
    if (scheme.name !== 'green-list') expect(contrast?.status).toBe('not-applicable');
    else expect(contrast?.log10E).toBeGreaterThan(6);
  });

  it('find nothing in a student of the same model without the mark', async () => {
    const { student: _, ...owner } = await stolenUnder(protectedModel, greenList);
    const evidence = await audit(
      textMaterial({ ...owner, reference }),
      asLanguageModel(independent),
    );
    for (const { log10E, log10P, status } of evidence) {
      expect(status).toBe('done');
      expect(log10E).toBeLessThan(2);
      expect(log10P).toBeGreaterThan(-3);
    }
  });

  it('accuse innocents no more often than they say, over keys', async () => {
    const profile = sceneProfile(greenList);
    const keys = 120;
    const betting: Record<string, number> = {};
    const small: Record<string, number> = {};
    for (let turn = 0; turn < keys; turn++) {
      const key = nativeKey(`innocent ${turn}`);
      const marked = asLanguageModel(protectedModel, openTextWatermark(profile, key));
      const log = await generate(marked, `innocent ${turn}`, 4, 60);
      const material = textMaterial({ profile, key, log, reference, prompts: 3, readings: 100 });
      for (const { test, log10E, log10P } of await audit(material, asLanguageModel(independent))) {
        betting[test] = (betting[test] ?? 0) + Number(log10E >= Math.log10(20));
        small[test] = (small[test] ?? 0) + Number(log10P! <= Math.log10(0.05));
      }
    }
    for (const count of [...Object.values(betting), ...Object.values(small)]) {
      expect(clopperPearson(count, keys, 0.999).lower).toBeLessThanOrEqual(0.05);
    }
    expect(Object.keys(betting)).toHaveLength(3);
  });

  it('do not read served pairs, which are green whoever the suspect is', async () => {
    const profile = sceneProfile(greenList);
    const key = nativeKey('stolen');
    const watermark = openTextWatermark(profile, key);
    const { log } = await stolenUnder(protectedModel, greenList);
    let [green, all] = [0, 0];
    for (const { tokens, promptLength } of log) {
      const places = tokens.length - promptLength;
      const contexts = new Int32Array(2 * places);
      for (let at = 0; at < places; at++) {
        contexts.set(tokens.subarray(promptLength + at - 2, promptLength + at), 2 * at);
      }
      const bits = watermark.scheme.scores({
        count: places,
        width: 2,
        contexts,
        tokens: tokens.slice(promptLength),
      });
      green += bits.reduce((sum, bit) => sum + bit, 0);
      all += places;
    }
    expect(green / all).toBeGreaterThan(0.4);
  });

  it('take a suspect as it is: without tokens, without probabilities, refusing, hostile', async () => {
    const { student, ...owner } = await stolenUnder(protectedModel, greenList);
    const material = textMaterial({ ...owner, reference });
    const whole = asLanguageModel(student);
    const [expected] = await audit(material, whole);

    const textOnly: LanguageModel = {
      describe: async () => ({ name: 'text only', gives: ['completions'] }),
      complete: async (prompts, options) =>
        (await whole.complete(prompts, options)).map((outcome) =>
          'answer' in outcome ? { answer: { text: outcome.answer.text } } : outcome,
        ),
    };
    const [samples, , contrast] = await audit(material, textOnly);
    expect(samples?.log10E).toBeCloseTo(expected!.log10E, 9);
    expect(contrast).toMatchObject({ status: 'not-applicable', log10E: 0, probes: 0 });

    const refusing: LanguageModel = {
      describe: async () => ({ name: 'refusing', gives: ['completions', 'token-probabilities'] }),
      complete: async (prompts) => prompts.map(() => ({ missing: 'refused' })),
    };
    for (const evidence of await audit(material, refusing)) {
      expect(evidence.log10E).toBeCloseTo(0, 12);
      expect(evidence.status).toBe('done');
      expect(Object.values(evidence.skipped)[0]).toBe(evidence.probes);
    }

    const hostile: LanguageModel = {
      describe: async () => ({ name: 'hostile', gives: ['completions', 'token-probabilities'] }),
      complete: async (prompts) =>
        prompts.map((_, index) => ({
          answer: {
            text: '',
            tokens: index % 2 === 0 ? new Int32Array(0) : Int32Array.of(-5, 999),
          },
        })),
      score: async (contexts) =>
        contexts.map(() => ({
          answer: {
            tokens: Int32Array.of(-1, 5, 5, 9999, 6),
            logProbabilities: Float32Array.of(0, Number.NaN, 800, 0, -Infinity),
          },
        })),
    };
    for (const { log10E } of await audit(material, hostile)) {
      expect(Number.isFinite(log10E)).toBe(true);
      expect(log10E).toBeLessThan(1.5);
    }
  });

  it('give no p-value when the log ends before the horizon that was sealed', async () => {
    const { student, ...owner } = await stolenUnder(protectedModel, greenList);
    const whole = textMaterial({ ...owner, reference });
    const short = { ...whole, horizon: whole.readings.length + 1 };
    const [samples, reading, contrast] = await audit(short, asLanguageModel(student));
    expect(samples?.log10P).toBeLessThan(-6);
    for (const each of [reading, contrast]) {
      expect(each?.log10P).toBeUndefined();
      expect(each?.log10E).toBeGreaterThan(3);
    }
  });

  it('take the p-value at the horizon, whatever comes after it', async () => {
    const { student, ...owner } = await stolenUnder(protectedModel, greenList);
    const whole = textMaterial({ ...owner, reference });
    const horizon = 120;
    const suspect = asLanguageModel(student);
    const longer = await audit({ ...whole, horizon }, suspect);
    const cut = await audit(
      { ...whole, readings: whole.readings.slice(0, horizon), horizon },
      suspect,
    );
    for (const test of ['text-reading', 'text-contrast']) {
      const [first, second] = [longer, cut].map((each) => each.find((one) => one.test === test)!);
      expect(first!.log10P).toBe(second!.log10P);
      expect(first!.log10P).toBeLessThan(-1);
      expect(first!.log10E).toBeGreaterThan(second!.log10E);
    }
  });

  it('count nothing under a key that everybody knows', async () => {
    const { student, ...owner } = await stolenUnder(protectedModel, greenList);
    const material = textMaterial({ ...owner, reference });
    const watermark = { ...material.watermark, keyIsPublic: true };
    const evidence = await audit({ ...material, watermark }, asLanguageModel(student));
    for (const each of evidence) {
      expect(each).toMatchObject({ null: 'descriptive', log10E: 0 });
      expect(each.effect['bans']).toBeGreaterThan(3);
    }
    expect(provenanceScore(evidence)).toBe(0);
  });
});
