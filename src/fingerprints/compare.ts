import { TouchmarkError } from '../errors.ts';
import type { ClassifierAnswers } from './classifier-answers.ts';
import type { ClassifierFingerprint, Fingerprint, LanguageFingerprint } from './fingerprint.ts';
import { fittingAnswers, fittingLanguageAnswers } from './fitting-answers.ts';
import type { LanguageAnswers } from './language-answers.ts';
import { type ProbeSet, probeSetId } from './probe-set.ts';
import type { Quirk, QuirkTask, QuirkTasks } from './quirk.ts';
import { languageQuirks } from './quirks/language-registry.ts';
import { classifierQuirks } from './quirks/registry.ts';

/** How alike two models are in one quirk. */
export interface QuirkLikeness extends Pick<Quirk, 'name' | 'meaning'> {
  /** 1 for the same behaviour, about 0 or less for strangers; null where it cannot be read. */
  readonly likeness: number | null;
  /** Why there is none. */
  readonly why?: string;
}

const mostNamed = 4;

/**
 * Compares two fingerprints quirk by quirk. Likeness is no evidence of where a model learnt: models
 * that were trained on the same data are alike, too.
 *
 * @param probes the set that both were asked
 * @throws TouchmarkError FINGERPRINTS_INCOMPARABLE saying what differs and what to do;
 *   FINGERPRINT_INVALID for answers that do not fit the probe set
 */
export function compareFingerprints(
  one: Fingerprint,
  two: Fingerprint,
  probes: ProbeSet,
): readonly QuirkLikeness[] {
  requireComparable(one, two);
  const given = probeSetId(probes);
  if (given !== one.probeSet) {
    throw incomparable(`they were asked ${one.probeSet}, and the probe set given is ${given}`, {
      hint: `Give the file of ${one.probeSet}.`,
    });
  }
  if (one.task === 'classify' && two.task === 'classify' && probes.task === 'classify') {
    requireSameLabels(probes.labels, one.labels, ['the probe set', nameOf(one)]);
    const side = (each: ClassifierFingerprint): Side<'classify'> => ({
      name: nameOf(each),
      answers: fittingAnswers(each, probes),
    });
    return likenesses(classifierQuirks, [side(one), side(two)], probes);
  }
  if (one.task === 'language' && two.task === 'language' && probes.task === 'language') {
    const side = (each: LanguageFingerprint): Side<'language'> => ({
      name: nameOf(each),
      answers: fittingLanguageAnswers(each, probes),
    });
    return likenesses(languageQuirks, [side(one), side(two)], probes);
  }
  throw incomparable('their probe set is for another kind of model', {
    hint: 'One of the files was made by something else than touchmark; take it again.',
  });
}

/**
 * Checks that two models did the same work for the same questions.
 *
 * @throws TouchmarkError FINGERPRINTS_INCOMPARABLE saying what differs and what to do
 */
export function requireComparable(one: Fingerprint, two: Fingerprint): void {
  if (one.task !== two.task) {
    throw incomparable(`${nameOf(one)} is ${workOf(one)} and ${nameOf(two)} ${workOf(two)}`, {
      hint: 'Only models that do the same work can be compared.',
    });
  }
  if (one.task === 'classify' && two.task === 'classify') {
    requireSameLabels(one.labels, two.labels, [nameOf(one), nameOf(two)]);
  }
  if (one.probeSet !== two.probeSet) {
    throw incomparable(
      `${nameOf(one)} was asked ${one.probeSet} and ${nameOf(two)} ${two.probeSet}`,
      { hint: `Take one of them again with the other's questions: --probes ${one.probeSet}.` },
    );
  }
}

interface Side<T extends QuirkTask> {
  readonly name: string;
  readonly answers: QuirkTasks[T]['answers'];
}

function likenesses<T extends QuirkTask>(
  quirks: readonly Quirk<T>[],
  sides: readonly [Side<T>, Side<T>],
  probes: QuirkTasks[T]['probes'],
): QuirkLikeness[] {
  return quirks.map((quirk) => {
    const { name, meaning } = quirk;
    const [one, two] = sides.map(({ answers }) => quirk.extract(answers, probes));
    if (one !== undefined && two !== undefined && saysAnything(one) && saysAnything(two)) {
      return { name, meaning, likeness: quirk.compare(one, two) };
    }
    const reasons = sides.flatMap((side, index) => {
      const values = index === 0 ? one : two;
      if (values !== undefined) {
        return saysAnything(values) ? [] : [`${side.name} left too many questions unanswered`];
      }
      const lacking = lackingParts(side.answers, probes);
      return lacking === '' ? [] : [`${side.name} has no ${lacking}`];
    });
    const why = reasons.join('; ') || 'the probe set has no questions for it';
    return { name, meaning, likeness: null, why };
  });
}

/** NaN is what could not be read. */
function saysAnything(values: Float64Array): boolean {
  return values.some((value) => !Number.isNaN(value));
}

/** What a fingerprint may lack that some quirks are read from. */
function lackingParts(answers: ClassifierAnswers | LanguageAnswers, probes: ProbeSet): string {
  if (!('labels' in answers)) {
    const isAsked = probes.task === 'language' && probes.contexts.length > 0;
    return isAsked && answers.topTokens === undefined ? 'token probabilities' : '';
  }
  const isTimed = probes.task === 'classify' && probes.timed > 0;
  const parts = [
    ...(answers.probabilities ? [] : ['probabilities']),
    ...(answers.milliseconds || !isTimed ? [] : ['times']),
  ];
  return parts.join(' and no ');
}

function requireSameLabels(
  one: readonly string[],
  two: readonly string[],
  names: readonly [string, string],
): void {
  if (one.length === two.length && one.every((label, index) => label === two[index])) return;
  const [first, second] = [new Set(one), new Set(two)];
  const onlyOne = one.filter((label) => !second.has(label));
  const onlyTwo = two.filter((label) => !first.has(label));
  const differences = [
    ...(onlyOne.length > 0 ? [`only ${names[0]} has ${listed(onlyOne)}`] : []),
    ...(onlyTwo.length > 0 ? [`only ${names[1]} has ${listed(onlyTwo)}`] : []),
  ];
  const what =
    differences.length > 0
      ? `their label sets differ: ${differences.join('; ')}`
      : 'their labels come in another order';
  throw incomparable(what, {
    hint: "Take both with one probe set; audit.labelMap says which of a suspect's labels is which of its.",
  });
}

function listed(labels: readonly string[]): string {
  const named = labels.slice(0, mostNamed).map((label) => JSON.stringify(label.slice(0, 40)));
  const more = labels.length - named.length;
  return `${named.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

function nameOf({ model }: Fingerprint): string {
  return JSON.stringify(model.name.slice(0, 60));
}

function workOf({ task }: Fingerprint): string {
  return task === 'classify' ? 'a classifier' : 'a language model';
}

function incomparable(what: string, { hint }: { readonly hint: string }): TouchmarkError {
  return new TouchmarkError(
    'FINGERPRINTS_INCOMPARABLE',
    `The fingerprints cannot be compared: ${what}.`,
    { hint },
  );
}
