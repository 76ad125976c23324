import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import {
  AutoModelForCausalLM,
  env,
  LogitsProcessorList,
  type PreTrainedModel,
  random,
  Tensor,
} from '@huggingface/transformers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createLogitsProcessor } from '../../src/serve/logits-processor.ts';
import { TextDetector } from '../../src/watermark/text/detect.ts';
import { parseTextProfile } from '../../src/watermark/text/profile.ts';
import { openTextWatermark, type TextWatermark } from '../../src/watermark/text/watermark.ts';
import { writeCausalModel } from './tiny-causal-model.ts';

const vocabularySize = 300;
const folder = mkdtempSync(join(tmpdir(), 'touchmark-model-'));
let model: PreTrainedModel;

beforeAll(async () => {
  writeCausalModel(folder, vocabularySize, 'tiny causal model');
  env.allowRemoteModels = false;
  env.localModelPath = dirname(folder);
  model = await AutoModelForCausalLM.from_pretrained(basename(folder), { dtype: 'fp32' });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const schemes = {
  'green-list': { name: 'green-list', gamma: 0.25, delta: 3 },
  gumbel: { name: 'gumbel' },
  tournament: { name: 'tournament', depth: 30 },
} as const;
type SchemeName = keyof typeof schemes;

function watermark(scheme: SchemeName, keyByte = 1): TextWatermark {
  const profile = parseTextProfile(
    {
      schema: 'touchmark/text-profile@1',
      scheme: schemes[scheme],
      prf: { name: 'native', contextWidth: 2 },
      repeats: 'turn',
      tokenizer: { name: 'ids', vocabularySize },
    },
    'the profile',
  );
  return openTextWatermark(profile, {
    stack: 'touchmark',
    epochKey: new Uint8Array(32).fill(keyByte),
  });
}

const prompts = [
  [1, 2, 3, 4],
  [5, 6, 7, 8],
  [1, 2, 3, 9],
];

async function generate(
  mark: TextWatermark | undefined,
  settings: Record<string, unknown>,
  rows: readonly number[][] = prompts,
): Promise<Int32Array[]> {
  random.seed(7);
  const processors = new LogitsProcessorList();
  if (mark !== undefined) processors.push(createLogitsProcessor(mark));
  const shape = [rows.length, rows[0]!.length];
  const output = await model.generate({
    inputs: new Tensor('int64', BigInt64Array.from(rows.flat(), BigInt), shape),
    max_new_tokens: 150,
    logits_processor: processors,
    ...settings,
  });
  if (!(output instanceof Tensor)) throw new TypeError('generate() gave no tensor');
  const lists: bigint[][] = output.tolist();
  return lists.map((ids) => Int32Array.from(ids, Number));
}

function log10P(mark: TextWatermark, texts: readonly Int32Array[]): number {
  const detector = new TextDetector(mark);
  for (const tokens of texts) detector.fold({ tokens, promptLength: 4 });
  return detector.detection().log10P;
}

describe('a logits processor in generate() of transformers.js', () => {
  const sampled = { do_sample: true, top_k: 0, temperature: 0.9 };

  it.each(
    Object.keys(schemes) as SchemeName[],
  )('embeds %s, and only with the processor', async (scheme) => {
    const mark = watermark(scheme);
    const marked = await generate(mark, sampled);
    expect(marked.map(({ length }) => length)).toEqual([154, 154, 154]);
    expect(log10P(mark, marked)).toBeLessThan(-12);
    for (const text of marked) expect(log10P(mark, [text])).toBeLessThan(-3);
    expect(log10P(watermark(scheme, 2), marked)).toBeGreaterThan(-3);
    expect(log10P(mark, await generate(undefined, sampled))).toBeGreaterThan(-3);
  });

  it.each([
    ['greedy search', { do_sample: false }],
    ['beams', { do_sample: false, num_beams: 3 }],
  ])('lets %s take what Gumbel-max chose', async (_, settings) => {
    const mark = watermark('gumbel');
    const marked = await generate(mark, settings);
    expect(log10P(mark, marked)).toBeLessThan(-12);
    expect(await generate(mark, settings)).toEqual(marked);
  });

  it('marks a row the same alone and in a batch', async () => {
    const mark = watermark('gumbel');
    const short = { ...sampled, max_new_tokens: 12 };
    const together = await generate(mark, short);
    const [alone] = await generate(mark, short, [prompts[1]!]);
    expect(alone!.slice(0, 10)).toEqual(together[1]!.slice(0, 10));
  });

  it('begins afresh when the same processor serves another generation', async () => {
    const mark = watermark('gumbel');
    const processor = createLogitsProcessor(mark);
    const run = () =>
      generate(undefined, { do_sample: false, logits_processor: [processor], max_new_tokens: 20 });
    expect(await run()).toEqual(await run());
  });
});

describe('a logits processor by itself', () => {
  const logits = (rows: number) =>
    new Tensor(
      'float32',
      Float32Array.from(
        { length: rows * vocabularySize },
        (_, index) => ((index % vocabularySize) * 37) % 11,
      ),
      [rows, vocabularySize],
    );

  it('marks each row as its own tokens say, also when beams change places', () => {
    const mark = watermark('green-list');
    const processor = createLogitsProcessor(mark);
    const prompt = [10n, 11n, 12n];
    processor([prompt, prompt], logits(2));
    processor(
      [
        [...prompt, 20n],
        [...prompt, 21n],
      ],
      logits(2),
    );
    const moved = [
      [...prompt, 21n, 30n],
      [...prompt, 20n, 31n],
    ];
    const found = processor(moved, logits(2));
    for (const [row, ids] of moved.entries()) {
      const expected = new Float32Array(logits(1).data as Float32Array);
      mark.marker({ promptLength: 3 }).mark(expected, Int32Array.from(ids, Number));
      expect(found.data.subarray(row * vocabularySize, (row + 1) * vocabularySize)).toEqual(
        expected,
      );
    }
  });

  it.each([
    ['half floats', { dims: [1, 4], data: new Uint16Array(4) }],
    ['another number of rows', { dims: [2, 4], data: new Float32Array(8) }],
  ])('refuses %s', (_, tensor) => {
    const processor = createLogitsProcessor(watermark('gumbel'));
    expect(() => processor([[1n, 2n]], tensor)).toThrow(
      expect.objectContaining({ code: 'INPUT_INVALID' }),
    );
  });
});
