/** What the probabilities of a suspect look like, as far as it has answered. */
export interface AnswerShape {
  /** Decimals that every probability is rounded to, 0 to 6; absent when there are more. */
  readonly roundedTo?: number;
  /** The most labels that any answer gives a probability above 0, where it hides the others. */
  readonly topOnly?: number;
  /** Share of answers, 0 to 1, whose label is not the likeliest one; absent below two such answers. */
  readonly labelDisagreesWithArgMax?: number;
  /** Answers with probabilities that this was seen in. */
  readonly samples: number;
}

/** One answer's probabilities, as they came. */
export interface ShapeSample {
  readonly row: readonly number[];
  /** True when the answer names only some labels, so that others may be hidden. */
  readonly named: boolean;
  /** Whether the label sent beside them is a likeliest one; undefined when none was sent. */
  readonly agrees: boolean | undefined;
}

const mostDecimals = 6;
const enoughValues = 20;
const enoughAnswers = 10;
const mostAnswers = 1000;
const hiddenMass = 1e-3;
const sumTolerance = 1e-3;
/** For what adding floats loses. */
const slack = 1e-6;

/**
 * Returns the fewest decimals, 0 to 6, to which all of the values are rounded, or undefined when
 * they have more. Values may have passed through 32-bit floats, whose relative error is 6e-8.
 */
export function decimalsOf(values: readonly number[], least = 0): number | undefined {
  let decimals = least;
  for (const value of values) {
    while (!isRounded(value, decimals)) {
      decimals += 1;
      if (decimals > mostDecimals) return undefined;
    }
  }
  return decimals;
}

/**
 * Returns how far the sum of a row may lie above and below 1. Rounding to d decimals raises each value
 * above 0 by at most half a step of 10^-d and lowers any by as much; cutting off lowers any by a step.
 * At least 1e-3 is allowed, and a row of whole numbers says nothing of rounding.
 */
export function roundingOf(row: readonly number[]): {
  readonly excess: number;
  readonly deficit: number;
} {
  const decimals = decimalsOf(row);
  const step = decimals === undefined || decimals === 0 ? 0 : 10 ** -decimals;
  const raised = row.filter((value) => value > 0).length;
  return {
    excess: Math.max(sumTolerance, (raised / 2) * step + slack),
    deficit: Math.max(sumTolerance, row.length * step + slack),
  };
}

function isRounded(value: number, decimals: number): boolean {
  const scaled = value * 10 ** decimals;
  return Math.abs(scaled - Math.round(scaled)) <= 1e-9 + Math.min(6e-8 * scaled, 0.01);
}

/**
 * Learns from the first 1,000 answers with probabilities what a suspect withholds of them.
 *
 * Rounding is reported once 20 probabilities other than 0 and 1 agree with it; hidden labels once 10
 * answers have equally many probabilities above 0, and fewer than there are labels or not all of the
 * mass; and a label other than the likeliest, as of an API that samples its label or gives
 * probabilities from before its temperature or its threshold, once two answers show it.
 */
export class AnswerShapeObserver {
  #decimals: number | undefined = 0;
  #values = 0;
  #samples = 0;
  #most = 0;
  #fewest = Number.POSITIVE_INFINITY;
  #hiding = 0;
  #labelled = 0;
  #disagreeing = 0;

  observe({ row, named, agrees }: ShapeSample): void {
    if (this.#samples >= mostAnswers) return;
    this.#samples += 1;
    if (this.#decimals !== undefined) this.#decimals = decimalsOf(row, this.#decimals);
    const positive = row.filter((value) => value > 0);
    this.#values += positive.filter((value) => value < 1).length;
    this.#most = Math.max(this.#most, positive.length);
    this.#fewest = Math.min(this.#fewest, positive.length);
    const mass = positive.reduce((sum, value) => sum + value, 0);
    if (positive.length < row.length || (named && mass < 1 - hiddenMass)) this.#hiding += 1;
    if (agrees === undefined) return;
    this.#labelled += 1;
    if (!agrees) this.#disagreeing += 1;
  }

  shape(): AnswerShape {
    const rounded = this.#decimals !== undefined && this.#values >= enoughValues;
    const cut =
      this.#samples >= enoughAnswers &&
      this.#most === this.#fewest &&
      this.#hiding * 2 > this.#samples;
    return {
      ...(rounded && this.#decimals !== undefined && { roundedTo: this.#decimals }),
      ...(cut && { topOnly: this.#most }),
      ...(this.#disagreeing > 1 && {
        labelDisagreesWithArgMax: this.#disagreeing / this.#labelled,
      }),
      samples: this.#samples,
    };
  }
}

/** Returns what a shape means, one sentence for each thing that is out of the ordinary. */
export function describeAnswerShape(shape: AnswerShape): readonly string[] {
  const { roundedTo, topOnly, labelDisagreesWithArgMax: disagreeing } = shape;
  const decimals = roundedTo === 1 ? 'decimal' : 'decimals';
  const labels = topOnly === 1 ? 'label only' : `${topOnly} labels only`;
  return [
    ...(roundedTo === undefined ? [] : [`It rounds probabilities to ${roundedTo} ${decimals}.`]),
    ...(topOnly === undefined ? [] : [`It gives the probabilities of the top ${labels}.`]),
    ...(disagreeing === undefined
      ? []
      : [
          `Its label is not the likeliest in ${(100 * disagreeing).toFixed(1)}% of answers: it samples, or gives probabilities from before it decides.`,
        ]),
  ];
}
