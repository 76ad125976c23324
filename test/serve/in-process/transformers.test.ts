import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import {
  AutoModelForCausalLM,
  AutoTokenizer,
  env,
  LogitsProcessorList,
  type PreTrainedModel,
  type PreTrainedTokenizer,
  Tensor,
} from '@huggingface/transformers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { failClosed } from '../../../src/serve/failure-policy.ts';
import {
  generateWithTouchmark,
  type WatermarkLogitsProcessor,
} from '../../../src/serve/in-process/transformers.ts';
import { TextDetector } from '../../../src/watermark/text/detect.ts';
import { parseTextProfile } from '../../../src/watermark/text/profile.ts';
import { openTextWatermark } from '../../../src/watermark/text/watermark.ts';
import { writeCausalModel } from '../tiny-causal-model.ts';
import { openScene } from './scene.ts';

const vocabularySize = 64;
const folder = mkdtempSync(join(tmpdir(), 'touchmark-model-'));
let model: PreTrainedModel;
let tokenizer: PreTrainedTokenizer;

beforeAll(async () => {
  writeCausalModel(folder, vocabularySize, 'tiny causal model');
  env.allowRemoteModels = false;
  env.localModelPath = dirname(folder);
  model = await AutoModelForCausalLM.from_pretrained(basename(folder), { dtype: 'fp32' });
  tokenizer = await AutoTokenizer.from_pretrained(basename(folder));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const profile = parseTextProfile(
  {
    schema: 'touchmark/text-profile@1',
    scheme: { name: 'green-list', gamma: 0.25, delta: 4 },
    prf: { name: 'native', contextWidth: 2 },
    repeats: 'turn',
    tokenizer: { name: 'tiny', vocabularySize },
  },
  'a test',
);
const prompts = [
  [1, 2, 3],
  [4, 5, 6],
];

/** Generates twice, and keeps the ids of the answers beside their texts. */
function generation() {
  const answers: Int32Array[] = [];
  const generate = async (processor: WatermarkLogitsProcessor): Promise<string[]> => {
    const processors = new LogitsProcessorList();
    processors.push(processor);
    const output = await model.generate({
      inputs: new Tensor('int64', BigInt64Array.from(prompts.flat(), BigInt), [2, 3]),
      max_new_tokens: 80,
      do_sample: true,
      top_k: 0,
      logits_processor: processors,
    });
    const rows: bigint[][] = (output as Tensor).tolist();
    answers.push(...rows.map((ids) => Int32Array.from(ids, Number)));
    return rows.map((ids) => tokenizer.decode(ids.slice(3), { skip_special_tokens: true }));
  };
  return { answers, generate };
}

function log10P(epochKey: Uint8Array, texts: readonly Int32Array[]): number {
  const detector = new TextDetector(openTextWatermark(profile, { stack: 'touchmark', epochKey }));
  for (const tokens of texts) detector.fold({ tokens, promptLength: 3 });
  return detector.detection().log10P;
}

describe('a generation of transformers.js', () => {
  const request = { tenant: 'acme', request: '{"prompt":"?"}', modelVersion: '8' };

  it('gives marked texts that the log has', async () => {
    const { touchmark, keyRing, records } = await openScene({ text: { profile } });
    const { answers, generate } = generation();
    const texts = await generateWithTouchmark(touchmark, request, generate);
    expect(texts).toHaveLength(2);
    expect(await records()).toMatchObject([
      { request: '{"prompt":"?"}', texts, marks: { text: 'tokens' }, modelVersion: '8' },
    ]);
    expect(log10P(keyRing.epochKey('acme', 'e1'), answers)).toBeLessThan(-6);
  });

  it('keeps texts that the log does not have, and leaves later ones unmarked where the policy says so', async () => {
    const policy = { ...failClosed, ifLogFails: 'fail-open' } as const;
    const { touchmark, keyRing, alarms, failLog } = await openScene({ policy, text: { profile } });
    failLog();
    const { answers, generate } = generation();
    const first = generateWithTouchmark(touchmark, request, generate);
    await expect(first).rejects.toMatchObject({ code: 'STORE_FULL' });
    expect(await generateWithTouchmark(touchmark, request, generate)).toHaveLength(2);
    expect(alarms).toEqual([['unrecorded', 2]]);
    const epochKey = keyRing.epochKey('acme', 'e1');
    expect(log10P(epochKey, answers.slice(0, 2))).toBeLessThan(-6);
    expect(log10P(epochKey, answers.slice(2))).toBeGreaterThan(-4);
  });

  it('is refused without a text profile, and for a tenant that is not there', async () => {
    const none = async () => [];
    const { touchmark } = await openScene();
    const unmarked = generateWithTouchmark(touchmark, request, none);
    await expect(unmarked).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
    const { touchmark: other } = await openScene({ text: { profile } });
    const stranger = generateWithTouchmark(other, { ...request, tenant: 'bolt' }, none);
    await expect(stranger).rejects.toMatchObject({ code: 'TENANT_UNKNOWN' });
  });
});
