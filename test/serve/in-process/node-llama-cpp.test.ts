import { describe, expect, it } from 'vitest';
import { failClosed } from '../../../src/serve/failure-policy.ts';
import {
  type LlamaSequence,
  sampleWithTouchmark,
} from '../../../src/serve/in-process/node-llama-cpp.ts';
import { TextDetector } from '../../../src/watermark/text/detect.ts';
import { parseTextProfile } from '../../../src/watermark/text/profile.ts';
import { openTextWatermark } from '../../../src/watermark/text/watermark.ts';
import { nodeLlamaCppEntry, noNodeLlamaCpp, smolLm2 } from './cached-node-llama-cpp.ts';
import { openScene } from './scene.ts';

function gumbel(vocabularySize: number) {
  return parseTextProfile(
    {
      schema: 'touchmark/text-profile@1',
      scheme: { name: 'gumbel' },
      prf: { name: 'native', contextWidth: 2 },
      repeats: 'turn',
      tokenizer: { name: 'a test', vocabularySize },
    },
    'a test',
  );
}

function log10P(
  profile: ReturnType<typeof gumbel>,
  epochKey: Uint8Array,
  tokens: readonly number[],
) {
  const detector = new TextDetector(openTextWatermark(profile, { stack: 'touchmark', epochKey }));
  detector.fold({ tokens: Int32Array.from(tokens), promptLength: 3 });
  return detector.detection().log10P;
}

/** A model of 40 tokens that are all as likely, but for the last, which ends a text and comes after 30. */
function evenSequence(ends = 30): LlamaSequence & { readonly fed: number[] } {
  const fed: number[] = [];
  return {
    fed,
    model: { isEogToken: (token) => token === 39, detokenize: (tokens) => tokens.join(' ') },
    async controlledEvaluate(input) {
      fed.push(...input.map((item) => (typeof item === 'number' ? item : item[0])));
      const last = input.at(-1)!;
      const asked = typeof last === 'number' ? undefined : last[1].generateNext;
      expect(asked).toEqual({
        probabilities: true,
        options: { temperature: 1, topK: 0, topP: 1, minP: 0 },
      });
      if (fed.length > ends)
        return input.map(() => ({ next: { probabilities: new Map([[39, 1]]) } }));
      const probabilities = new Map(Array.from({ length: 39 }, (_, token) => [token, 1 / 39]));
      return input.map((_, at) =>
        at === input.length - 1 ? { next: { probabilities } } : undefined,
      );
    },
  };
}

