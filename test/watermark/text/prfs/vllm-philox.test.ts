import { describe, expect, it } from 'vitest';
import { detectText } from '../../../../src/watermark/text/detect.ts';
import { philox } from '../../../../src/watermark/text/prfs/philox.ts';
import { vllmDerivedKeys, vllmPhiloxPrf } from '../../../../src/watermark/text/prfs/vllm-philox.ts';
import type { TextProfile } from '../../../../src/watermark/text/profile.ts';
import { reportedElsewhere } from '../../../../src/watermark/text/reported-elsewhere.ts';
import { openTextWatermark, type TextWatermark } from '../../../../src/watermark/text/watermark.ts';
import { randomText } from '../random-text.ts';
import { argMax, stackProfile, textVectors, vllmKey } from './stacks.ts';

interface Candidate {
  readonly name: string;
  readonly key: string;
  readonly detectionKey?: string;
  readonly contextWidth: number;
  readonly scope: 'none' | 'single_turn' | 'all';
  readonly vocabulary: number;
  readonly dominantBias: number;
  readonly prompt: readonly number[];
  readonly tokens: readonly number[];
  readonly scored: number;
  readonly score: number;
  readonly p: number;
  readonly alpha?: number;
  readonly detectionAlpha?: number;
  readonly deduplicated?: false;
  readonly generated?: false;
}

const published = textVectors<{
  routing: number[];
  words: { key: string; cases: { context: number[]; tokens: number[]; words: number[] }[] };
  derivedKeys: [key: string, a: string, b: string][];
  philox: [counter: number[], key: [number, number], output: number[]][];
  candidates: Candidate[];
}>('vllm-published');
const { words: wordCases } = textVectors<{
  words: { key: string; context: number[]; tokens: number[]; words: number[]; stream1: number[] }[];
}>('vllm');

const scopes = { none: 'mark', single_turn: 'turn', all: 'all' } as const;

function watermarkOf(candidate: Candidate, key: string, alpha?: number): TextWatermark {
  const prf: TextProfile['prf'] = {
    name: 'vllm-philox',
    contextWidth: candidate.contextWidth,
    keys: alpha === undefined ? 'single' : 'dual',
    ...(alpha !== undefined && { alpha }),
  };
  const repeats = scopes[candidate.scope];
  return openTextWatermark(
    stackProfile(prf, { name: 'gumbel' }, repeats, candidate.vocabulary),
    vllmKey(key),
  );
}

function logitsAt(position: number, { vocabulary, dominantBias }: Candidate): Float32Array {
  return Float32Array.from({ length: vocabulary }, (_, token) => {
    const bias = token === 3 ? dominantBias : 0;
    return (((37 * token + 17 * position) % 131) - 56 + bias) / 16;
  });
}

/** Generates as vLLM's own test does; unmarked steps take the arg-max. */
function generate(candidate: Candidate): number[] {
  const { alpha, prompt, tokens } = candidate;
  const marker = watermarkOf(candidate, candidate.key, alpha).marker({
    promptLength: prompt.length,
  });
  const output: number[] = [];
  for (let position = 0; position < tokens.length; position++) {
    const logits = logitsAt(position, candidate);
    const plain = logits.slice();
    marker.mark(logits, Int32Array.from([...prompt, ...output]));
    const unmarked = logits.every((logit, token) => logit === plain[token]);
    const routesB = alpha !== undefined && published.routing[position]! >= Math.fround(1 - alpha);
    if (unmarked || !routesB) output.push(argMax(logits));
    else output.push(secondOf(logits));
  }
  return output;
}

/** Key B's token: the less likely of two, or the only one. */
function secondOf(logits: Float32Array): number {
  const possible = [...logits.keys()].filter((token) => logits[token]! > -Infinity);
  return possible.reduce((least, token) => (logits[token]! < logits[least]! ? token : least));
}

describe('Philox', () => {
  it.each(
    published.philox,
  )('gives the known answer of Random123 for %j', (counter, key, output) => {
    const words = Int32Array.from(counter);
    philox(words, key[0], key[1]);
    expect([...words].map((word) => word >>> 0)).toEqual(output);
  });

  it('gives the words that vLLM publishes', () => {
    for (const { context, tokens, words } of published.words.cases) {
      const prf = vllmPhiloxPrf(BigInt(published.words.key), {
        contextWidth: 4,
        searchesPrompt: false,
      });
      const leaves = prf.leaf(32).candidates(Int32Array.from(context), Int32Array.from(tokens));
      expect([...leaves]).toEqual(words);
    }
  });

  it.each(wordCases)('gives the words of key $key after $context', (each) => {
    const contextWidth = each.context.length;
    const prf = vllmPhiloxPrf(BigInt(each.key), { contextWidth, searchesPrompt: false });
    const context = Int32Array.from(each.context);
    const tokens = Int32Array.from(each.tokens);
    const leaves = prf.leaf(64).candidates(context, tokens);
    const expected = each.words.flatMap((word, row) => [word, each.stream1[row]!]);
    expect([...leaves]).toEqual(expected);
    const contexts = Int32Array.from(each.tokens.flatMap(() => each.context));
    const pairs = { count: tokens.length, width: contextWidth, contexts, tokens };
    expect([...prf.leaf(64).leaves(pairs)]).toEqual(expected);
    expect([...prf.uniform().uniforms(pairs)]).toEqual([
      ...prf.uniform().candidates(context, tokens),
    ]);
  });

  it.each(published.derivedKeys)('derives the keys of %s', (key, a, b) => {
    expect(vllmDerivedKeys(BigInt(key))).toEqual({ a: BigInt(a), b: BigInt(b) });
  });
});

