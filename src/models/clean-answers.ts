import type { Classifier, Input, Progress } from '../contracts.ts';
import { TouchmarkError } from '../errors.ts';
import { servingFloor, toDistribution } from '../watermark/probability/distribution.ts';

const askedAtOnce = 256;

/** Asks for the clean answers to many inputs, a batch at a time; as `askClean`. */
export async function askAllClean(
  model: Classifier,
  inputs: readonly Input[],
  signal: AbortSignal,
  progress?: Progress,
): Promise<readonly Float64Array[]> {
  const clean: Float64Array[] = [];
  for (let start = 0; start < inputs.length; start += askedAtOnce) {
    clean.push(...(await askClean(model, inputs.slice(start, start + askedAtOnce), signal)));
    progress?.('asking the protected model', clean.length, inputs.length);
  }
  return clean;
}

/**
 * Asks the protected model itself, and returns floored distributions, one per input.
 *
 * @throws as `askProbabilities`; UPSTREAM_ANSWER_INVALID when a row is no distribution
 */
export async function askClean(
  upstream: Classifier,
  inputs: readonly Input[],
  signal: AbortSignal,
): Promise<readonly Float64Array[]> {
  const rows = await askProbabilities(upstream, inputs, signal);
  try {
    return rows.map((row) => toDistribution(row, servingFloor));
  } catch (cause) {
    throw upstreamError(cause);
  }
}

/**
 * Asks the protected model itself, and returns its probabilities as they came, one row per input.
 *
 * @throws UPSTREAM_FAILED when it cannot be asked, UPSTREAM_ANSWER_INVALID when it gives none.
 */
export async function askProbabilities(
  upstream: Classifier,
  inputs: readonly Input[],
  signal: AbortSignal,
): Promise<readonly (readonly number[])[]> {
  const outcomes = await upstream.classify(inputs, { signal }).catch((cause: unknown) => {
    throw upstreamError(cause);
  });
  return outcomes.map((outcome, index) => {
    if (!('answer' in outcome)) {
      throw new TouchmarkError(
        'UPSTREAM_FAILED',
        `the protected model ${outcome.missing} input ${index}`,
        {
          hint: 'ask the model directly with this input; the gateway serves only what it can mark',
        },
      );
    }
    const { probabilities } = outcome.answer;
    if (probabilities !== undefined) return probabilities;
    throw new TouchmarkError(
      'UPSTREAM_ANSWER_INVALID',
      'the protected model answers with labels only; its probabilities are needed to mark them',
      { hint: 'let the upstream return probabilities for every label' },
    );
  });
}

/** Returns an error in terms of the owner: adapters speak of suspects, here the model is the owner's. */
export function upstreamError(cause: unknown): unknown {
  if (!TouchmarkError.isInstance(cause)) return cause;
  const invalid = cause.code === 'SUSPECT_ANSWER_INVALID' || cause.code === 'INPUT_INVALID';
  if (!invalid && !cause.code.startsWith('SUSPECT_')) return cause;
  return new TouchmarkError(
    invalid ? 'UPSTREAM_ANSWER_INVALID' : 'UPSTREAM_FAILED',
    `the protected model: ${cause.message}`,
    { hint: cause.hint, cause },
  );
}
