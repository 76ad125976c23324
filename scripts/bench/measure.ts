/** One figure of a bench, as `npm run -s bench -- --json` prints it. */
export interface BenchRow {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** `value` over what it is compared with. */
  readonly ratio: number;
  readonly against: string;
}

const rounds = 11;
const warmUpMilliseconds = 300;

/** The median microseconds per call over repeated rounds of all inputs, after a warm-up. */
export function microsecondsPer<Item>(
  items: readonly Item[],
  call: (item: Item) => unknown,
): number {
  const started = performance.now();
  while (performance.now() - started < warmUpMilliseconds) for (const item of items) call(item);
  const times = Array.from({ length: rounds }, () => {
    const begun = performance.now();
    for (const item of items) call(item);
    return (1000 * (performance.now() - begun)) / items.length;
  });
  return median(times);
}

export function median(values: readonly number[]): number {
  return [...values].sort((left, right) => left - right)[values.length >> 1]!;
}
