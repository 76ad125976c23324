import { median } from './measure.ts';

const rounds = 201;
const warmUpMilliseconds = 1000;

/** Something that a bench times: how often in a row it runs before the others get their turn. */
export interface Subject {
  readonly call: () => unknown;
  readonly times: number;
}

/**
 * Returns the median microseconds per call of each subject. They take turns, so that whatever else
 * the machine does meets all of them.
 */
export function interleavedMicroseconds<Name extends string>(
  subjects: Readonly<Record<Name, Subject>>,
): Record<Name, number> {
  const names = Object.keys(subjects) as Name[];
  for (const name of names) {
    const started = performance.now();
    while (performance.now() - started < warmUpMilliseconds) subjects[name].call();
  }
  const spent = new Map(names.map((name) => [name, [] as number[]]));
  for (let round = 0; round < rounds; round++) {
    for (const name of names) {
      const { call, times } = subjects[name];
      const begun = performance.now();
      for (let time = 0; time < times; time++) call();
      spent.get(name)!.push((1000 * (performance.now() - begun)) / times);
    }
  }
  const medians = names.map((name) => [name, median(spent.get(name)!)] as const);
  return Object.fromEntries(medians) as Record<Name, number>;
}
