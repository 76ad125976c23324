import type { TokenCandidates } from '../../../contracts.ts';
import { tokensAboveNothing } from '../kernel/plain-kernel.ts';
import type { GenerationOptions } from './scheme.ts';

/** Tokens that may come next and their tempered logits. */
export interface Candidates {
  readonly tokens: Int32Array;
  readonly logits: Float64Array;
}

/** Those of an engine's candidates that may come next. */
export interface PossibleCandidates extends Candidates {
  /** Where each stood among the engine's candidates; absent when all may come next. */
  readonly rows?: Int32Array;
}

/**
 * Returns the tokens below `vocabularySize` whose logit is a number above -Infinity, or the `topK`
 * likeliest of them (the lower id first among equals), by id, with logits divided by the temperature.
 */
export function candidatesOf(
  logits: Float32Array,
  vocabularySize: number,
  options: GenerationOptions,
): Candidates {
  const { temperature = 1, topK = Infinity } = options;
  const size = Math.min(vocabularySize, logits.length);
  const tokens = topK < size ? largest(logits, size, topK) : tokensAboveNothing(logits, size);
  return { tokens, logits: tempered(logits, tokens, temperature) };
}

/** Returns the logits of some tokens, divided by the temperature. */
export function tempered(
  logits: Float32Array,
  tokens: Int32Array,
  temperature: number,
): Float64Array {
  const values = new Float64Array(tokens.length);
  for (let index = 0; index < values.length; index++) {
    values[index] = logits[tokens[index]!]! / temperature;
  }
  return values;
}

/**
 * Returns the candidates below `vocabularySize` whose logit is a number above -Infinity, in their
 * order, with logits divided by the temperature.
 */
export function possibleCandidates(
  { tokens, logits }: TokenCandidates,
  vocabularySize: number,
  { temperature = 1 }: GenerationOptions,
): PossibleCandidates {
  const rows = new Int32Array(tokens.length);
  const values = new Float64Array(tokens.length);
  let count = 0;
  for (let row = 0; row < tokens.length; row++) {
    const token = tokens[row]!;
    if (!(token >= 0 && token < vocabularySize && logits[row]! > -Infinity)) continue;
    rows[count] = row;
    values[count++] = logits[row]! / temperature;
  }
  if (count === tokens.length) return { tokens, logits: values };
  const some = rows.subarray(0, count);
  return { tokens: some.map((row) => tokens[row]!), logits: values.subarray(0, count), rows: some };
}

/** Writes the possible candidates' logits back; every other candidate becomes impossible. */
export function writePossible(
  { logits }: TokenCandidates,
  { rows, logits: values }: PossibleCandidates,
): void {
  if (!rows) {
    logits.set(values);
    return;
  }
  logits.fill(-Infinity);
  for (let index = 0; index < rows.length; index++) logits[rows[index]!] = values[index]!;
}

/** Replaces the logits by those of the candidates; every other token becomes impossible. */
export function writeCandidates(
  logits: Float32Array,
  tokens: Int32Array,
  values: ArrayLike<number>,
): void {
  logits.fill(-Infinity);
  for (let index = 0; index < tokens.length; index++) logits[tokens[index]!] = values[index]!;
}

function largest(logits: Float32Array, size: number, most: number): Int32Array {
  const heap = new Int32Array(most);
  let count = 0;
  let least = -Infinity;
  for (let token = 0; token < size; token++) {
    const logit = logits[token]!;
    if (!(logit > least)) continue;
    if (count < most) {
      siftUp(heap, count++, token, logits);
      if (count < most) continue;
    } else siftDown(heap, token, logits);
    least = logits[heap[0]!]!;
  }
  return heap.subarray(0, count).sort();
}

/** The root of the heap is the worst kept token: the smallest logit, the highest id among equals. */
function worse(a: number, b: number, logits: Float32Array): boolean {
  return logits[a]! < logits[b]! || (logits[a] === logits[b] && a > b);
}

function siftUp(heap: Int32Array, at: number, token: number, logits: Float32Array): void {
  let index = at;
  while (index > 0) {
    const parent = (index - 1) >> 1;
    if (!worse(token, heap[parent]!, logits)) break;
    heap[index] = heap[parent]!;
    index = parent;
  }
  heap[index] = token;
}

function siftDown(heap: Int32Array, token: number, logits: Float32Array): void {
  let index = 0;
  for (;;) {
    let child = 2 * index + 1;
    if (child >= heap.length) break;
    if (child + 1 < heap.length && worse(heap[child + 1]!, heap[child]!, logits)) child++;
    if (!worse(heap[child]!, token, logits)) break;
    heap[index] = heap[child]!;
    index = child;
  }
  heap[index] = token;
}
