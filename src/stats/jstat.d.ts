/** The part of jStat that is used here: quantiles. Its tails underflow and are never used. */
declare module 'jstat' {
  const jstat: {
    readonly beta: {
      /** Quantile of Beta(alpha, beta) at `probability`. */
      inv(probability: number, alpha: number, beta: number): number;
    };
  };
  export default jstat;
}
