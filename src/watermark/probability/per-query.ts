import type { Input } from '../../contracts.ts';
import { inputDigest } from '../../keys/canonical-input.ts';
import type { KeyedBits } from '../../keys/coin-tree.ts';
import { KeyedStream } from '../../keys/keyed-stream.ts';

/**
 * The fixed class direction of the per-query layer: 1 for a keyed half of the classes, -1 for the
 * other half, so that no key moves all classes alike.
 */
export function perQueryDirection(key: Uint8Array, classes: number): Int8Array {
  const stream = new KeyedStream(key, 'per-query-direction');
  const direction = new Int8Array(classes).fill(-1);
  Array.from({ length: classes }, (_, k) => ({ k, rank: stream.nextUniform() }))
    .sort((left, right) => left.rank - right.rank)
    .slice(0, Math.ceil(classes / 2))
    .forEach(({ k }) => {
      direction[k] = 1;
    });
  return direction;
}

/** The keyed fair sign of one input under (tenant, epoch): 1 or -1. */
export function perQuerySign(signs: KeyedBits, input: Input): 1 | -1 {
  return perQuerySignOf(signs, inputDigest(input));
}

/** The sign of the input with this digest (`inputDigest`). */
export function perQuerySignOf(signs: KeyedBits, digest: Uint8Array): 1 | -1 {
  return signs.bit(digest) === 1 ? 1 : -1;
}

/**
 * Reads the per-query layer from one residual: its product with the direction, centred and
 * weighted by the root of the clean probabilities, since a student learns classes by their mass.
 *
 * The score is fixed before the sign falls: it depends on the question, the clean answer and the
 * suspect, and under the null none of them on the sign.
 */
export function perQueryScore(
  residual: ArrayLike<number>,
  clean: ArrayLike<number>,
  direction: ArrayLike<number>,
): number {
  let mean = 0;
  for (let k = 0; k < clean.length; k += 1) mean += clean[k]! * direction[k]!;
  let score = 0;
  for (let k = 0; k < clean.length; k += 1) {
    score += residual[k]! * (direction[k]! - mean) * Math.sqrt(clean[k]!);
  }
  return score;
}
