import type { Input } from '../contracts.ts';

/** The questions on a path from one to another, at whole steps. */
export interface Path {
  /** The last step; step 0 is where the path begins. */
  readonly length: number;
  /** @param step in 0..length */
  at(step: number): Input;
}

const words = new Intl.Segmenter('und', { granularity: 'word' });

/**
 * Returns the path between two questions: tensors are interpolated in 2^`depth` steps; of texts, step
 * s of m has the last words of `from` behind the first words of `to`, in the proportion m - s to s, so
 * that every step but the ends is a splice at word boundaries. Nothing for a text and a tensor, or
 * tensors of different shapes.
 */
export function pathBetween(from: Input, to: Input, depth: number): Path | undefined {
  if (typeof from === 'string' || typeof to === 'string') {
    return typeof from === 'string' && typeof to === 'string' ? splices(from, to) : undefined;
  }
  if (from.shape.join() !== to.shape.join()) return undefined;
  const length = 2 ** depth;
  return {
    length,
    at(step) {
      const share = step / length;
      const data = from.data.map((value, index) => value + share * (to.data[index]! - value));
      return { shape: from.shape, data };
    },
  };
}

function splices(from: string, to: string): Path {
  const [last, first] = [wordsOf(from), wordsOf(to)];
  const length = Math.max(last.length, first.length);
  return {
    length,
    at(step) {
      const head = first.slice(0, Math.round((step / length) * first.length)).join('');
      const tail = last.slice(Math.round((step / length) * last.length)).join('');
      const joint = head === '' || tail === '' || /\s$/u.test(head) || !/\s/u.test(from) ? '' : ' ';
      return `${head}${joint}${tail}`.normalize('NFC');
    },
  };
}

/** Words, each with what follows it up to the next one. */
function wordsOf(text: string): string[] {
  const pieces: string[] = [];
  for (const { segment, isWordLike } of words.segment(text)) {
    if (isWordLike || pieces.length === 0) pieces.push(segment);
    else pieces[pieces.length - 1] += segment;
  }
  return pieces;
}
