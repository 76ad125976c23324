import { describe, expect, it } from 'vitest';
import { checkAnswers, RepeatRun, repeatedProbes } from '../../src/audit/answer-checks.ts';
import type { Observation, Outcome, Probe } from '../../src/contracts.ts';

const candidates = Array.from(
  { length: 50 },
  (_, index): Probe => ({ id: `fresh/${index}`, task: 'classify', input: `${index}`, repeat: 0 }),
);
const { firsts, seconds } = repeatedProbes(candidates, 'seed');
const answer = (label: string, ...probabilities: number[]): Outcome => ({
  answer: { label, ...(probabilities.length > 0 && { probabilities }) },
});

function check(first: Outcome, second: Outcome, times: readonly number[] = []) {
  const observations = new Map<string, Observation>();
  for (const probe of firsts) observations.set(probe.id, { probe, ...answer('a', 0.5, 0.5) });
  for (const probe of seconds) observations.set(probe.id, { probe, ...answer('a', 0.5, 0.5) });
  observations.set(firsts[0]!.id, { probe: firsts[0]!, ...first });
  observations.set(seconds[0]!.id, { probe: seconds[0]!, ...second });
  return checkAnswers(firsts, observations, ({ repeat }) => times[repeat]);
}

describe('the checks of answers', () => {
  it('repeat eight probes chosen by the seed, under names of their own', () => {
    expect(repeatedProbes(candidates, 'seed').firsts).toEqual(firsts);
    expect(repeatedProbes(candidates, 'other').firsts).not.toEqual(firsts);
    expect(seconds).toHaveLength(8);
    seconds.forEach((probe, index) => {
      const { id, input } = firsts[index]!;
      expect(probe).toEqual({ id: `repeat/${id}`, task: 'classify', input, repeat: 1 });
    });
    expect(repeatedProbes(candidates.slice(0, 3), 'seed').firsts).toHaveLength(3);
    const run = new RepeatRun(firsts, seconds, new Set([firsts[2]!.id]));
    expect(run.next()).toEqual([seconds[2]]);
    run.fold();
    expect(run.next()).toEqual([]);
  });

  it('tell fixed answers from those that vary and those that are sampled', () => {
    const half = answer('a', 0.5, 0.5);
    expect(check(half, half)).toEqual({
      asked: 8,
      changedLabels: 0,
      largestProbabilityChange: 0,
      answers: 'fixed',
      likelyCaching: false,
    });
    expect(check(half, answer('a', 0.5 + 1e-9, 0.5))).toMatchObject({ answers: 'fixed' });
    const varied = check(half, answer('a', 0.625, 0.375));
    expect(varied).toMatchObject({ answers: 'varies', largestProbabilityChange: 0.125 });
    expect(check(answer('a'), answer('b'))).toMatchObject({ answers: 'samples', changedLabels: 1 });
    expect(check(half, { missing: 'failed' })).toMatchObject({ asked: 7, answers: 'fixed' });
    expect(checkAnswers(firsts, new Map(), () => 1)).toMatchObject({ answers: 'unknown' });
  });

  it('notice a cache by the same answers that come much sooner', () => {
    const half = answer('a', 0.5, 0.5);
    expect(check(half, half, [40, 2])).toMatchObject({
      likelyCaching: true,
      medianFirst: 40,
      medianSecond: 2,
    });
    expect(check(half, half, [40, 30]).likelyCaching).toBe(false);
    expect(check(half, half, [4, 1]).likelyCaching).toBe(false);
    expect(check(half, answer('b', 0.4, 0.6), [40, 2]).likelyCaching).toBe(false);
  });
});
