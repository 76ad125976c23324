import { TouchmarkError } from '../../errors.ts';
import type { Fingerprint } from '../../fingerprints/fingerprint.ts';
import { type FingerprintSummary, summarise } from '../../fingerprints/summary.ts';
import type { StoredDocument } from '../../store/fingerprint-files.ts';
import type { FingerprintStore } from '../../store/fingerprints.ts';
import { openPlace, type PlaceOptions } from './place.ts';

/** A fingerprint without its answers. */
export interface ListedFingerprint
  extends Pick<Fingerprint, 'model' | 'task' | 'probeSet' | 'takenAt' | 'outcomes'> {
  readonly fingerprint: string;
  /** `builtin:NAME` of one that ships with the package; null for one's own. */
  readonly builtin: string | null;
  /** Null when its probe set is missing. */
  readonly summary: FingerprintSummary | null;
}

export interface FingerprintList {
  readonly fingerprints: readonly ListedFingerprint[];
  /** Why a file could not be read, or lacks its probe set. */
  readonly problems: readonly string[];
}

/** Returns the fingerprints of a folder and those that ship. @throws TouchmarkError CONFIG_INVALID */
export async function listFingerprints(options: PlaceOptions): Promise<FingerprintList> {
  const { store } = await openPlace(options);
  const { documents, problems } = await store.listFingerprints();
  const more: string[] = [];
  const fingerprints: ListedFingerprint[] = [];
  for (const stored of documents) {
    const summary = await summaryOf(store, stored).catch((cause: unknown) => {
      if (!TouchmarkError.isInstance(cause)) throw cause;
      more.push(`${stored.path}: ${cause.message}`);
      return null;
    });
    fingerprints.push(listed(stored, summary));
  }
  const own = fingerprints.filter(({ builtin }) => builtin === null);
  const shipped = fingerprints.filter(({ builtin }) => builtin !== null);
  return {
    fingerprints: [...own.sort(byTime), ...shipped.sort(byName)],
    problems: [...problems, ...more],
  };
}

function byTime(one: ListedFingerprint, two: ListedFingerprint): number {
  return Date.parse(one.takenAt) - Date.parse(two.takenAt);
}

function byName(one: ListedFingerprint, two: ListedFingerprint): number {
  return one.model.name < two.model.name ? -1 : 1;
}

/** Returns a fingerprint as lists show it. */
export function listed(
  { id, builtin, document }: StoredDocument<Fingerprint>,
  summary: FingerprintSummary | null,
): ListedFingerprint {
  const { model, task, probeSet, takenAt, outcomes } = document;
  const shippedName = builtin ? `builtin:${model.name}` : null;
  const facts = { model, task, probeSet, takenAt, outcomes };
  return { fingerprint: id, builtin: shippedName, ...facts, summary };
}

async function summaryOf(
  store: FingerprintStore,
  stored: StoredDocument<Fingerprint>,
): Promise<FingerprintSummary> {
  const { probeSet } = stored.document;
  const probes = await store.probeSetOf(stored);
  const summary = probes && summarise(stored.document, probes);
  if (summary !== undefined) return summary;
  throw new TouchmarkError('FINGERPRINT_INVALID', `there is no fitting probe set ${probeSet}`);
}
