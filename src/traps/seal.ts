import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { json } from '@sigstore/core';
import { z } from 'zod';
import { TouchmarkError } from '../errors.ts';
import { lengthPrefixed, requireKey } from '../keys/encoding.ts';
import { leafHash, merkleRoot } from '../keys/merkle.ts';
import { type SealedTrapSet, sealedTrapSetSchema, type TrapSet } from './trap-set.ts';

const versionSchema = z.object({ schema: z.string().catch('') }).catch({ schema: '' });

/**
 * Seals a trap set: a Merkle root over its header and each of its traps, and an HMAC-SHA256 of the
 * root under the owner's sealing key. Whoever holds the root can later be shown single traps.
 *
 * @throws TouchmarkError INPUT_INVALID when the key does not have 32 bytes
 */
export function sealTrapSet(set: TrapSet, key: Uint8Array): SealedTrapSet {
  const root = rootOf(set);
  const id = `${set.kind}-${root.slice('sha256:'.length, 'sha256:'.length + 16)}`;
  return {
    schema: 'touchmark/trap-set@1',
    set,
    seal: { id, root, key: sealingKeyName(key), mac: macOf(key, id, root) },
  };
}

/**
 * Reads a trap set's text and checks that it is what was sealed.
 *
 * @param key the owner's sealing key; without it the seal's HMAC is not checked, as for sets that
 *   ship with the package
 * @throws TouchmarkError TRAP_SET_INVALID naming what does not fit: not complete, edited, of another
 *   version, or sealed under a key that is not in the key ring
 */
export function openTrapSet(
  text: string,
  where: string,
  key: Uint8Array | undefined,
): SealedTrapSet {
  const document = parse(text, where);
  const parsed = sealedTrapSetSchema.safeParse(document);
  if (!parsed.success) {
    const place = parsed.error.issues[0]?.path.join('.') || 'the top level';
    throw invalid(`${where} is no touchmark/trap-set@1: ${place} is not as it was written.`);
  }
  const { set, seal } = parsed.data;
  if (rootOf(set) !== seal.root || !seal.id.endsWith(seal.root.slice(7, 23))) {
    throw invalid(`${where} was changed after it was sealed: its Merkle root does not fit.`);
  }
  if (key === undefined) return parsed.data;
  if (seal.key !== sealingKeyName(key)) {
    throw invalid(
      `${where} was sealed under a key that is not in the key ring at hand.`,
      'Restore the key ring that it was sealed with, or move the file away; it is not used.',
    );
  }
  if (timingSafeEqual(Buffer.from(seal.mac), Buffer.from(macOf(key, seal.id, seal.root)))) {
    return parsed.data;
  }
  throw invalid(`${where} was not sealed by the owner of the key ring: its seal does not fit.`);
}

/**
 * Returns the commitment to each trap of a lot, in order: the leaf hashes of the set's Merkle tree in
 * hexadecimal. A random salt in each trap hides it.
 */
export function trapCommitments(set: TrapSet, lot: number): string[] {
  return (set.lots[lot]?.traps ?? []).map((trap, place) =>
    trapLeaf(lot, place, trap).toString('hex'),
  );
}

/**
 * Returns what opens the commitment to each trap of a lot, in order: RFC 8785 JSON of lot, place and
 * trap. The commitment is SHA-256 of a zero byte and this text in UTF-8.
 */
export function trapOpenings(set: TrapSet, lot: number): string[] {
  return (set.lots[lot]?.traps ?? []).map((trap, place) => openingOf(lot, place, trap));
}

/** Returns the public name of a sealing key, `sha256:` and 64 hexadecimal digits. */
export function sealingKeyName(key: Uint8Array): string {
  requireKey(key, 'sealing key');
  const message = lengthPrefixed('touchmark/v1/trap-sets/key-name', key);
  return `sha256:${createHash('sha256').update(message).digest('hex')}`;
}

function rootOf(set: TrapSet): string {
  const header = {
    ...set,
    lots: set.lots.map(({ traps, ...rest }) => ({ ...rest, size: traps.length })),
  };
  const leaves = [
    leafHash(Buffer.from(json.canonicalize(header))),
    ...set.lots.flatMap(({ traps }, lot) =>
      (traps as readonly object[]).map((trap, place) => trapLeaf(lot, place, trap)),
    ),
  ];
  return `sha256:${merkleRoot(leaves).toString('hex')}`;
}

function trapLeaf(lot: number, place: number, trap: object): Buffer {
  return leafHash(Buffer.from(openingOf(lot, place, trap)));
}

function openingOf(lot: number, place: number, trap: object): string {
  return json.canonicalize({ lot, place, trap });
}

function macOf(key: Uint8Array, id: string, root: string): string {
  const message = lengthPrefixed('touchmark/v1/trap-set', id, root);
  return `hmac-sha256:${createHmac('sha256', key).update(message).digest('hex')}`;
}

function parse(text: string, where: string): unknown {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    throw invalid(`${where} is not complete JSON: it was cut short or edited.`);
  }
  const { schema: name } = versionSchema.parse(document);
  if (!/^touchmark\/trap-set@\d+$/.test(name) || name === 'touchmark/trap-set@1') return document;
  throw invalid(
    `${where} says ${name}; this version reads touchmark/trap-set@1.`,
    'Upgrade touchmark.',
  );
}

function invalid(
  message: string,
  hint = 'Restore the file from a copy. Until then none of its traps is used, and rotation builds others.',
): TouchmarkError {
  return new TouchmarkError('TRAP_SET_INVALID', message, { hint });
}
