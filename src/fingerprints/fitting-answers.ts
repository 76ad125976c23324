import { TouchmarkError } from '../errors.ts';
import {
  type ClassifierAnswers,
  noAnswer,
  noCrossing,
  timings,
  unknownCrossing,
  unpackAnswers,
} from './classifier-answers.ts';
import {
  type ClassifierFingerprint,
  type Fingerprint,
  fingerprintId,
  type LanguageFingerprint,
} from './fingerprint.ts';
import type { LanguageAnswers } from './language-answers.ts';
import type { LanguageProbeSet } from './language-probe-set.ts';
import type { ClassifierProbeSet } from './probe-set.ts';

/**
 * Returns the answers of a classifier's fingerprint, which may come from anybody: as many as there
 * are questions, and each one within its range.
 *
 * @param probes the set that it was asked
 * @throws TouchmarkError FINGERPRINT_INVALID saying which answers do not fit
 */
export function fittingAnswers(
  fingerprint: ClassifierFingerprint,
  probes: ClassifierProbeSet,
): ClassifierAnswers {
  const { questions, labels, pairs, repeated, timed } = probes;
  const answers = unpacked(fingerprint);
  const check = (
    name: keyof ClassifierAnswers,
    length: number,
    fits: (value: number) => boolean,
  ) => {
    const values = answers[name];
    if (values === undefined) return;
    if (values.length !== length) {
      throw unfit(fingerprint, `${name} has ${values.length} numbers, not ${length}`);
    }
    if (!values.every(fits)) throw unfit(fingerprint, `${name} has a number out of range`);
  };
  const isClass = (value: number) => value >= noAnswer && value < labels.length;
  check('labels', questions.length, isClass);
  check('again', repeated, isClass);
  check('probabilities', questions.length * labels.length, (value) => value >= 0 && value <= 1.001);
  check('crossings', pairs.length, (value) => (value >= 0 && value <= 1) || isMark(value));
  check('milliseconds', timed * timings, (value) => Number.isNaN(value) || isDuration(value));
  return answers;
}

/** Returns the answers of a language model's fingerprint; as `fittingAnswers`. */
export function fittingLanguageAnswers(
  fingerprint: LanguageFingerprint,
  probes: LanguageProbeSet,
): LanguageAnswers {
  const { prompts, temperatures, samples, contexts, top } = probes;
  const { completions, topTokens, topLogProbabilities } = fingerprint.answers;
  const complete =
    completions.length === temperatures.length &&
    completions.every(
      (rows) => rows.length === prompts.length && rows.every((texts) => texts.length === samples),
    );
  if (!complete) throw unfit(fingerprint, 'completions are not as many as were asked for');
  for (const [name, rows] of Object.entries({ topTokens, topLogProbabilities })) {
    if (rows === undefined) continue;
    if (rows.length !== contexts.length || !rows.every((row) => (row?.length ?? 0) <= top))
      throw unfit(fingerprint, `${name} are not as many as were asked for`);
  }
  const paired = topTokens?.every(
    (row, index) => row?.length === topLogProbabilities?.[index]?.length,
  );
  if (topLogProbabilities !== undefined && paired !== true)
    throw unfit(fingerprint, 'topLogProbabilities do not belong to topTokens');
  return fingerprint.answers;
}

function isMark(value: number): boolean {
  return value === noCrossing || value === unknownCrossing;
}

function isDuration(value: number): boolean {
  return Number.isFinite(value) && value >= 0;
}

function unpacked(fingerprint: ClassifierFingerprint): ClassifierAnswers {
  try {
    return unpackAnswers(fingerprint.answers);
  } catch {
    throw unfit(fingerprint, 'they are no whole numbers');
  }
}

function unfit(fingerprint: Fingerprint, why: string): TouchmarkError {
  return new TouchmarkError(
    'FINGERPRINT_INVALID',
    `the answers of ${fingerprintId(fingerprint)} do not fit the probe set ${fingerprint.probeSet}: ${why}`,
    {
      hint: 'The file was made by something else than `touchmark fingerprints take`; take it again.',
    },
  );
}
