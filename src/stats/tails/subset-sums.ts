import { logBinomialMass } from './saddle-point.ts';

/** Distinct positive sizes, ascending, and how often each occurs. */
export interface Sizes {
  readonly values: Float64Array;
  readonly counts: Float64Array;
  readonly members: number;
  readonly total: number;
}

/**
 * `scale` and `sum` give a tail as e^scale * sum; `dropped` bounds what trimming took from the sum.
 */
export interface TiltedTail {
  readonly scale: number;
  readonly sum: number;
  readonly dropped: number;
}

/** Groups positive numbers by value, ascending. */
export function groupSizes(sizes: Float64Array): Sizes {
  const counts = new Map<number, number>();
  let total = 0;
  for (const size of sizes.toSorted()) {
    counts.set(size, (counts.get(size) ?? 0) + 1);
    total += size;
  }
  return {
    values: Float64Array.from(counts.keys()),
    counts: Float64Array.from(counts.values()),
    members: sizes.length,
    total,
  };
}

/**
 * The probability e^(-tilt size) / (1 + e^(-tilt size)) with which a tilted member is in the
 * subset.
 */
export function membership(tilt: number, size: number): number {
  return 1 / (1 + Math.exp(tilt * size));
}

/**
 * The tilt >= 0 at which the mean of the tilted subset sum is `target`; 0 when the target is half
 * the total or more. Sizes and target may be real. Bisection; any tilt near the root serves.
 */
export function solveTilt(sizes: Sizes, target: number): number {
  if (target >= sizes.total / 2) return 0;
  const smallest = sizes.values[0] ?? 1;
  let high = 1 / sizes.total;
  while (tiltedMean(sizes, high) > target && high * smallest < 60) high *= 2;
  let low = high / 2;
  if (tiltedMean(sizes, low) < target) low = 0;
  for (let step = 0; step < 30; step++) {
    const middle = (low + high) / 2;
    if (tiltedMean(sizes, middle) > target) low = middle;
    else high = middle;
  }
  return high;
}

function tiltedMean({ values, counts }: Sizes, tilt: number): number {
  let mean = 0;
  for (let index = 0; index < values.length; index++) {
    mean += counts[index]! * values[index]! * membership(tilt, values[index]!);
  }
  return mean;
}

/**
 * P(D <= limit) for D the sum of a random subset of whole-numbered sizes, as a tilted sum:
 *
 *   2^-n prod(1 + e^(-tilt k)) e^(tilt limit) E_tilted[e^(-tilt (limit - D)); D <= limit].
 *
 * The tilted distribution is convolved member by member on the lattice (every term positive, so
 * nothing cancels) and trimmed at both ends where its mass is below `tolerance` in all. True for
 * every tilt; numerically best at `solveTilt(sizes, limit)`, where the sum is of the order of 1 /
 * (tilt x standard deviation) and tails of any depth stay in range (Esscher 1932).
 */
export function tiltedSubsetTail(
  sizes: Sizes,
  limit: number,
  tilt: number,
  tolerance: number,
): TiltedTail {
  const { values, counts, members } = sizes;
  const share = tolerance / (2 * values.length);
  const lattice = new Lattice(Math.max(limit, 0));
  let scale = tilt * limit - members * Math.LN2;
  for (let index = 0; index < values.length; index++) {
    const size = values[index]!;
    const count = counts[index]!;
    scale += count * Math.log1p(Math.exp(-tilt * size));
    lattice.add(size, count, membership(tilt, size), share);
  }
  return { scale, sum: limit < 0 ? 0 : lattice.expectation(tilt), dropped: lattice.dropped };
}

/** The distribution of a growing sum on 0..limit; mass above the limit can never come back. */
class Lattice {
  dropped = 0;
  private mass: Float64Array;
  private spare: Float64Array | undefined;
  private low = 0;
  private high = 0;

  constructor(private readonly limit: number) {
    this.mass = new Float64Array(limit + 1);
    this.mass[0] = 1;
  }

  /** Adds `count` members of one size, each present with the given probability. */
  add(size: number, count: number, probability: number, share: number): void {
    if (this.low > this.high) return;
    if (count < 8) {
      for (let member = 0; member < count; member++) this.addOne(size, probability);
    } else {
      this.addMany(size, count, probability, share);
    }
    this.trim(share);
  }

  /** E[e^(-tilt (limit - sum)); sum <= limit]. */
  expectation(tilt: number): number {
    let sum = 0;
    for (let at = this.low; at <= this.high; at++) {
      sum += this.mass[at]! * Math.exp(-tilt * (this.limit - at));
    }
    return sum;
  }

  private addOne(size: number, probability: number): void {
    const top = Math.min(this.high + size, this.limit);
    addShifted(this.mass, this.low, top, size, probability);
    this.high = top;
  }

  private addMany(size: number, count: number, probability: number, share: number): void {
    const next = this.spare ?? new Float64Array(this.limit + 1);
    const [first, last] = this.span(count, probability, share);
    for (let times = first; times <= last; times++) {
      const shift = times * size;
      const until = Math.min(this.high, this.limit - shift);
      const weight = Math.exp(logBinomialMass(times, count, probability));
      for (let at = this.low; at <= until; at++) next[at + shift]! += weight * this.mass[at]!;
    }
    this.mass.fill(0, this.low, this.high + 1);
    this.spare = this.mass;
    this.mass = next;
    this.high = Math.min(this.high + last * size, this.limit);
    this.low += first * size;
  }

  /** The counts outside which a binomial has less than `share` of its mass at either end. */
  private span(count: number, probability: number, share: number): [number, number] {
    if (!(probability > 0)) return [0, 0];
    const budget = share / 2;
    const end = (from: number, step: 1 | -1): number => {
      let at = from;
      for (let tail = 0; ; at += step) {
        tail += Math.exp(logBinomialMass(at, count, probability));
        if (tail > budget) return at;
        this.dropped += Math.exp(logBinomialMass(at, count, probability));
      }
    };
    return [end(0, 1), end(count, -1)];
  }

  private trim(share: number): void {
    const budget = share / 2;
    let tail = 0;
    while (this.low <= this.high && tail + this.mass[this.low]! <= budget) {
      tail += this.mass[this.low]!;
      this.mass[this.low++] = 0;
    }
    this.dropped += tail;
    if (this.high === this.limit) return;
    tail = 0;
    while (this.high >= this.low && tail + this.mass[this.high]! <= budget) {
      tail += this.mass[this.high]!;
      this.mass[this.high--] = 0;
    }
    this.dropped += tail;
  }
}

/** One member in place: mass[x] becomes (1 - q) mass[x] + q mass[x - size] on low..top. */
function addShifted(mass: Float64Array, low: number, top: number, size: number, q: number): void {
  const stay = 1 - q;
  for (let at = top; at >= low + size; at--) mass[at] = stay * mass[at]! + q * mass[at - size]!;
  for (let at = Math.min(top, low + size - 1); at >= low; at--) mass[at]! *= stay;
}
