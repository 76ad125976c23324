import { type ClassifierAnswers, noAnswer } from './classifier-answers.ts';
import type { Fingerprint } from './fingerprint.ts';
import { fittingAnswers, fittingLanguageAnswers } from './fitting-answers.ts';
import type { ProbeSet } from './probe-set.ts';

/** What a fingerprint is worth, whatever it is compared with. */
export interface FingerprintSummary {
  /** Questions, or completions asked for. */
  readonly questions: number;
  readonly answered: number;
  /**
   * Share of questions asked twice that were answered alike both times; for a language model, of
   * prompts whose completions at temperature 0 are all the same. Null where none can tell.
   */
  readonly steadiness: number | null;
}

/**
 * Counts the answers of a fingerprint.
 *
 * @param probes the set that it was asked
 * @throws TouchmarkError FINGERPRINT_INVALID for answers that do not fit it
 */
export function summarise(
  fingerprint: Fingerprint,
  probes: ProbeSet,
): FingerprintSummary | undefined {
  if (fingerprint.task === 'classify' && probes.task === 'classify') {
    return summariseAnswers(fittingAnswers(fingerprint, probes));
  }
  if (fingerprint.task === 'language' && probes.task === 'language') {
    const { completions } = fittingLanguageAnswers(fingerprint, probes);
    const texts = completions.flat(2);
    const greedy = completions[probes.temperatures.indexOf(0)] ?? [];
    const groups = greedy.map((samples) => samples.filter((text) => text !== null));
    return {
      questions: texts.length,
      answered: texts.filter((text) => text !== null).length,
      steadiness: shareAlike(groups.filter((group) => group.length > 1)),
    };
  }
  return undefined;
}

/** Counts the answers of a classifier to a probe set. */
export function summariseAnswers({ labels, again }: ClassifierAnswers): FingerprintSummary {
  const twice = [...again].map((label, index) => [label, labels[index]!] as const);
  return {
    questions: labels.length,
    answered: labels.filter((label) => label !== noAnswer).length,
    steadiness: shareAlike(twice.filter((pair) => !pair.includes(noAnswer))),
  };
}

function shareAlike(groups: readonly (readonly unknown[])[]): number | null {
  if (groups.length === 0) return null;
  return groups.filter((group) => new Set(group).size === 1).length / groups.length;
}
