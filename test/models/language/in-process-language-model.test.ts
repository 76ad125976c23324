import { describe, expect, it } from 'vitest';
import type { Completion, Sampling, Tokenizer, TokenMarker } from '../../../src/contracts.ts';
import { InProcessLanguageModel } from '../../../src/models/language/in-process-language-model.ts';
import { trainKneserNey } from '../../../src/models/language/kneser-ney.ts';
import { fixedModel } from './fixed-model.ts';

const alphabet = ' abcdefghijklmnopqrstuvwxyz';
const tokenizer: Tokenizer = {
  name: 'letters',
  vocabularySize: alphabet.length,
  encode: (text) => Array.from(text, (letter) => alphabet.indexOf(letter)),
  decode: (tokens) => tokens.map((token) => alphabet[token]).join(''),
};
const ids = (text: string) => Int32Array.from(tokenizer.encode(text));
const source = trainKneserNey([ids('the cat sat on the mat and that cat ate the rat at the tap')], {
  order: 3,
  vocabularySize: alphabet.length,
});
const { signal } = new AbortController();

function languageModel(marker?: (promptLength: number) => TokenMarker): InProcessLanguageModel {
  return new InProcessLanguageModel(source, { name: 'cat', tokenizer, ...(marker && { marker }) });
}

async function say(
  prompt: string | Int32Array,
  sampling: Partial<Sampling> = {},
  model = languageModel(),
): Promise<Completion> {
  const options = { maxTokens: 30, temperature: 1, seed: 'a', ...sampling };
  const [outcome] = await model.complete([prompt], { sampling: options, signal });
  return (outcome as { answer: Completion }).answer;
}

describe('InProcessLanguageModel', () => {
  it('describes itself', async () => {
    expect(await languageModel().describe()).toEqual({
      name: 'cat',
      vocabularySize: 27,
      gives: ['completions', 'token-probabilities'],
    });
  });

  it('completes text as it does token ids, and tells tokens and text', async () => {
    const answer = await say('the c');
    expect(await say(ids('the c'))).toEqual(answer);
    expect(answer.tokens).toHaveLength(30);
    expect(ids(answer.text)).toEqual(answer.tokens);
  });

  it('says the same for the same seed and prompt, wherever the prompt stands', async () => {
    const sampling = { maxTokens: 30, temperature: 1, seed: 'a' };
    const outcomes = await languageModel().complete(['a', 'the c', 'a'], { sampling, signal });
    expect(outcomes[0]).toEqual(outcomes[2]);
    expect(outcomes[1]).toEqual({ answer: await say('the c') });
    expect(outcomes[0]).not.toEqual({ answer: await say('a', { seed: 'b' }) });
  });

  it('says something new without a seed', async () => {
    const sampling = { maxTokens: 60, temperature: 1 };
    const outcomes = await languageModel().complete(['a', 'a'], { sampling, signal });
    expect(outcomes[0]).not.toEqual(outcomes[1]);
  });

  it('has nothing to say with maxTokens 0', async () => {
    expect(await say('the c', { maxTokens: 0 })).toEqual({ text: '', tokens: new Int32Array(0) });
  });

  it('repeats what it read at temperature 0, from an empty prompt too', async () => {
    expect((await say('', { temperature: 0, maxTokens: 4 })).text).toBe('the ');
  });

  it('gives every completion a marker of its own, which sees prompt and output', async () => {
    const seen: { promptLength: number; contexts: Int32Array[] }[] = [];
    const marked = languageModel((promptLength) => {
      const contexts: Int32Array[] = [];
      seen.push({ promptLength, contexts });
      return { mark: (_, context) => contexts.push(context.slice()) };
    });
    const sampling = { maxTokens: 5, temperature: 0.7, topK: 4, seed: 's' };
    const outcomes = await marked.complete(['cat', ''], { sampling, signal });
    expect(seen.map(({ promptLength }) => promptLength)).toEqual([3, 0]);
    for (const [index, prompt] of ['cat', ''].entries()) {
      const { text } = (outcomes[index] as { answer: Completion }).answer;
      const expected = Array.from(text, (_, at) => ids(prompt + text.slice(0, at)));
      expect(seen[index]!.contexts).toEqual(expected);
    }
  });

  it('says what a marker makes it say', async () => {
    const z = alphabet.indexOf('z');
    const marked = languageModel(() => ({
      mark: (logits) => {
        logits[z] = 1000;
      },
    }));
    expect((await say('cat', { maxTokens: 5 }, marked)).text).toBe('zzzzz');
    expect((await say('cat', { maxTokens: 5, topK: 3 }, marked)).text).not.toContain('z');
  });

  it('stops when it is told to, before and while it speaks', async () => {
    const sampling = { maxTokens: 1e6, temperature: 1 };
    const reason = new Error('enough');
    const stopped = AbortSignal.abort(reason);
    await expect(languageModel().complete(['a'], { sampling, signal: stopped })).rejects.toBe(
      reason,
    );
    await expect(languageModel().score([ids('a')], { signal: stopped })).rejects.toBe(reason);
    const controller = new AbortController();
    setImmediate(() => setImmediate(() => controller.abort(reason)));
    const speaking = languageModel().complete(['a'], { sampling, signal: controller.signal });
    await expect(speaking).rejects.toBe(reason);
  });

  it('scores contexts with its own distribution, marker or not', async () => {
    const marked = languageModel(() => ({ mark: (logits) => logits.fill(0) }));
    const outcomes = await marked.score([ids('the'), new Int32Array(0)], { signal });
    for (const [index, context] of [ids('the'), new Int32Array(0)].entries()) {
      const outcome = outcomes[index]!;
      if (!('answer' in outcome)) throw new Error('no answer');
      const { tokens, logProbabilities } = outcome.answer;
      const expected = source.nextDistribution(context);
      expect(new Set(tokens).size).toBe(alphabet.length);
      tokens.forEach((token, at) => {
        expect(Math.exp(logProbabilities[at]!)).toBeCloseTo(expected[token]!, 6);
      });
    }
  });

  it('lists only the likeliest tokens of a large vocabulary when asked', async () => {
    const model = new InProcessLanguageModel(fixedModel([0.1, 0.2, 0.3, 0.4], { 0: 0.3 }), {
      name: 'fixed',
      tokenizer: { ...tokenizer, vocabularySize: 4 },
      listed: 2,
    });
    const [outcome] = await model.score([new Int32Array(0)], { signal });
    const { tokens } = (outcome as { answer: { tokens: Int32Array } }).answer;
    expect([...tokens].sort()).toEqual(
      [2, 3]
        .filter((token) => token !== 2)
        .concat(0)
        .sort(),
    );
  });

  it('refuses token ids outside its vocabulary, and a tokenizer that has more', async () => {
    for (const stranger of [-1, 27]) {
      const invalid = expect.objectContaining({ code: 'INPUT_INVALID' });
      await expect(say(Int32Array.of(1, stranger))).rejects.toThrow(invalid);
      const scored = languageModel().score([Int32Array.of(stranger)], { signal });
      await expect(scored).rejects.toThrow(invalid);
    }
    const larger = { ...tokenizer, vocabularySize: 28 };
    expect(() => new InProcessLanguageModel(source, { name: 'cat', tokenizer: larger })).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID' }),
    );
  });
});