describe('sampling in a sequence of node-llama-cpp', () => {
  const profile = gumbel(40);
  const options = { tenant: 'acme', request: '"?"', prompt: [1, 2, 3], maxTokens: 100 };

  it('marks each token, feeds each once, ends where the model does, and has recorded the answer', async () => {
    const { touchmark, keyRing, records } = await openScene({ text: { profile } });
    const sequence = evenSequence();
    const heard: number[] = [];
    const onToken = (token: number) => void heard.push(token);
    const { tokens, text } = await sampleWithTouchmark(touchmark, sequence, {
      ...options,
      onToken,
    });
    expect(tokens).toHaveLength(28);
    expect([sequence.fed, heard]).toEqual([[1, 2, 3, ...tokens], tokens]);
    expect(await records()).toMatchObject([
      { request: '"?"', texts: [text], marks: { text: 'tokens' }, modelVersion: '7' },
    ]);
    const sequenceTokens = [1, 2, 3, ...tokens];
    expect(log10P(profile, keyRing.epochKey('acme', 'e1'), sequenceTokens)).toBeLessThan(-8);
  });

  it('stops when it is told to, and has recorded what came', async () => {
    const { touchmark, records } = await openScene({ text: { profile } });
    const stop = new AbortController();
    let drawn = 0;
    const onToken = () => {
      drawn += 1;
      if (drawn === 5) stop.abort();
    };
    const { signal } = stop;
    const answer = await sampleWithTouchmark(touchmark, evenSequence(), {
      ...options,
      signal,
      onToken,
    });
    expect(answer.tokens).toHaveLength(5);
    const broken = evenSequence();
    const evaluate = broken.controlledEvaluate;
    broken.controlledEvaluate = async (input) => {
      if (broken.fed.length >= 5) throw new Error('no memory');
      return evaluate(input);
    };
    const part = sampleWithTouchmark(touchmark, broken, { ...options, onToken: () => undefined });
    await expect(part).rejects.toThrow('no memory');
    const texts = (await records()).flatMap((record) => ('texts' in record ? record.texts : []));
    expect(texts.map((each) => each.split(' ').length)).toEqual([5, 3]);
  });

  it('keeps an answer that the log does not have, and draws without a mark where the policy says so', async () => {
    const closed = await openScene({ text: { profile } });
    closed.failLog();
    const kept = sampleWithTouchmark(closed.touchmark, evenSequence(), options);
    await expect(kept).rejects.toMatchObject({ code: 'STORE_FULL' });

    const policy = { ...failClosed, ifLogFails: 'fail-open' } as const;
    const open = await openScene({ policy, text: { profile } });
    open.failLog();
    await expect(sampleWithTouchmark(open.touchmark, evenSequence(), options)).rejects.toThrow();
    const { tokens } = await sampleWithTouchmark(open.touchmark, evenSequence(), options);
    const epochKey = open.keyRing.epochKey('acme', 'e1');
    expect(log10P(profile, epochKey, [1, 2, 3, ...tokens])).toBeGreaterThan(-5);
    expect(open.alarms).toEqual([['unrecorded', 1]]);
  });

  it.each([
    ['a smaller vocabulary', 20, {}, 'CONFIG_INVALID'],
    ['no prompt', 40, { prompt: [] }, 'INPUT_INVALID'],
    ['temperature 0', 40, { temperature: 0 }, 'INPUT_INVALID'],
  ])('refuses %s', async (_, vocabularySize, changed, code) => {
    const { touchmark } = await openScene({ text: { profile: gumbel(vocabularySize) } });
    const answer = sampleWithTouchmark(touchmark, evenSequence(), { ...options, ...changed });
    await expect(answer).rejects.toMatchObject({ code });
  });
});

/** What is used of the package's own module, which is not there for the compiler. */
interface NodeLlamaCpp {
  getLlama(options: object): Promise<{
    loadModel(options: object): Promise<{
      tokenize(text: string, special: boolean): number[];
      createContext(options: object): Promise<{ getSequence(): LlamaSequence }>;
    }>;
    dispose(): Promise<void>;
  }>;
}

describe.skipIf(noNodeLlamaCpp)(
  `SmolLM2 in node-llama-cpp${noNodeLlamaCpp ? ` (${noNodeLlamaCpp})` : ''}`,
  () => {
    it('says marked words, which its log has and its key finds', async () => {
      const { getLlama }: NodeLlamaCpp = await import(nodeLlamaCppEntry);
      const llama = await getLlama({ gpu: false, build: 'never', logLevel: 'error' });
      try {
        const model = await llama.loadModel({ modelPath: smolLm2 });
        const context = await model.createContext({ contextSize: 256, threads: 1 });
        const profile = gumbel(49_152);
        const { touchmark, keyRing, records } = await openScene({ text: { profile } });
        const request = 'Once upon a';
        const prompt = model.tokenize(request, true);
        const { tokens, text } = await sampleWithTouchmark(touchmark, context.getSequence(), {
          ...{ tenant: 'acme', request: JSON.stringify(request), prompt, maxTokens: 40 },
        });
        expect(await records()).toMatchObject([{ texts: [text], marks: { text: 'tokens' } }]);
        const all = [...prompt, ...tokens];
        expect(prompt).toHaveLength(3);
        expect(log10P(profile, keyRing.epochKey('acme', 'e1'), all)).toBeLessThan(-4);
        expect(log10P(profile, new Uint8Array(32).fill(1), all)).toBeGreaterThan(-4);
      } finally {
        await llama.dispose();
      }
    });
  },
);
