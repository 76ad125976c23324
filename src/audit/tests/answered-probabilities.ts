import type { Observation } from '../../contracts.ts';

/** A suspect's probabilities, if it gave a distribution that has some mass on our labels. */
export function probabilitiesOf(observation: Observation): readonly number[] | undefined {
  if (!('answer' in observation)) return undefined;
  const { probabilities } = observation.answer;
  return probabilities?.some((p) => p > 0) ? probabilities : undefined;
}
