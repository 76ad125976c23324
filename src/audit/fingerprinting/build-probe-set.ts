import type { Input } from '../../contracts.ts';
import {
  type ClassifierProbeSet,
  encodeQuestion,
  type SliceName,
} from '../../fingerprints/probe-set.ts';
import { rarityOf } from '../../fingerprints/rarity.ts';
import { inputDigest } from '../../keys/canonical-input.ts';
import { seededRandom } from '../../stats/sampling.ts';

/** A question that may enter a probe set. */
export interface CandidateQuestion {
  readonly input: Input;
  /** Index of the label that it is known to have. */
  readonly expected?: number;
}

export interface ProbeSetOptions {
  readonly name: string;
  readonly labels: readonly string[];
  readonly candidates: readonly CandidateQuestion[];
  /** Questions at most. */
  readonly count: number;
  /** Pairs of questions between which boundaries are sought. */
  readonly pairs: number;
  /**
   * What reference models that calibrate nothing answer: for each of some questions the number of
   * votes for each class. They say which questions are hard, and what is expected where nobody knows.
   */
  readonly votes?: (inputs: readonly Input[]) => readonly ArrayLike<number>[];
  readonly repeated?: number;
  readonly timed?: number;
  readonly seed: string;
}

/** The share of questions in a slice. */
const sliceShare = 0.2;
/** Questions between two tensors: the boundary is found to a sixty-fourth of the way. */
const depth = 6;
const usuallyRepeated = 32;
const usuallyTimed = 16;

/**
 * Chooses the questions of a probe set at random, marks the fifth that is least like the others as rare
 * and the fifth on which votes differ most as hard, and pairs questions of different expected labels.
 * Nothing here looks at the protected model, a key or anything that was served.
 */
export function buildProbeSet(options: ProbeSetOptions): ClassifierProbeSet {
  const { name, labels, candidates, count, seed } = options;
  const random = seededRandom(`${seed}/probe-set`);
  const distinct = [
    ...new Map(candidates.map((each) => [inputDigest(each.input).toString('hex'), each])).values(),
  ];
  const chosen = random.choose(distinct, Math.min(count, distinct.length));
  const inputs = chosen.map(({ input }) => input);
  const votes = options.votes?.(inputs);
  const expected = chosen.map((each, index) => each.expected ?? pluralityOf(votes?.[index]));
  const rare = topShare(rarityOf(inputs));
  const hard = votes === undefined ? new Set<number>() : topShare(votes.map(entropyOf));
  return {
    schema: 'touchmark/probe-set@1',
    task: 'classify',
    name,
    labels: [...labels],
    questions: chosen.map(({ input }, index) => {
      const label = expected[index];
      const slices: SliceName[] = [
        ...(rare.has(index) ? (['rare'] as const) : []),
        ...(hard.has(index) ? (['hard'] as const) : []),
      ];
      return {
        input: encodeQuestion(input),
        ...(label !== undefined && { expected: label }),
        ...(slices.length > 0 && { slices }),
      };
    }),
    pairs: drawPairs(expected, options.pairs, seed),
    depth,
    repeated: Math.min(options.repeated ?? usuallyRepeated, chosen.length),
    timed: Math.min(options.timed ?? usuallyTimed, chosen.length),
  };
}

/** Pairs that are expected to be answered differently; any two questions where nothing is expected. */
function drawPairs(
  expected: readonly (number | undefined)[],
  count: number,
  seed: string,
): [number, number][] {
  const random = seededRandom(`${seed}/pairs`);
  const pairs: [number, number][] = [];
  const most = expected.length > 1 ? 20 * count : 0;
  for (let draw = 0; draw < most && pairs.length < count; draw += 1) {
    const [from, to] = [random.integer(expected.length), random.integer(expected.length)];
    const [first, last] = [expected[from], expected[to]];
    if (from !== to && (first === undefined || first !== last)) pairs.push([from, to]);
  }
  return pairs;
}

function topShare(values: readonly number[]): Set<number> {
  const order = [...values.keys()].sort((one, two) => values[two]! - values[one]! || one - two);
  return new Set(order.slice(0, Math.floor(values.length * sliceShare)));
}

function entropyOf(votes: ArrayLike<number>): number {
  const total = Array.from(votes).reduce((sum, vote) => sum + vote, 0);
  return Array.from(votes).reduce(
    (sum, vote) => (vote > 0 ? sum - (vote / total) * Math.log(vote / total) : sum),
    0,
  );
}

function pluralityOf(votes: ArrayLike<number> | undefined): number | undefined {
  if (votes === undefined) return undefined;
  const counts = Array.from(votes);
  return counts.indexOf(Math.max(...counts));
}
