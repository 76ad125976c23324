import { createHash } from 'node:crypto';
import { json } from '@sigstore/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { inclusionProof, leafHash, verifyInclusion } from '../../src/keys/merkle.ts';
import {
  openTrapSet,
  sealingKeyName,
  sealTrapSet,
  trapCommitments,
  trapOpenings,
} from '../../src/traps/seal.ts';
import { coinSet, regionSet } from '../operations/traps/scene.ts';

const [key, otherKey] = ['one', 'two'].map((name) => createHash('sha256').update(name).digest());
const sealed = sealTrapSet(regionSet([3, 2]), key!);
const text = JSON.stringify(sealed);
const open = (edited: string, under = key) => openTrapSet(edited, 'set.json', under);
const invalid = (reason: string) =>
  expect.objectContaining({
    code: 'TRAP_SET_INVALID',
    message: expect.stringMatching(new RegExp(`^set\\.json .*${reason}`)),
  });

describe('a sealed set', () => {
  it('opens to what was sealed, however its JSON is spelled', () => {
    for (const set of [regionSet([1]), coinSet(5, 9, 3), regionSet([])]) {
      const each = sealTrapSet(set, key!);
      expect(open(JSON.stringify(each, undefined, 2))).toEqual(each);
      expect(each.seal.id).toMatch(new RegExp(`^${set.kind}-[0-9a-f]{16}$`));
    }
    const { seal, set, schema } = sealed;
    expect(open(JSON.stringify({ seal, set, schema }))).toEqual(sealed);
  });

  it('opens to nothing when any character of it changed', () => {
    fc.assert(
      fc.property(fc.nat(text.length - 1), fc.constantFrom('0', 'a', '"', '}'), (at, character) => {
        if (text[at] === character) return;
        const edited = text.slice(0, at) + character + text.slice(at + 1);
        expect(() => open(edited)).toThrow(expect.objectContaining({ code: 'TRAP_SET_INVALID' }));
      }),
      { numRuns: 2_000 },
    );
  });

  it('opens to nothing when it was cut at any place', () => {
    for (let size = 0; size < text.length; size += 11) {
      expect(() => open(text.slice(0, size))).toThrow(invalid('is not complete JSON'));
    }
  });

  it('says which key it misses, and that a seal was forged', () => {
    expect(() => open(text, otherKey)).toThrow(invalid('a key that is not in the key ring'));
    const mac = sealTrapSet(sealed.set, otherKey!).seal.mac;
    const forged = JSON.stringify({ ...sealed, seal: { ...sealed.seal, mac } });
    expect(() => open(forged)).toThrow(invalid('its seal does not fit'));
    const named = { ...sealed.seal, key: sealingKeyName(otherKey!) };
    expect(openTrapSet(JSON.stringify({ ...sealed, seal: named }), 'shipped', undefined)).toEqual({
      ...sealed,
      seal: named,
    });
  });

  it('of a newer version is refused by name', () => {
    const newer = text.replace('trap-set@1', 'trap-set@2');
    expect(() => open(newer)).toThrow(invalid('says touchmark/trap-set@2'));
    expect(() => open('{"schema":"touchmark/config@1"}')).toThrow(invalid('is no touchmark/trap'));
  });
});

describe('trapCommitments', () => {
  it('are leaves of the tree under the root, so that single traps can be shown to be sealed', () => {
    const { set, seal } = sealed;
    const header = {
      ...set,
      lots: set.lots.map(({ traps, ...rest }) => ({ ...rest, size: traps.length })),
    };
    const commitments = [0, 1].flatMap((lot) => trapCommitments(set, lot));
    expect(commitments).toHaveLength(5);
    const leaves = [
      leafHash(Buffer.from(json.canonicalize(header))),
      ...commitments.map((hex) => Buffer.from(hex, 'hex')),
    ];
    const root = Buffer.from(seal.root.slice('sha256:'.length), 'hex');
    for (const [index, leaf] of leaves.entries()) {
      const proof = inclusionProof(index, leaves);
      expect(verifyInclusion({ index, size: leaves.length, leaf, proof, root })).toBe(true);
    }
    expect(trapCommitments(set, 9)).toEqual([]);
    const opened = trapOpenings(set, 0).map((opening) =>
      createHash('sha256').update(Buffer.of(0)).update(opening).digest('hex'),
    );
    expect(opened).toEqual(trapCommitments(set, 0));
  });
});
