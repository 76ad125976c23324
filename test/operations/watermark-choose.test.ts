import { describe, expect, it } from 'vitest';
import { chooseList, listFor } from '../../src/operations/watermark-choose.ts';
import { detectTogether } from '../../src/operations/watermark-detect.ts';
import { logitBias } from '../../src/operations/watermark-embed.ts';
import { seededRandom } from '../../src/stats/sampling.ts';
import { chooseBiasedTokens } from '../../src/watermark/text/api/choose-tokens.ts';
import { drawToken, nativeProfile } from '../watermark/text/random-text.ts';
import { streamOf, watermarkScene } from './watermark-scene.ts';

const vocabularySize = 500;
const base = nativeProfile();

/** Tokens of a fixed, uneven distribution, as an API would draw them under a logit_bias. */
function answers(seed: string, count: number, bias: Readonly<Record<string, number>> = {}) {
  const random = seededRandom(seed);
  const logits = Float32Array.from(
    { length: vocabularySize },
    (_, token) => -Math.log(1 + token) + (bias[token] ?? 0),
  );
  return Array.from({ length: count }, () => ({
    prompt: [499],
    tokens: Array.from({ length: 50 }, () => drawToken(logits, random)),
  }));
}

describe('watermark choose', () => {
  it('makes the profile that embeds and detects, without a key, at the cost that was asked for', async () => {
    const scene = await watermarkScene();
    const profilePath = scene.write('base.json', base);
    const onFailure = () => undefined;
    const chosen = await chooseList(streamOf(answers('unmarked', 200)), {
      profilePath,
      limit: 40,
      strength: { variation: 0.2 },
      onFailure,
    });
    const { scheme, tokenizer } = chosen.profile;
    if (scheme.name !== 'biased-list') throw new Error(`chose ${scheme.name}`);
    expect(tokenizer).toEqual(base.tokenizer);
    expect(chosen.variation).toBeCloseTo(0.2, 2);
    expect(scheme.tokens).toHaveLength(40);
    expect(scheme.tokens.filter(({ id }) => id < 40).length).toBeGreaterThan(30);

    const options = {
      configPath: scene.configPath,
      profilePath: scene.write('biased.json', chosen.profile),
      tenant: 'example',
    };
    const bias = await logitBias({ ...options, limit: 30 });
    expect(Object.keys(bias)).toHaveLength(30);
    const ranked = scheme.tokens.slice(0, 30).map(({ id }) => String(id));
    expect(new Set(Object.keys(bias))).toEqual(new Set(ranked));
    const marked = streamOf(answers('marked', 80, await logitBias(options)));
    expect((await detectTogether(marked, { ...options, onFailure })).log10P).toBeLessThan(-4);
    const innocent = streamOf(answers('innocent', 80));
    expect((await detectTogether(innocent, { ...options, onFailure })).log10P).toBeGreaterThan(-3);
  });

  it('prefers tokens that are a choice to those that the model was sure of', async () => {
    const profilePath = (await watermarkScene()).write('base.json', base);
    const lines = answers('scored', 40).map((line) => ({
      ...line,
      logProbabilities: line.tokens.map((token) => Math.log(token % 2 === 0 ? 0.999 : 0.1)),
    }));
    const { profile } = await chooseList(streamOf(lines), {
      profilePath,
      limit: 20,
      strength: { bias: 1 },
      onFailure: () => undefined,
    });
    const { scheme } = profile;
    expect('tokens' in scheme && scheme.tokens.every(({ id }) => id % 2 === 1)).toBe(true);
  });

  it('lists every token of a sample, whose rounded shares sum to more than 1', () => {
    const tokens = Array.from({ length: 600 }, (_, index) => index % 6);
    const { scheme } = listFor(base, chooseBiasedTokens([{ tokens }], 9), { bias: 1 }).profile;
    expect(scheme).toMatchObject({ tokens: tokens.slice(0, 6).map(() => ({ expected: 0.167 })) });
  });

  it('refuses what is out of range, lines that do not fit, and samples that are too small', async () => {
    const profilePath = (await watermarkScene()).write('base.json', base);
    for (const [given, code, message] of [
      [{ limit: 0, strength: { bias: 1 } }, 'USAGE', 'limit'],
      [{ limit: 2.5, strength: { bias: 1 } }, 'USAGE', 'limit'],
      [{ limit: 9, strength: { bias: 0 } }, 'USAGE', 'bias'],
      [{ limit: 9, strength: { variation: Number.NaN } }, 'USAGE', 'variation'],
      [{ limit: 9, strength: { bias: 1 } }, 'INPUT_INVALID', 'too small'],
    ] as const) {
      const failures: unknown[] = [];
      const stream = streamOf([{ tokens: [1, 2], logProbabilities: [-1] }, { tokens: [3] }]);
      const onFailure = (failure: unknown) => failures.push(failure);
      await expect(chooseList(stream, { profilePath, onFailure, ...given })).rejects.toMatchObject({
        code,
        message: expect.stringContaining(message),
      });
      expect(failures).toMatchObject(code === 'INPUT_INVALID' ? [{ line: 1 }] : []);
    }
  });
});
