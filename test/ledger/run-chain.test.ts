import { json } from '@sigstore/core';
import { describe, expect, it } from 'vitest';
import {
  nextRunEntry,
  type RunEntry,
  type RunPayload,
  runEntryLine,
  runGenesis,
  runHeadAfter,
  sealRunEntry,
  verifyRunEntries,
} from '../../src/ledger/run-chain.ts';

const plan = 'sha256:plan';
const payload = (id: string): RunPayload => ({
  id,
  at: '2026-01-01T00:00:00.000Z',
  milliseconds: 1.5,
  outcome: { answer: { label: 'ß', probabilities: [0.25, 0.75] } },
});

function chainOf(...ids: readonly string[]): RunEntry[] {
  let head = runGenesis(plan);
  return ids.map((id, index) => {
    const entry = nextRunEntry(head, new Uint8Array(16).fill(index), payload(id));
    head = runHeadAfter(head, entry);
    return entry;
  });
}

describe('the chain of a run log', () => {
  it('is frozen', () => {
    expect(chainOf('a').map(runEntryLine)).toMatchInlineSnapshot(`
      [
        "{"commitment":"ab985d1683a6183894866a124a4414933f4dd954ec5caa3ceb04ba6548fff6bb","hash":"076d139a5d0aa5fa8cbe923f8f7f3ff0c14f781a7e0cd7a9686a5edc50f54133","payload":{"at":"2026-01-01T00:00:00.000Z","id":"a","milliseconds":1.5,"outcome":{"answer":{"label":"ß","probabilities":[0.25,0.75]}}},"previous":"591ccbb45ee5d65b0cf67a4a5c4fb7b4558d95f4cfd96f3eb89c7c2a00effac5","salt":"00000000000000000000000000000000","sequence":0}",
      ]
    `);
  });

  it('is spelled as RFC 8785 canonical JSON', () => {
    const outcomes: readonly RunPayload['outcome'][] = [
      { answer: { probabilities: [1e-7, 1e21, 0.1, -0], label: '\u007f"\\\ud800\u2028€' } },
      { answer: { label: '' } },
      { missing: 'failed' },
    ];
    for (const outcome of outcomes) {
      const payload = {
        outcome,
        milliseconds: 2,
        id: 'ß',
        attempts: 3,
        at: '2026-01-01T00:00:00Z',
      };
      const entry = nextRunEntry(runGenesis(plan), new Uint8Array(16), payload);
      expect(runEntryLine(entry)).toBe(json.canonicalize(entry));
    }
  });

  it('verifies with any of its answers left out', () => {
    const whole = chainOf('a', 'b', 'c', 'd');
    const { head } = verifyRunEntries(plan, whole);
    for (let mask = 0; mask < 16; mask += 1) {
      const shown = whole.map((entry, index) =>
        (mask >> index) & 1 ? entry : sealRunEntry(entry),
      );
      const verified = verifyRunEntries(plan, shown);
      expect(verified.broken).toBeUndefined();
      expect(verified.head).toEqual(head);
      expect([...verified.payloads.keys()]).toEqual([0, 1, 2, 3].filter((at) => (mask >> at) & 1));
    }
  });

  it('breaks where an entry is changed, moved, dropped, repeated or of another plan', () => {
    const whole = chainOf('a', 'b', 'c', 'd');
    const breakIn = (entries: readonly RunEntry[], hash = plan) =>
      verifyRunEntries(hash, entries).broken;
    const second = whole[1]!;
    const changes: readonly (readonly [Partial<RunEntry>, string])[] = [
      [{ payload: { ...second.payload, id: 'x' } }, 'does not open its commitment'],
      [{ salt: '0'.repeat(32) }, 'does not open its commitment'],
      [{ commitment: '0'.repeat(64) }, 'does not open its commitment'],
      [{ hash: '0'.repeat(64) }, 'does not have the hash of its content'],
      [{ previous: '0'.repeat(64) }, 'does not link to the entry before it'],
      [{ sequence: 2 }, 'has sequence 2 instead of 1'],
    ];
    for (const [change, reason] of changes) {
      expect(breakIn(whole.with(1, { ...second, ...change }))).toEqual({ index: 1, reason });
    }
    expect(breakIn([...whole].reverse())).toMatchObject({ index: 0 });
    expect(breakIn(whole.toSpliced(1, 1))).toMatchObject({ index: 1 });
    expect(breakIn(whole, 'sha256:other')).toMatchObject({ index: 0 });
    expect(breakIn(chainOf('a', 'b', 'a'))).toEqual({
      index: 2,
      reason: 'answers a probe a second time',
    });
  });

  it('gives another head when a commitment is exchanged whose answer is not shown', () => {
    const whole = chainOf('a', 'b', 'c').map(sealRunEntry);
    const { head } = verifyRunEntries(plan, whole);
    const forged = whole.map(({ sequence, commitment }) => ({ sequence, commitment }));
    expect(verifyRunEntries(plan, forged).head).toEqual(head);
    forged[1]!.commitment = '0'.repeat(64);
    expect(verifyRunEntries(plan, forged).broken).toBeUndefined();
    expect(verifyRunEntries(plan, forged).head).not.toEqual(head);
  });
});
