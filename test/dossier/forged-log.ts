import { createHash } from 'node:crypto';
import { digestOf } from '../../src/audit/plan.ts';
import type { ServedRecord } from '../../src/contracts.ts';
import { commitToEpochKey } from '../../src/keys/commitment.ts';
import {
  type ChainEntry,
  type ChainNote,
  commitToPayload,
  genesis,
  headAfter,
  nextEntry,
} from '../../src/ledger/chain.ts';
import { proveEntries } from '../../src/ledger/log-proofs.ts';
import { encodeRecord } from '../../src/ledger/payload.ts';
import { ClassifierMarker } from '../../src/watermark/classifier-marker.ts';
import type { ClassifierProfile } from '../../src/watermark/classifier-profile.ts';
import type { Forgery } from './workshop.ts';

/** Sequences of the records on which a coin fell. */
export function fallen(records: readonly ServedRecord[]): number[] {
  return records.filter(({ marks }) => marks.coin !== undefined).map(({ sequence }) => sequence);
}

const commitments = new Map<string, string>();

export function commitmentOf(epochKey: Uint8Array, tenant: string, epoch: string): string {
  const name = [Buffer.from(epochKey).toString('hex'), tenant, epoch].join(' ');
  const commitment = commitments.get(name) ?? commitToEpochKey(epochKey, tenant, epoch);
  commitments.set(name, commitment);
  return commitment;
}

const markers = new Map<string, ClassifierMarker>();

function markerOf(epochKey: Uint8Array, profile: ClassifierProfile): ClassifierMarker {
  const name = `${Buffer.from(epochKey).toString('hex')} ${digestOf(profile)}`;
  const marker = markers.get(name) ?? new ClassifierMarker(epochKey, profile);
  markers.set(name, marker);
  return marker;
}

/** Writes a log of marked answers as a gateway would, with whatever times and order it is given. */
export function writeLog(
  { template, epochKey, identifier, clean, questions, shownProfile, sealsLast = false }: Forgery,
  profile: ClassifierProfile,
  commitment: string,
  after: (days: number) => string,
) {
  const { tenant, epoch, protectedModel } = template.predicate.plan;
  const marker = markerOf(epochKey, profile);
  const openings = new Map<number, { sequence: number; salt: string; payload: string }>();
  const entries: ChainEntry[] = [];
  let head = genesis(identifier);
  const add = (note: ChainNote) => {
    const entry = nextEntry(head, note);
    entries.push(entry);
    head = headAfter(entry);
    return entry.sequence;
  };
  const seal = (at: string) => [
    add({ kind: 'sealed', what: 'profile', digest: hexOf(digestOf(shownProfile ?? profile)), at }),
    add({ kind: 'sealed', what: 'epoch', digest: hexOf(commitment), at }),
  ];
  const first = sealsLast ? [] : seal(after(1));
  for (const [index, input] of questions.entries()) {
    const row = Float64Array.from(clean(input));
    const { served, label, marks } = marker.mark(input, row);
    const payload = encodeRecord({
      ...{ tenant, epoch, servedAt: after(2), modelVersion: protectedModel.version, input },
      ...{ clean: Array.from(row), served: Array.from(served), label, marks },
    });
    const salt = createHash('sha256').update(`${index}`).digest().subarray(0, 16);
    const sequence = add({
      kind: 'served',
      at: after(2),
      tenantTag: '0'.repeat(32),
      commitment: commitToPayload(salt, payload),
    });
    openings.set(sequence, {
      sequence,
      salt: salt.toString('hex'),
      payload: payload.toString('utf8'),
    });
  }
  const seals = sealsLast ? seal(after(2.2)) : first;
  const facts = (size: number) => {
    const { root } = proveEntries(entries.slice(0, size), []);
    return { size, root, head: entries[size - 1]!.hash };
  };
  return { entries, openings, seals, facts };
}

function hexOf(digest: string): string {
  return digest.replace(/^sha256:/, '');
}
