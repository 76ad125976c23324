/** The made-up quirks of the fourth report of report-sample.ts. */
import seedrandom from 'seedrandom';
import type { FingerprintPart, QuirkFinding } from '../src/report/fingerprint.ts';

interface Story {
  readonly name: string;
  readonly meaning: string;
  readonly weight: number;
  /** Statistic of the suspect, as a share of the protected model's; a text says why there is none. */
  readonly suspect: number | string;
  /** Where references of the same data and of other data lie, and how wide, in the same unit. */
  readonly same: readonly [centre: number, width: number];
  readonly other: readonly [centre: number, width: number];
}

const stories: readonly Story[] = [
  {
    name: 'class-confusion',
    meaning: 'Which wrong class the model falls for, pair by pair.',
    weight: 0.25,
    suspect: 0.74,
    same: [0.12, 0.16],
    other: [-0.1, 0.14],
  },
  {
    name: 'output-correlation',
    meaning: 'Which questions the model treats alike, by the correlation of its probabilities.',
    weight: 0.35,
    suspect: 0.91,
    same: [0.09, 0.09],
    other: [-0.06, 0.08],
  },
  {
    name: 'hard-slices',
    meaning: 'What the model answers on rare and hard questions.',
    weight: 0.25,
    suspect: 0.46,
    same: [0.21, 0.2],
    other: [-0.13, 0.17],
  },
  {
    name: 'boundary',
    meaning: 'Where between two questions the label of the model changes.',
    weight: 0.15,
    suspect: 1.93,
    same: [0.05, 0.25],
    other: [-0.04, 0.3],
  },
  {
    name: 'confidence-profile',
    meaning: 'How sure the model is, class by class.',
    weight: 0,
    suspect: -0.31,
    same: [0.3, 0.8],
    other: [-0.2, 0.7],
  },
  {
    name: 'temperature',
    meaning: 'How the variety of answers grows with the temperature.',
    weight: 0,
    suspect: 'the suspect takes no temperature',
    same: [0, 0.2],
    other: [0, 0.2],
  },
];

const references = 24;

/** Returns quirks against 24 references of each kind; the same at every call. */
export function sampleFingerprint(): FingerprintPart {
  const random = seedrandom('quirks');
  return {
    protectedModel: 'fingerprint-5d0c7a91e2f4b836',
    probeSet: 'probes-c41f08be97d23a65',
    references: { same: references, other: references, smallestP: 1 / (references + 1) },
    questions: 1200,
    answered: 1188,
    steadiness: 0.995,
    quirks: stories.map((story) => quirkOf(story, random)),
  };
}

/** Returns the e-value of the test, in bans: the mean of the e-values of the quirks by weight. */
export function quirkBans({ quirks }: FingerprintPart): number {
  return Math.log10(
    quirks.reduce((sum, { weight, log10E }) => sum + weight * 10 ** (log10E ?? 0), 0),
  );
}

function quirkOf(story: Story, random: () => number): QuirkFinding {
  const { name, meaning, weight } = story;
  const unit = 0.002 + 0.05 * random();
  const drawn = ([centre, width]: readonly [number, number]) =>
    Array.from({ length: references }, () => {
      const normal = random() + random() + random() + random() - 2;
      return unit * (centre + width * normal);
    });
  const [same, other] = [drawn(story.same), drawn(story.other)];
  const shared = { name, meaning, weight, protectedModel: unit, same, other };
  if (typeof story.suspect === 'string') {
    return {
      ...shared,
      suspect: null,
      why: story.suspect,
      pSame: null,
      pOther: null,
      log10E: null,
    };
  }
  const suspect = unit * story.suspect;
  const rank = (values: readonly number[]) =>
    (1 + values.filter((value) => value >= suspect).length) / (values.length + 1);
  const [pSame, pOther] = [rank(same), rank(other)];
  const log10E = Math.log10(0.5 / Math.sqrt(Math.max(pSame, pOther)));
  return { ...shared, suspect, pSame, pOther, log10E };
}
