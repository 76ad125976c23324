import { softmaxInPlace, topTwo } from './distribution.ts';

/** The part of every gap to the top class that a mark leaves standing. */
const keptGap = 0.1;

/**
 * Adds a mark to a distribution in log space, scaled so that the arg-max keeps its place.
 *
 * Served logits are log p + c * shift with the largest c <= 1 that leaves each class at least a
 * tenth of its log-odds gap below the top one. A tie at the top, exact or within the rounding of the
 * served numbers, is served unmarked.
 *
 * @param clean a distribution without zeros.
 * @param shift one number per class, in logits.
 */
export function markDistribution(
  clean: Float64Array,
  shift: ArrayLike<number>,
): { readonly served: Float64Array; readonly scale: number } {
  const [top] = topTwo(clean);
  const logs = new Float64Array(clean.length);
  for (let k = 0; k < logs.length; k += 1) logs[k] = Math.log(clean[k]!);
  let scale = 1;
  for (let k = 0; k < logs.length; k += 1) {
    const rise = shift[k]! - shift[top]!;
    if (k === top || rise <= 0) continue;
    scale = Math.min(scale, ((1 - keptGap) * (logs[top]! - logs[k]!)) / rise);
  }
  if (scale === 0) return { served: clean.slice(), scale };
  for (let k = 0; k < logs.length; k += 1) logs[k]! += scale * shift[k]!;
  const served = softmaxInPlace(logs);
  return keepsTop(served, top) ? { served, scale } : { served: clean.slice(), scale: 0 };
}

function keepsTop(served: Float64Array, top: number): boolean {
  for (let k = 0; k < served.length; k += 1) {
    if (k !== top && !(served[k]! < served[top]!)) return false;
  }
  return true;
}
