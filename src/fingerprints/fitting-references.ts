import { TouchmarkError } from '../errors.ts';
import { unpackFloats } from '../stats/packed-numbers.ts';
import type { ClassifierAnswers } from './classifier-answers.ts';
import type { ClassifierProbeSet } from './probe-set.ts';
import { classifierQuirks } from './quirks/registry.ts';
import { type ReferenceNull, referenceNullId } from './reference-null.ts';

/**
 * Checks a file of references, which may come from anybody, against the fingerprint that it is for:
 * each quirk has as many numbers as the fingerprint's own, and none is infinite.
 *
 * @param protectedModel the answers of the fingerprint that it names
 * @throws TouchmarkError FINGERPRINT_INVALID naming the quirk that does not fit
 */
export function requireFittingReferences(
  references: ReferenceNull,
  protectedModel: ClassifierAnswers,
  probes: ClassifierProbeSet,
): void {
  for (const { name, mean, spread, chance } of references.quirks) {
    const quirk = classifierQuirks.find((each) => each.name === name);
    const own = quirk?.extract(protectedModel, probes);
    if (own === undefined) continue;
    const fits = [mean, spread, chance]
      .map(numbersIn)
      .every((values) => values?.length === own.length && !values.some(isInfinite));
    if (fits) continue;
    throw new TouchmarkError(
      'FINGERPRINT_INVALID',
      `${referenceNullId(references)} does not fit ${references.fingerprint} in ${name}`,
      { hint: 'Make it again with the version of touchmark that reads it.' },
    );
  }
}

function numbersIn(packed: string): Float32Array | undefined {
  try {
    return unpackFloats(packed);
  } catch {
    return undefined;
  }
}

/** NaN is a number that no reference has. */
function isInfinite(value: number): boolean {
  return !Number.isFinite(value) && !Number.isNaN(value);
}
