import type { GreenPlanes } from '../prfs/prf.ts';
import type { TextKernel } from './kernel-port.ts';

/** The kernel's work in TypeScript: for machines without SIMD, and what the other is checked against. */
export class PlainKernel implements TextKernel {
  readonly implementation = 'plain';
  readonly vocabularySize: number;
  readonly logits: Float32Array;

  constructor(vocabularySize: number) {
    this.vocabularySize = vocabularySize;
    this.logits = new Float32Array(vocabularySize);
  }

  biasGreen(
    logits: Float32Array,
    size: number,
    planes: Pick<GreenPlanes, 'count' | 'threshold'>,
    keystream: Uint8Array,
    half: number,
  ): void {
    const green = greenLanes(planes, keystream);
    for (let token = 0; token < size; token++) {
      logits[token] = logits[token]! + (laneBit(green, token) === 1 ? half : -half);
    }
  }

  gumbelSurvivors(logits: Float32Array, size: number): Int32Array {
    return tokensAboveNothing(logits, size);
  }
}

/** Returns the tokens below `size`, in order, whose logit is a number above -Infinity. */
export function tokensAboveNothing(logits: Float32Array, size: number): Int32Array {
  const tokens = new Int32Array(size);
  let count = 0;
  for (let token = 0; token < size; token++) {
    if (logits[token]! > -Infinity) tokens[count++] = token;
  }
  return tokens.subarray(0, count);
}

/** Returns one bit per token, 1 for green, in blocks of the layout of `GreenPlanes`. */
export function greenLanes(
  { count, threshold }: Pick<GreenPlanes, 'count' | 'threshold'>,
  keystream: Uint8Array,
): Int32Array {
  const digits = new DataView(keystream.buffer, keystream.byteOffset, keystream.byteLength);
  const lanes = new Int32Array(keystream.length / 4 / count);
  for (let lane = 0; lane < lanes.length; lane++) {
    const from = (lane >>> 2) * count * 16 + (lane & 3) * 4;
    let below = 0;
    for (let plane = count - 1; plane >= 0; plane--) {
      const clear = ~digits.getInt32(from + plane * 16, true);
      below = ((threshold >>> (count - 1 - plane)) & 1) === 1 ? clear | below : clear & below;
    }
    lanes[lane] = below;
  }
  return lanes;
}

/** Returns the bit of a token in blocks of the layout of `GreenPlanes`. */
export function laneBit(lanes: Int32Array | Uint32Array, token: number): 0 | 1 {
  const word = lanes[(token >>> 7) * 4 + ((token & 15) >>> 2)]!;
  return ((word >>> (8 * (token & 3) + 7 - ((token >>> 4) & 7))) & 1) as 0 | 1;
}
