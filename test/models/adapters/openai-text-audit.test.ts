import { afterAll, beforeAll, expect, test } from 'vitest';
import { conductTextAudit } from '../../../src/audit/conduct-text.ts';
import type { TextMaterial } from '../../../src/audit/text-material.ts';
import type { Completion, LanguageModel, TokenDistribution } from '../../../src/contracts.ts';
import { openOpenAiLanguageModel } from '../../../src/models/adapters/openai-language-model.ts';
import { openTextWatermark } from '../../../src/watermark/text/watermark.ts';
import {
  asLanguageModel,
  generate,
  outputsOf,
  sceneProfile,
  signal,
  textMaterial,
  trainModel,
  wordIds,
  writeText,
} from '../../audit/text-scene.ts';
import { nativeKey } from '../../watermark/text/random-text.ts';
import { type HostileServer, say, startHostileServer } from './hostile-server.ts';

let server: HostileServer;
let material: TextMaterial;
let student: LanguageModel;
beforeAll(async () => {
  server = await startHostileServer();
  const profile = sceneProfile({ name: 'green-list', gamma: 0.25, delta: 3 });
  const key = nativeKey('stolen');
  const protectedModel = trainModel([writeText('training', 40_000)]);
  const marked = asLanguageModel(protectedModel, openTextWatermark(profile, key));
  const log = await generate(marked, 'served', 40, 200);
  const reference = trainModel([writeText('other training', 20_000)]);
  material = textMaterial({ profile, key, log, reference, readings: 150 });
  student = asLanguageModel(trainModel(outputsOf(log)));
});
afterAll(() => server.close());

interface Question {
  readonly prompt: number[];
  readonly max_tokens: number;
  readonly temperature: number;
  readonly seed?: number;
  readonly logprobs?: number;
}

/** Has the student answer requests to `/completions` as a server of some dialect words it. */
function serveStudent(
  dialect: (completion: Completion, next: TokenDistribution, listed: number) => object,
): void {
  const answer = async ({ prompt, ...body }: Question) => {
    const context = Int32Array.from(prompt);
    const { max_tokens: maxTokens, temperature, seed, logprobs = 0 } = body;
    const sampling = { maxTokens, temperature, seed: String(seed) };
    const [completed] = await student.complete([context], { sampling, signal });
    const [scored] = (await student.score?.([context], { signal })) ?? [];
    if (!completed || !('answer' in completed) || !scored || !('answer' in scored)) {
      throw new Error('a model of this process always answers');
    }
    return { choices: [dialect(completed.answer, scored.answer, logprobs)] };
  };
  server.play((response, request) => {
    answer(JSON.parse(request.body)).then(
      (reply) => say(reply)(response, request),
      (error) => say(String(error), 500)(response, request),
    );
  });
}

/** With ids in every place, as vLLM gives them. */
const asVllm: Parameters<typeof serveStudent>[0] = ({ text, tokens = [] }, next, listed) => {
  const names = Array.from(next.tokens, (token) => `token_id:${token}`).slice(0, listed);
  const first = names.map((name, place) => [name, next.logProbabilities[place]!]);
  return {
    text,
    token_ids: [...tokens],
    logprobs: { tokens: Array.from(tokens, String), top_logprobs: [Object.fromEntries(first)] },
  };
};

/** With texts in every place, as OpenAI gives them. */
const asOpenAi: Parameters<typeof serveStudent>[0] = ({ text }, next, listed) => {
  const names = Array.from(next.tokens, (token) => wordIds.decode([token])).slice(0, listed);
  const first = names.map((name, place) => [name, next.logProbabilities[place]!]);
  return { text, logprobs: { tokens: [names[0]], top_logprobs: [Object.fromEntries(first)] } };
};

async function audit() {
  const suspect = openOpenAiLanguageModel(`${server.origin}/v1/completions?model=student`);
  const { evidence } = await conductTextAudit({ material, suspect, batchSize: 64, signal });
  const { requests } = suspect.counts();
  await suspect.close();
  return { evidence, requests };
}

test('a text audit finds a student behind a server that gives ids, by all three tests', async () => {
  serveStudent(asVllm);
  const { evidence, requests } = await audit();
  const [samples, reading, contrast] = evidence;
  expect(samples?.log10E).toBeGreaterThan(6);
  expect(reading?.log10E).toBeGreaterThan(1);
  expect(contrast?.log10E).toBeGreaterThan(2);
  const probes = evidence.reduce((sum, each) => sum + each.probes, 0);
  expect(requests).toBe(probes + 1);
});

test('behind one that gives texts only, by the tests that need no more', async () => {
  serveStudent(asOpenAi);
  const [samples, reading, contrast] = (await audit()).evidence;
  expect(samples?.log10E).toBeGreaterThan(6);
  expect(reading?.log10E).toBeGreaterThan(1);
  expect(contrast?.status).toBe('not-applicable');
});

test('ids that are no tokens of ours count for nothing', async () => {
  serveStudent((_, next) => ({
    text: '',
    token_ids: [300, 2 ** 31 - 1],
    logprobs: {
      tokens: ['token_id:300'],
      top_logprobs: [{ 'token_id:300': 0, 'token_id:301': -1 }],
    },
    listed: next.tokens.length,
  }));
  for (const { log10E, log10P } of (await audit()).evidence) {
    expect(Math.abs(log10E)).toBe(0);
    expect(log10P).toBeUndefined();
  }
});
