/** Upper edges of the bins of the protected model's own top probability. */
const edges = [0.5, 0.7, 0.85, 0.95, 0.98, 0.995, Number.POSITIVE_INFINITY];

/** Square of the least score that counts as signal; keeps the first gains finite. */
const floor = 1e-4;

/**
 * Learns from past records how much a unit of score is worth in a bet, apart for questions that
 * the protected model found hard and easy: mean(sign x score) / mean(score squared) is the
 * growth-optimal bet for small effects (Kelly 1956). Never bets on disagreement.
 */
export class LearnedGains {
  readonly #bins = edges.map(() => ({ product: 0, square: floor }));

  /** The bet per unit of score; depends on the past only. */
  gain(confidence: number): number {
    const { product, square } = this.#bin(confidence);
    return Math.max(0, product) / square;
  }

  learn(confidence: number, score: number, sign: 1 | -1): void {
    const bin = this.#bin(confidence);
    bin.product += sign * score;
    bin.square += score * score;
  }

  #bin(confidence: number): { product: number; square: number } {
    return this.#bins[edges.findIndex((edge) => confidence <= edge)]!;
  }
}
