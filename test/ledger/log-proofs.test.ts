import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import {
  type ChainEntry,
  type ChainNote,
  genesis,
  headAfter,
  nextEntry,
} from '../../src/ledger/chain.ts';
import { openLogCheckpoint, signLogCheckpoint } from '../../src/ledger/checkpoint-note.ts';
import { proveEntries, verifyLogExtract } from '../../src/ledger/log-proofs.ts';

const identifier = 'a1'.repeat(16);
const at = '2026-01-02T03:04:05.678Z';
const { privateKey, publicKey } = generateKeyPairSync('ed25519');
const stranger = generateKeyPairSync('ed25519');
const invalid = expect.objectContaining({ code: 'EVIDENCE_INVALID' });

function chainOf(count: number, salt = 0): ChainEntry[] {
  const entries: ChainEntry[] = [];
  let head = genesis(identifier);
  for (let number = 0; number < count; number += 1) {
    const digest = Buffer.alloc(32, number + salt).toString('hex');
    const tenantTag = 'ab'.repeat(16);
    const note: ChainNote =
      number % 5 === 0
        ? { kind: 'sealed', at, what: 'epoch', digest }
        : { kind: 'served', at, tenantTag, commitment: digest };
    entries.push(nextEntry(head, note));
    head = headAfter(entries.at(-1)!);
  }
  return entries;
}

function extractOf(entries: readonly ChainEntry[], sequences: readonly number[]) {
  const { root, proven } = proveEntries(entries, sequences);
  const facts = { size: entries.length, root, head: entries.at(-1)!.hash, at };
  return { checkpoint: signLogCheckpoint(identifier, facts, privateKey), proven };
}

describe('an extract of the log', () => {
  const entries = chainOf(23);
  const sequences = [0, 3, 4, 11, 22];
  const extract = extractOf(entries, sequences);

  it.each([1, 2, 3, 7, 8, 23])('verifies in a log of %i entries', (size) => {
    const all = entries.slice(0, size).map(({ sequence }) => sequence);
    const whole = extractOf(entries.slice(0, size), all);
    const overWire = JSON.parse(JSON.stringify(whole));
    expect(verifyLogExtract(overWire, publicKey).entries).toEqual(entries.slice(0, size));
  });

  it('gives what the checkpoint says and the entries in order', () => {
    const { checkpoint, entries: found } = verifyLogExtract(extract, publicKey);
    expect(found.map(({ sequence }) => sequence)).toEqual(sequences);
    expect(checkpoint).toEqual(openLogCheckpoint(extract.checkpoint, publicKey));
    expect(checkpoint).toMatchObject({ identifier, size: 23, head: entries[22]!.hash, at });
    expect(() => proveEntries(entries, [23])).toThrow(RangeError);
  });

  it('is refused under another key, or when any character of the checkpoint changes', () => {
    expect(() => verifyLogExtract(extract, stranger.publicKey)).toThrow(invalid);
    const { checkpoint, proven } = extract;
    for (let place = 0; place < checkpoint.length; place += 1) {
      const other = String.fromCharCode(checkpoint.charCodeAt(place) ^ 1);
      const changed = `${checkpoint.slice(0, place)}${other}${checkpoint.slice(place + 1)}`;
      expect(() => verifyLogExtract({ checkpoint: changed, proven }, publicKey)).toThrow(invalid);
    }
  });

  it('is refused when any character of its entries and proofs changes', () => {
    const text = JSON.stringify(extract.proven);
    for (let place = 0; place < text.length; place += 1) {
      const other = String.fromCharCode(text.charCodeAt(place) ^ 1);
      const changed = `${text.slice(0, place)}${other}${text.slice(place + 1)}`;
      let proven: unknown;
      try {
        proven = JSON.parse(changed);
      } catch {
        continue;
      }
      const { checkpoint } = extract;
      expect(() => verifyLogExtract({ checkpoint, proven }, publicKey), changed).toThrow(invalid);
    }
  });

  it('is refused with entries repeated, exchanged, of another log, or with a node too many', () => {
    const { checkpoint, proven } = extract;
    const foreign = extractOf(chainOf(23, 1), sequences).proven;
    const first = proven[0]!;
    for (const changed of [
      [first, first],
      [proven[1]!, first],
      [foreign[2]!],
      [{ ...first, proof: foreign[0]!.proof }],
      [{ ...first, proof: [...first.proof, 'ab'.repeat(32)] }],
      [{ ...first, proof: first.proof.slice(1) }],
      [{ ...first, extra: 1 }],
      [{ entry: { ...first.entry, extra: 1 }, proof: first.proof }],
      { 0: first },
      null,
    ]) {
      expect(() => verifyLogExtract({ checkpoint, proven: changed }, publicKey)).toThrow(invalid);
    }
  });

  it('is refused when neighbours do not link, or the last entry is not the head', () => {
    const forked = [...entries.slice(0, 3), ...chainOf(23, 1).slice(3)];
    expect(() => verifyLogExtract(extractOf(forked, [2, 3]), publicKey)).toThrow(/does not link/);
    const { root, proven } = proveEntries(entries, [22]);
    const facts = { size: 23, root, head: entries[21]!.hash, at };
    const checkpoint = signLogCheckpoint(identifier, facts, privateKey);
    expect(() => verifyLogExtract({ checkpoint, proven }, publicKey)).toThrow(/is last/);
  });

  it('proves thousands of entries in a moment', () => {
    const many = chainOf(20_000);
    const all = Array.from({ length: 2000 }, (_, index) => index * 10);
    const { proven } = extractOf(many, all);
    expect(proven).toHaveLength(2000);
    expect(proven[0]?.proof).toHaveLength(15);
  });
});
