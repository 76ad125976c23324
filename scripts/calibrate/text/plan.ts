import { attributionCases } from '../text-attribution.ts';
import { auditCases } from './audits.ts';
import { type TextCase, textCases } from './cases.ts';
import type { Job } from './jobs.ts';
import type { Block } from './trials.ts';

/** How much is tried. */
export interface TextSizes {
  readonly seed: string;
  /** Null texts for each scheme and function. */
  readonly texts: number;
  /** Keys for each kind of audit. */
  readonly trials: number;
}

export const fixedKeys = 20;

const blockTexts = 1000;
const blockSets = 20;
const blockAudits = 50;
const blockAttributions = 20;
/** Distinct texts for each fixed key, sets, texts without de-duplication: one in so many texts. */
const rarer = { distinct: 40, sets: 100, control: 40 };
/** Texts of several tenants are long: one in so many trials. */
const rarerAttribution = 8;
const leastFixedWidth = 2;

/** The cases that fixed keys are tried on: narrower contexts return in every text. */
export const fixedKeyCases: readonly TextCase[] = textCases.filter(
  ({ width }) => width >= leastFixedWidth,
);

const usualCases = textCases.filter(
  ({ name }) =>
    name === 'native / green-list 0.25 / width 2' || name === 'native / gumbel / width 2',
);
export const controlCase = usualCases[0]!;

/** Lists the work of a calibration, the longest first. */
export function textJobs({ seed, texts, trials }: TextSizes): readonly Job[] {
  const texted = (share: number) => Math.ceil(texts / share);
  const distinct = blocksOf(seed, texted(rarer.distinct), blockTexts);
  return [
    ...attributionCases.flatMap(({ name }) =>
      blocksOf(seed, Math.ceil(trials / rarerAttribution), blockAttributions).map(
        (block): Job => ({ ...block, name, task: 'attribution' }),
      ),
    ),
    ...auditCases.flatMap(({ name }) =>
      blocksOf(seed, trials, blockAudits).map((block): Job => ({ ...block, name, task: 'audits' })),
    ),
    ...usualCases.flatMap(({ name }) =>
      blocksOf(seed, texted(rarer.sets), blockSets).map(
        (block): Job => ({ ...block, name, task: 'sets' }),
      ),
    ),
    ...blocksOf(seed, texted(rarer.control), blockTexts).map(
      (block): Job => ({ ...block, name: controlCase.name, task: 'control' }),
    ),
    ...fixedKeyCases.flatMap(({ name }) =>
      Array.from({ length: fixedKeys }, (_, key) => key).flatMap((key) =>
        distinct.map((block): Job => ({ ...block, name, key, task: 'fixed key' })),
      ),
    ),
    ...textCases.flatMap(({ name }) =>
      blocksOf(seed, texts, blockTexts).map((block): Job => ({ ...block, name, task: 'texts' })),
    ),
  ];
}

function blocksOf(seed: string, trials: number, size: number): Block[] {
  return Array.from({ length: Math.ceil(trials / size) }, (_, block) => ({
    seed,
    from: block * size,
    to: Math.min(trials, (block + 1) * size),
  }));
}
