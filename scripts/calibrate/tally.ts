import { adjustedLowerBound, clopperPearson, kolmogorovSmirnov } from '../../src/stats/bounds.ts';

/** One rate that a null hypothesis bounds, as counted. */
export interface Row {
  readonly name: string;
  readonly nominal: number;
  readonly rate: number;
  readonly lower95: number;
  readonly upper95: number;
  readonly trials: number;
}

const log10Twenty = Math.log10(20);
const confidence = 0.95;

/** What one test said of many innocents. */
export class Tally {
  readonly name: string;
  readonly #moment: string;
  readonly #log10Es: number[] = [];
  readonly #pValues: number[] = [];
  #hasP = false;

  constructor(name: string, moment: 'at any time' | 'at the end') {
    this.name = name;
    this.#moment = moment;
  }

  /** @param log10P absent where a test has none: it counts as a p-value of 1. */
  add(log10E: number, log10P: number | undefined): void {
    this.#log10Es.push(log10E);
    this.#pValues.push(log10P === undefined ? 1 : Math.min(1, 10 ** log10P));
    this.#hasP ||= log10P !== undefined;
  }

  get rows(): readonly Row[] {
    const share = (level: number) => this.#pValues.filter((p) => p <= level).length;
    const trials = this.#log10Es.length;
    const betting = this.#log10Es.filter((value) => value >= log10Twenty).length;
    return [
      row(`${this.name} / E >= 20 ${this.#moment}`, 0.05, betting, trials),
      ...(this.#hasP
        ? [0.05, 0.01].map((level) =>
            row(`${this.name} / p <= ${level}`, level, share(level), trials),
          )
        : []),
    ];
  }

  /** The probability that super-uniform p-values look as bad as these; undefined without p-values. */
  get superUniformP(): number | undefined {
    return this.#hasP ? kolmogorovSmirnov(this.#pValues).superUniformP : undefined;
  }
}

/**
 * The rates that are too high for chance: none is named with at least this probability when all are
 * nominal, .95 unless another is given.
 */
export function excessive(rows: readonly Row[], chance = confidence): readonly Row[] {
  return rows.filter(
    ({ rate, trials, nominal }) =>
      adjustedLowerBound(Math.round(rate * trials), trials, chance, rows.length) > nominal,
  );
}

/** The least true rate that `excessive` would have named with 95% probability. */
export function detectableRate(nominal: number, trials: number, checks: number): number {
  let critical = Math.ceil(nominal * trials);
  while (critical < trials && adjustedLowerBound(critical, trials, confidence, checks) <= nominal) {
    critical += 1;
  }
  return clopperPearson(critical - 1, trials, 2 * confidence - 1).upper;
}

/** A rate with the interval of Clopper and Pearson around it. */
export function row(name: string, nominal: number, count: number, trials: number): Row {
  const { lower, upper } = clopperPearson(count, trials, confidence);
  return { name, nominal, rate: count / trials, lower95: lower, upper95: upper, trials };
}
