import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import {
  type ChainEntry,
  commitToPayload,
  entryLine,
  genesis,
  headAfter,
  nextEntry,
  verifyEntries,
} from '../../src/ledger/chain.ts';

const start = genesis('00'.repeat(16));
const at = '2026-01-02T03:04:05.678Z';
const tenantTag = 'ab'.repeat(16);

function chainOf(count: number): ChainEntry[] {
  const entries: ChainEntry[] = [];
  let head = start;
  for (let number = 0; number < count; number += 1) {
    const commitment = commitToPayload(Buffer.alloc(16, number), Buffer.from(`${number}`));
    const entry =
      number === 2
        ? nextEntry(head, { kind: 'erasure', at, tenantTag, records: 2 })
        : number === 4
          ? nextEntry(head, { kind: 'sealed', at, what: 'epoch', digest: commitment })
          : nextEntry(head, { kind: 'served', at, tenantTag, commitment });
    entries.push(entry);
    head = headAfter(entry);
  }
  return entries;
}

describe('chain', () => {
  const entries = chainOf(5);
  const lines = entries.map(entryLine);

  it('verifies from its genesis to its head', () => {
    expect(verifyEntries(start, lines)).toEqual({ entries, head: headAfter(entries[4]!) });
    expect(verifyEntries(genesis('11'.repeat(16)), lines).broken?.index).toBe(0);
  });

  it('hashes the length-prefixed label and the line without its hash', () => {
    const { hash, ...rest } = entries[0]!;
    const keys = ['sequence', 'kind', 'at', 'tenantTag', 'commitment', 'previous'];
    const body = Buffer.from(JSON.stringify(rest, keys));
    const label = Buffer.from('touchmark/v1/chain-entry');
    const parts = [Buffer.from([0, 0, 0, label.length]), label, Buffer.alloc(4), body];
    parts[2]!.writeUInt32BE(body.length);
    expect(createHash('sha256').update(Buffer.concat(parts)).digest('hex')).toBe(hash);
  });

  it('finds the flip of any one bit of any byte', () => {
    for (const [index, line] of lines.entries()) {
      for (let byte = 0; byte < line.length; byte += 1) {
        const changed = Buffer.from(line);
        changed.writeUInt8(changed.readUInt8(byte) ^ (1 << (byte % 7)), byte);
        const result = verifyEntries(start, lines.with(index, changed.toString('latin1')));
        expect(result.broken?.index).toBe(index);
      }
    }
  });

  it.each([
    ['a line left out', (all: string[]) => all.toSpliced(1, 1), 1],
    ['two lines exchanged', (all: string[]) => [all[0]!, all[2]!, all[1]!, ...all.slice(3)], 1],
    ['a line repeated', (all: string[]) => all.toSpliced(2, 0, all[1]!), 2],
    ['another spelling', (all: string[]) => all.with(3, all[3]!.replace('{', '{ ')), 3],
    ['a key more', (all: string[]) => all.with(0, all[0]!.replace('{', '{"x":1,')), 0],
    ['an empty line', (all: string[]) => all.toSpliced(4, 0, ''), 4],
  ])('finds %s', (_, change, index) => {
    const { broken } = verifyEntries(start, change(lines));
    expect(broken?.index).toBe(index);
    expect(broken?.reason).toMatch(/^(is|has|does) /);
  });

  it('commits to salt and payload apart', () => {
    const commitment = commitToPayload(Buffer.from('ab'), Buffer.from('c'));
    expect(commitToPayload(Buffer.from('a'), Buffer.from('bc'))).not.toBe(commitment);
    expect(commitToPayload(Buffer.from('xb'), Buffer.from('c'))).not.toBe(commitment);
  });
});