describe('vLLM', () => {
  it.each(
    published.candidates.filter(({ generated }) => generated !== false),
  )('generates the tokens that it publishes: $name', (candidate) => {
    expect(generate(candidate)).toEqual(candidate.tokens);
  });

  it.each(
    published.candidates.filter(({ deduplicated }) => deduplicated !== false),
  )('would print the score and p that it publishes: $name', (candidate) => {
    const alpha = candidate.detectionAlpha ?? candidate.alpha;
    const watermark = watermarkOf(candidate, candidate.detectionKey ?? candidate.key, alpha);
    const tokens = Int32Array.from([...candidate.prompt, ...candidate.tokens]);
    const text = { tokens, promptLength: candidate.prompt.length };
    const report = reportedElsewhere(watermark, text)!;
    expect(report.stack).toBe('vllm');
    expect(report.values['scored']).toBe(candidate.scored);
    expect(report.values['score']! / candidate.score).toBeCloseTo(1, 12);
    expect(Math.abs(report.values['p']! / candidate.p - 1)).toBeLessThan(1e-9);
    if (candidate.alpha !== undefined || candidate.scope !== 'single_turn') return;
    const detection = detectText(watermark, text);
    expect(detection.scored).toBe(candidate.scored);
    expect(Math.abs(detection.log10P / Math.log10(candidate.p) - 1)).toBeLessThan(1e-9);
  });

  it('prints a dual p that is smaller than the exact one in the far tail', () => {
    const candidate = published.candidates.find(({ name }) => name === 'dual-key0-cw4')!;
    const watermark = watermarkOf(candidate, candidate.key, candidate.alpha);
    const tokens = Int32Array.from(candidate.tokens);
    const { log10P } = detectText(watermark, { tokens, promptLength: 0 });
    const report = reportedElsewhere(watermark, { tokens, promptLength: 0 })!;
    expect(report.warning).toContain('too small');
    expect(report.values['log10P']! - log10P).toBeLessThan(-1);
    expect(report.values['log10P']! - log10P).toBeGreaterThan(-3);
  });

  it.each([
    ['gumbel', { name: 'gumbel' }],
    ['green-list', { name: 'green-list', gamma: 0.25, delta: 3 }],
    ['tournament', { name: 'tournament', depth: 40 }],
  ] as const)('carries %s: marked texts are found, others are not', (_, scheme) => {
    const prf = { name: 'vllm-philox', contextWidth: 3, keys: 'single' } as const;
    const watermark = openTextWatermark(stackProfile(prf, scheme, 'turn', 300), vllmKey('7'));
    const other = openTextWatermark(stackProfile(prf, scheme, 'turn', 300), vllmKey('8'));
    const text = randomText('vllm', 150, 300, watermark, [1, 2, 3]);
    expect(detectText(watermark, text).log10P).toBeLessThan(-6);
    expect(detectText(other, text).log10P).toBeGreaterThan(-4);
  });

  it('finds dual-key text by both keys', () => {
    const prf = { name: 'vllm-philox', contextWidth: 4, keys: 'dual', alpha: 0.3 } as const;
    const profile = stackProfile(prf, { name: 'gumbel' }, 'turn', 300);
    const watermark = openTextWatermark(profile, vllmKey('7'));
    const text = randomText('dual', 150, 300, watermark);
    const found = detectText(watermark, text);
    expect(found.log10P).toBeLessThan(-20);
    expect(found.log10E).toBeGreaterThan(15);
    expect(detectText(openTextWatermark(profile, vllmKey('8')), text).log10P).toBeGreaterThan(-4);
  });

  it('refuses keys beyond 64 bits and what it cannot carry, without naming the key', () => {
    const prf = { name: 'vllm-philox', contextWidth: 4, keys: 'single' } as const;
    const profile = stackProfile(prf, { name: 'gumbel' }, 'turn', 300);
    expect(() => openTextWatermark(profile, vllmKey('18446744073709551616'))).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.not.stringMatching(/\d/) }),
    );
    for (const scheme of [
      { name: 'green-list', gamma: 0.5, delta: 2 },
      { name: 'tournament', depth: 3 },
    ] as const) {
      expect(() => stackProfile({ ...prf, keys: 'dual' }, scheme, 'turn', 300)).toThrow(
        /gumbel only/,
      );
    }
    for (const change of [{ alpha: 0.2 }, { keys: 'dual', alpha: 1e-6 }] as const) {
      expect(() => stackProfile({ ...prf, ...change }, { name: 'gumbel' }, 'turn', 300)).toThrow(
        /alpha/,
      );
    }
  });

  it('counts exactly the green share of its numbers', () => {
    const prf = vllmPhiloxPrf(42n, { contextWidth: 1, searchesPrompt: false });
    for (const share of [0.25, 0.5, 1 / 3, 0.9]) {
      const green = prf.green(share);
      expect(Math.abs(green.share - share)).toBeLessThan(2 ** -23);
      const context = Int32Array.of(9);
      const list = green.list(context, 5000);
      const tokens = Int32Array.from({ length: 5000 }, (_, token) => token);
      const uniforms = prf.uniform().candidates(context, tokens);
      expect([...list]).toEqual([...uniforms].map((uniform) => (uniform < share ? 1 : 0)));
    }
  });
});
