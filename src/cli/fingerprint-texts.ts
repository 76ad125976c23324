import type { FingerprintComparison } from '../operations/fingerprints/compare.ts';
import type { ReferenceStanding } from '../operations/fingerprints/standing.ts';
import type { TakenProtected } from '../operations/fingerprints/take-protected.ts';
import type { TakenFingerprint } from '../operations/fingerprints/taking.ts';
import { percent, visible } from '../report/text.ts';
import { table } from './terminal.ts';

const barWidth = 20;

/** What no likeness says; printed with every comparison. */
export const caution =
  'Likeness alone says nothing about where a model learnt: models that were trained on the same data are alike, too.';

/** Returns what is said of a fingerprint that was taken. */
export function takenText({ fingerprint, path, model, ...taken }: TakenFingerprint): string {
  const { answered, questions, outcomes, steadiness } = taken;
  const missing = (['refused', 'failed', 'unsupported', 'outside'] as const)
    .filter((why) => outcomes[why] > 0)
    .map((why) => `${outcomes[why]} ${why === 'outside' ? 'outside the label set' : why}`);
  return [
    `${fingerprint} of ${visible(model.name)}`,
    `${answered} of ${questions} questions answered${missing.length > 0 ? ` (of all that was asked: ${missing.join(', ')})` : ''}; ${steadinessText(steadiness)} steady`,
    ...(outcomes.outside > 0
      ? ['answers outside the label set count as none: map their labels with audit.labelMap']
      : []),
    visible(path, 1_000),
  ].join('\n');
}

/** Returns what is said of the protected model's fingerprint and its references. */
export function protectedText({ references, ...taken }: TakenProtected): string {
  if (references === undefined) return takenText(taken);
  const { id, same, other, smallestP, trials } = references;
  const rows = trials.map(({ name, models, accused }) => [name, `${accused}`, `${models}`]);
  return [
    takenText(taken),
    `${id}: ${same} references of the same data and ${other} of other data calibrate; smallest possible p ${smallestP.toFixed(3)}`,
    `references that had no part in that, and how many of them each quirk ranks at p <= .05 (5% are expected, of models like these):`,
    table(['quirk', 'accused', 'of'], rows),
  ].join('\n');
}

/** Returns two fingerprints side by side. */
export function comparisonText({ one, two, quirks, standings }: FingerprintComparison): string {
  const sides = [one, two].map((each) => [
    each.builtin ?? each.fingerprint,
    each.model.name,
    each.summary ? percent(each.summary.answered, each.summary.questions) : '-',
    steadinessText(each.summary?.steadiness ?? null),
  ]);
  const rows = quirks.map(({ name, likeness, why = '' }) => [
    name,
    likeness === null ? '-' : likeness.toFixed(2),
    likeness === null ? why : bar(likeness),
  ]);
  return [
    table(['fingerprint', 'model', 'answered', 'steady'], sides),
    table(['quirk', 'likeness', ''], rows),
    ...standings.map(standingText),
    caution,
  ].join('\n');
}

function standingText(standing: ReferenceStanding): string {
  const { ranked, protectedModel, same, other, smallestP, quirks } = standing;
  const rows = quirks.map(({ name, weight, p }) => [
    name,
    p.toFixed(3),
    weight > 0 ? weight.toFixed(2) : 'descriptive',
  ]);
  return [
    `${ranked} among ${same} references of the same data and ${other} of other data that are independent of ${protectedModel};`,
    `the smallest p that so many can give is ${smallestP.toFixed(3)}`,
    table(['quirk', 'p', 'weight'], rows),
  ].join('\n');
}

/** A likeness of 0 or less is an empty bar. */
function bar(likeness: number): string {
  const full = Math.round(barWidth * Math.min(1, Math.max(0, likeness)));
  return '█'.repeat(full) + '░'.repeat(barWidth - full);
}

/** Returns a steadiness as per cent. */
export function steadinessText(steadiness: number | null): string {
  return steadiness === null ? '-' : percent(steadiness, 1);
}
