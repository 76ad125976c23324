import type { TokenMarker } from '../contracts.ts';
import { TouchmarkError } from '../errors.ts';
import type { GenerationOptions } from '../watermark/text/schemes/scheme.ts';
import type { TextWatermark } from '../watermark/text/watermark.ts';

/** What is used of a tensor of transformers.js: float32, the last dimension over token ids. */
export interface LogitsTensor {
  readonly dims: readonly number[];
  readonly data: unknown;
}

/** A processor as `generate()` of transformers.js calls it: a function that also answers to `_call`. */
export interface WatermarkLogitsProcessor {
  <Tensor extends LogitsTensor>(inputIds: bigint[][], logits: Tensor): Tensor;
  _call<Tensor extends LogitsTensor>(inputIds: bigint[][], logits: Tensor): Tensor;
}

/**
 * Returns a `LogitsProcessor` for `generate()` of @huggingface/transformers, which this package does
 * not import. Each row of the batch has a marker of its own; the first call's ids are the prompt,
 * unless `promptLength` says otherwise, and ids that do not go on from the last call begin afresh.
 *
 * transformers.js divides by the temperature before its processors and cuts to `top_k` after them.
 * Set `top_k: 0` with the tournament, which is to be sampled in full; greedy search takes its
 * likeliest token. Gumbel-max leaves one candidate, so any search takes it, also beams, which then
 * agree. A beam that moves to another row is marked by its own tokens.
 *
 * @example
 * const processors = new LogitsProcessorList();
 * processors.push(createLogitsProcessor(watermark));
 * await model.generate({ ...inputs, do_sample: true, top_k: 0, logits_processor: processors });
 *
 * @throws TouchmarkError INPUT_INVALID from the processor when logits are not float32 rows
 */
export function createLogitsProcessor(
  watermark: TextWatermark,
  options: Partial<GenerationOptions> = {},
): WatermarkLogitsProcessor {
  let rows: GenerationRow[] = [];
  const process = <Tensor extends LogitsTensor>(inputIds: bigint[][], logits: Tensor): Tensor => {
    const parts = logitsRows(logits, inputIds.length);
    rows = isSameGeneration(rows, inputIds)
      ? inputIds.map((ids, index) => rows[index]!.next(ids))
      : inputIds.map(
          (ids) => new GenerationRow(watermark, { promptLength: ids.length, ...options }, ids),
        );
    for (const [index, row] of rows.entries()) row.mark(parts[index]!);
    return logits;
  };
  return Object.assign(process, { _call: process });
}

/** One sequence that grows token by token. */
class GenerationRow {
  readonly #watermark: TextWatermark;
  readonly #options: GenerationOptions;
  readonly #marker: TokenMarker;
  #tokens: Int32Array;
  #length: number;

  constructor(watermark: TextWatermark, options: GenerationOptions, ids: readonly bigint[]) {
    this.#watermark = watermark;
    this.#options = options;
    this.#marker = watermark.marker(options);
    this.#tokens = Int32Array.from(ids, Number);
    this.#length = ids.length;
  }

  /** Says whether ids are one longer than this row and begin with its prompt. */
  mayContinue(ids: readonly bigint[]): boolean {
    return ids.length === this.#length + 1 && this.#beginsAlike(ids, this.#options.promptLength);
  }

  /** Returns this row with one token more, or a new one of the same generation for other tokens. */
  next(ids: readonly bigint[]): GenerationRow {
    if (!this.#beginsAlike(ids, this.#length)) {
      return new GenerationRow(this.#watermark, this.#options, ids);
    }
    if (this.#length === this.#tokens.length) {
      const longer = new Int32Array(2 * this.#length + 64);
      longer.set(this.#tokens);
      this.#tokens = longer;
    }
    this.#tokens[this.#length++] = Number(ids.at(-1));
    return this;
  }

  mark(logits: Float32Array): void {
    this.#marker.mark(logits, this.#tokens.subarray(0, this.#length));
  }

  #beginsAlike(ids: readonly bigint[], length: number): boolean {
    for (let at = 0; at < Math.min(length, this.#length); at++) {
      if (Number(ids[at]) !== this.#tokens[at]) return false;
    }
    return true;
  }
}

function isSameGeneration(rows: readonly GenerationRow[], inputIds: readonly bigint[][]): boolean {
  return (
    rows.length === inputIds.length && inputIds.every((ids, index) => rows[index]!.mayContinue(ids))
  );
}

function logitsRows({ dims, data }: LogitsTensor, count: number): Float32Array[] {
  const size = dims.at(-1) ?? 0;
  if (data instanceof Float32Array && data.length === count * size && count > 0) {
    return Array.from({ length: count }, (_, row) => data.subarray(row * size, (row + 1) * size));
  }
  const found = data instanceof Float32Array ? `of ${dims.join(' x ')}` : 'that is not float32';
  throw new TouchmarkError('INPUT_INVALID', `A tensor of logits ${found} for ${count} sequences.`, {
    hint: 'The processor takes the last logits of every sequence, as generate() gives them.',
  });
}
