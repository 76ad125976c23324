import { digestOf } from '../audit/plan.ts';
import type { Classifier, ServedRecord } from '../contracts.ts';
import { TouchmarkError } from '../errors.ts';
import { canonicalInput } from '../keys/canonical-input.ts';
import { askClean } from '../models/clean-answers.ts';
import { ClassifierMarker } from '../watermark/classifier-marker.ts';
import type { ClassifierProfile } from '../watermark/classifier-profile.ts';
import type { Answering, ServedModel } from './answering.ts';

/** Markers kept ready; a tenant beyond these waits some 50 ms for its own to be derived again. */
const markersKept = 64;

/** What the pipeline needs of the key ring. */
export interface EpochKeys {
  currentEpoch(tenant: string): { readonly epoch: string; readonly commitment: string };
  epochKey(tenant: string, epoch: string): Uint8Array;
}

/** What the pipeline needs of the serving log. */
export interface ServedLog {
  /** Resolves once the records outlive this process. */
  append(records: readonly Omit<ServedRecord, 'sequence'>[]): Promise<readonly number[]>;
  /**
   * Resolves once the log has the digest, 64 hexadecimal digits, before all that is appended later;
   * sealing it again changes nothing.
   */
  seal?(what: 'epoch' | 'profile', digest: string): Promise<void>;
}

export interface PipelineOptions {
  readonly upstream: Classifier;
  readonly profile: ClassifierProfile;
  readonly model: ServedModel;
  readonly keyRing: EpochKeys;
  readonly log: ServedLog;
  readonly clock: () => Date;
}

/**
 * Answers for a protected classifier: asks it, marks each answer under the tenant's current epoch,
 * records question, clean and served answer, and only then lets the answer go.
 *
 * It fails closed: what could not be marked or recorded is not served. Before the first record under
 * an epoch and a profile, the log has the epoch's commitment and the profile's digest.
 */
export function createPipeline(options: PipelineOptions): Answering {
  const { upstream, profile, model, keyRing, log, clock } = options;
  const markers = new Map<string, ClassifierMarker>();

  const markerOf = (tenant: string, epoch: string): ClassifierMarker => {
    const name = JSON.stringify([tenant, epoch]);
    const marker =
      markers.get(name) ?? new ClassifierMarker(keyRing.epochKey(tenant, epoch), profile);
    markers.delete(name);
    markers.set(name, marker);
    const oldest = markers.keys().next().value;
    if (markers.size > markersKept && oldest !== undefined) markers.delete(oldest);
    return marker;
  };

  const profileDigest = hexOf(digestOf(profile));
  const sealBefore = async (commitment: string) => {
    await log.seal?.('profile', profileDigest);
    await log.seal?.('epoch', hexOf(commitment));
  };

  return {
    model,
    async answer({ tenant, inputs }, { signal }) {
      const canonical = inputs.map(canonicalInput);
      const clean = await askClean(upstream, canonical, signal);
      requireShape(clean, canonical.length, profile.labels.length);
      const { epoch, commitment } = keyRing.currentEpoch(tenant);
      const marker = markerOf(tenant, epoch);
      const marked = canonical.map((input, index) => marker.mark(input, clean[index]!));
      const servedAt = clock().toISOString();
      await sealBefore(commitment);
      await log.append(
        marked.map(({ served, label, marks }, index) => ({
          tenant,
          epoch,
          servedAt,
          modelVersion: model.version,
          input: canonical[index]!,
          clean: Array.from(clean[index]!),
          served: Array.from(served),
          label,
          marks,
        })),
      );
      return marked.map(({ served, label }) => ({ label, probabilities: Array.from(served) }));
    },
    async ready() {
      try {
        await upstream.describe({ signal: AbortSignal.timeout(2000) });
        return true;
      } catch (cause) {
        if (TouchmarkError.isInstance(cause)) return false;
        throw cause;
      }
    },
  };
}

/** Returns a digest without the name of its algorithm. */
function hexOf(digest: string): string {
  return digest.replace(/^sha256:/, '');
}

/** An adapter would have checked; an upstream in this process is checked here. */
function requireShape(clean: readonly Float64Array[], inputs: number, classes: number): void {
  const invalid = (message: string, hint: string) =>
    new TouchmarkError('UPSTREAM_ANSWER_INVALID', `the protected model ${message}`, { hint });
  if (clean.length !== inputs) {
    throw invalid(
      `gave ${clean.length} answers to ${inputs} inputs`,
      'it must answer every input, in order',
    );
  }
  const odd = clean.findIndex((row) => row.length !== classes);
  if (odd < 0) return;
  throw invalid(
    `gave ${clean[odd]!.length} probabilities for input ${odd}; the watermark was sealed for ${classes}`,
    'serve the model that the profile was sealed for, with one probability per label',
  );
}
