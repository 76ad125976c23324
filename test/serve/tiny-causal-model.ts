import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { seededRandom } from '../../src/stats/sampling.ts';
import { tinyTokenizer, tinyTokenizerConfig } from '../models/tokenizers/tiny-tokenizer.ts';

/** Fields of protobuf messages as onnx.proto numbers them (ONNX, IR version 8, operator set 17). */
type Field = readonly [number: number, value: number | string | Uint8Array];

/**
 * Writes the folder of a causal language model that transformers.js can load: the next token's
 * logits are an embedding of the last token times a matrix, both random.
 */
export function writeCausalModel(folder: string, vocabularySize: number, seed: string): void {
  mkdirSync(join(folder, 'onnx'), { recursive: true });
  const width = 16;
  const random = seededRandom(seed);
  const normals = (count: number, scale: number) =>
    Float32Array.from({ length: count }, () => scale * random.normal());
  const graph = message(
    [1, message([1, 'embedding'], [1, 'input_ids'], [2, 'hidden'], [4, 'Gather'])],
    [1, message([1, 'hidden'], [1, 'output'], [2, 'logits'], [4, 'MatMul'])],
    [2, 'causal'],
    [5, matrix('embedding', [vocabularySize, width], normals(vocabularySize * width, 1))],
    [5, matrix('output', [width, vocabularySize], normals(width * vocabularySize, 0.5))],
    [11, tensorInfo('input_ids', int64, ['batch', 'sequence'])],
    [12, tensorInfo('logits', float32, ['batch', 'sequence', vocabularySize])],
  );
  const model = message([1, 8], [7, graph], [8, message([1, ''], [2, 17])]);
  writeFileSync(join(folder, 'onnx', 'model.onnx'), model);
  const config = {
    model_type: 'gpt2',
    architectures: ['GPT2LMHeadModel'],
    vocab_size: vocabularySize,
    n_layer: 1,
    n_head: 1,
    n_embd: width,
  };
  const files = {
    'config.json': config,
    'generation_config.json': {},
    'tokenizer.json': tinyTokenizer,
    'tokenizer_config.json': tinyTokenizerConfig,
  };
  for (const [name, content] of Object.entries(files)) {
    writeFileSync(join(folder, name), JSON.stringify(content));
  }
}

const float32 = 1;
const int64 = 7;

function matrix(name: string, dimensions: readonly number[], values: Float32Array): Uint8Array {
  const raw = new Uint8Array(values.buffer);
  return message(...dimensions.map((size): Field => [1, size]), [2, float32], [8, name], [9, raw]);
}

function tensorInfo(name: string, type: number, sizes: readonly (string | number)[]): Uint8Array {
  const dimensions = sizes.map(
    (size): Field => [1, message(typeof size === 'number' ? [1, size] : [2, size])],
  );
  const tensor = message([1, type], [2, message(...dimensions)]);
  return message([1, name], [2, message([1, tensor])]);
}

/** A protobuf message: numbers as varints, texts and bytes with their length before them. */
function message(...fields: readonly Field[]): Uint8Array {
  return Buffer.concat(
    fields.flatMap(([number, value]) => {
      if (typeof value === 'number') return [varint(number << 3), varint(value)];
      const bytes = Buffer.from(value);
      return [varint((number << 3) | 2), varint(bytes.length), bytes];
    }),
  );
}

function varint(value: number): Uint8Array {
  const bytes = [];
  let rest = value;
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest & 127) | 128);
  return Uint8Array.from([...bytes, rest]);
}
