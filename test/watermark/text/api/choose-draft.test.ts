import { beforeAll, describe, expect, it } from 'vitest';
import type { KneserNeyModel } from '../../../../src/models/language/kneser-ney.ts';
import { chooseDraft } from '../../../../src/watermark/text/api/choose-draft.ts';
import { TextDetector } from '../../../../src/watermark/text/detect.ts';
import type { TextProfile } from '../../../../src/watermark/text/profile.ts';
import { openTextWatermark, type TextWatermark } from '../../../../src/watermark/text/watermark.ts';
import {
  asLanguageModel,
  generate,
  outputsOf,
  sceneProfile,
  trainModel,
  wordIds,
  writeText,
} from '../../../audit/text-scene.ts';
import { nativeKey } from '../random-text.ts';
import { biasedProfile, widthless } from './biased-scene.ts';

const keys = 1500;
/** Four standard deviations of a share of one half. */
const slack = (4 * 0.5) / Math.sqrt(keys);

function shareOfFirst(profile: TextProfile, drafts: readonly Int32Array[]): number {
  let first = 0;
  for (let key = 0; key < keys; key++) {
    const watermark = openTextWatermark(profile, nativeKey(`key ${key}`));
    const { index } = chooseDraft(
      watermark,
      drafts.map((tokens) => ({ tokens })),
    );
    first += Number(index === 0);
  }
  return first / keys;
}

describe('the choice among drafts', () => {
  const profiles: Record<string, TextProfile> = {
    gumbel: sceneProfile({ name: 'gumbel' }),
    'green list': sceneProfile({ name: 'green-list', gamma: 0.25, delta: 2 }),
    tournament: sceneProfile({ name: 'tournament', depth: 20 }),
    'fixed green list': widthless({ name: 'fixed-green-list', gamma: 0.5, delta: 2 }),
  };
  let model: KneserNeyModel;

  beforeAll(async () => {
    model = trainModel([writeText('training', 40_000)]);
    profiles['biased list'] = await biasedProfile(model, 60, 1);
  });

  it.each([
    'gumbel',
    'green list',
    'tournament',
    'fixed green list',
    'biased list',
  ])('is fair over keys whatever the lengths are: %s', (name) => {
    const [long, short] = [writeText('long', 90), writeText('short', 25)];
    expect(Math.abs(shareOfFirst(profiles[name]!, [long, short]) - 0.5)).toBeLessThan(slack + 0.02);
  });

  it('takes a text that came twice with twice the chance', () => {
    const [twice, once] = [writeText('twice', 60), writeText('once', 60)];
    const share = shareOfFirst(profiles['gumbel']!, [twice, once, twice]);
    expect(Math.abs(share - 2 / 3)).toBeLessThan(slack);
  });

  it('takes the first of drafts that the key cannot tell apart', () => {
    const watermark = openTextWatermark(profiles['gumbel']!, nativeKey('owner'));
    const same = { tokens: writeText('same', 40) };
    expect(chooseDraft(watermark, [same, same, same]).index).toBe(0);
    expect(chooseDraft(watermark, [{ tokens: [] }, { tokens: [1] }]).index).toBe(0);
  });

  it('reads texts as it reads their tokens, after the prompt that detection will know', () => {
    const watermark = openTextWatermark(profiles['gumbel']!, nativeKey('owner'));
    const drafts = ['a', 'b', 'c'].map((seed) => writeText(seed, 40));
    const byTokens = chooseDraft(
      watermark,
      drafts.map((tokens) => ({ tokens })),
      { promptTokens: [3, 4] },
    );
    const byText = chooseDraft(
      watermark,
      drafts.map((tokens) => ({ text: wordIds.decode([...tokens]) })),
      { tokenizer: wordIds, promptTokens: [3, 4] },
    );
    expect(byText).toEqual(byTokens);
    const { index, scores } = byTokens;
    expect(scores[index]).toBe(Math.max(...scores));
    expect(() => chooseDraft(watermark, [{ text: '1 2' }])).toThrow('no tokenizer');
    expect(() => chooseDraft(watermark, [])).toThrow(
      expect.objectContaining({ code: 'INPUT_INVALID' }),
    );
  });

  it.each([
    'gumbel',
    'biased list',
  ])('marks what is served, and what is learned from it: %s', async (name) => {
    const watermark = openTextWatermark(profiles[name]!, nativeKey('owner'));
    const served = await serve(model, watermark, 4, 120);
    expect(detect(watermark, served)).toBeLessThan(-5);
    const unchosen = await serve(model, watermark, 1, 120);
    expect(detect(watermark, unchosen)).toBeGreaterThan(-3);
    if (name === 'gumbel') return;
    const own = await generate(asLanguageModel(trainModel(served)), 'own', 60, 60);
    expect(detect(watermark, outputsOf(own))).toBeLessThan(-3);
  });
});

async function serve(
  model: KneserNeyModel,
  watermark: TextWatermark,
  drafts: number,
  answers: number,
): Promise<Int32Array[]> {
  const each = await Promise.all(
    Array.from({ length: drafts }, (_, draft) =>
      generate(asLanguageModel(model), `draft ${draft}`, answers, 60),
    ),
  );
  const outputs = each.map(outputsOf);
  return Array.from({ length: answers }, (_, answer) => {
    const choices = outputs.map((texts) => ({ tokens: texts[answer]! }));
    return choices[chooseDraft(watermark, choices).index]!.tokens;
  });
}

function detect(watermark: TextWatermark, outputs: readonly Int32Array[]): number {
  const detector = new TextDetector(watermark);
  for (const tokens of outputs) detector.fold({ tokens, promptLength: 0 });
  return detector.detection().log10P;
}
