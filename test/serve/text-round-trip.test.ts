import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { conductTextAudit } from '../../src/audit/conduct-text.ts';
import { provenanceScore } from '../../src/audit/score.ts';
import type { TextMaterial } from '../../src/audit/text-material.ts';
import { decide } from '../../src/audit/verdict.ts';
import { openOpenAiLanguageModel } from '../../src/models/adapters/openai-language-model.ts';
import type { KneserNeyModel } from '../../src/models/language/kneser-ney.ts';
import { type LanguageServer, startLanguageServer } from './language-server.ts';
import {
  biasedProfile,
  readAddresses,
  startOpenAiGateway,
  tokenizer,
  trainOn,
} from './openai-scene.ts';

const { signal } = new AbortController();
const [heldOut, ...texts] = readAddresses(-9);
const protectedModel = trainOn(texts);
let server: LanguageServer;
beforeAll(async () => {
  server = await startLanguageServer({ model: protectedModel, tokenizer });
});
afterAll(() => server.close());

const promptsOf = (from: number, count: number) =>
  Array.from({ length: count }, (_, index) =>
    heldOut!.slice(from + 6 * index, from + 6 * index + 6),
  );
const sampling = { max_tokens: 100, temperature: 1, top_k: 50, n: 6 };

/** Asks a suspect behind its own server, as the audit does. */
async function audit(model: KneserNeyModel, material: TextMaterial) {
  const behind = await startLanguageServer({ model, tokenizer });
  const suspect = openOpenAiLanguageModel(`${behind.origin}/v1/completions?model=ngram`);
  onTestFinished(async () => {
    await suspect.close();
    await behind.close();
  });
  const { evidence } = await conductTextAudit({ material, suspect, batchSize: 8, signal });
  const score = provenanceScore(evidence);
  return { score, verdict: decide(score, 6, true, undefined), samples: evidence[0] };
}

test('a student of what a tenant got through the gateway is matched behind its own server; one of unmarked answers is not', async () => {
  const profile = biasedProfile(texts, 300, 1);
  const { address, client, records, watermark } = await startOpenAiGateway({
    origin: server.origin,
    profile,
    unmarked: [{ prefix: '/safety', tenants: ['acme'] }],
  });
  const ask = async (prefix: string) => {
    const asking = client.withOptions({ baseURL: `${address}${prefix}/v1` });
    const said: string[] = [];
    for (const prompt of promptsOf(0, 15)) {
      const reply = await asking.completions.create({
        model: 'ngram',
        prompt: [...prompt],
        ...sampling,
      });
      said.push(...reply.choices.map(({ text }) => text));
    }
    return said;
  };
  const [stolen, clean] = [await ask(''), await ask('/safety')];
  const served = await records();
  expect(served.filter(({ marks }) => marks.text).flatMap(({ texts }) => texts)).toEqual(stolen);
  const material: TextMaterial = {
    watermark,
    keyMaterial: 'sha256:test/text',
    prompts: promptsOf(90, 30),
    sampling: { maxTokens: 60, temperature: 1, topK: 50, seed: 'audit' },
    readings: [],
    horizon: 0,
    encode: tokenizer.encode,
  };
  const studentOf = (said: readonly string[]) =>
    trainOn(said.map((text) => Int32Array.from(tokenizer.encode(text))));
  const guilty = await audit(studentOf(stolen), material);
  const innocent = await audit(studentOf(clean), material);
  expect(guilty.verdict).toBe('match');
  expect(innocent.verdict).not.toBe('match');
  expect(innocent.score).toBeLessThan(2);
});
