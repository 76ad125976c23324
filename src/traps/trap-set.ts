import { z } from 'zod';
import type { Input } from '../contracts.ts';
import { coinSetSchema } from './kinds/coin.ts';
import { regionSetSchema } from './kinds/region.ts';

/**
 * A trap set: the traps of one kind that were built and sealed together, dealt into lots. A lot is
 * what one audit exposes: its traps are shown to one suspect, once, and never again.
 */
export const trapSetSchema = z.discriminatedUnion('kind', [coinSetSchema, regionSetSchema]);
export type TrapSet = z.infer<typeof trapSetSchema>;
export type TrapKindName = TrapSet['kind'];

const hash = z.string().regex(/^sha256:[0-9a-f]{64}$/);

/** A trap set as its file holds it: `seal` binds every part of `set`. */
export const sealedTrapSetSchema = z.strictObject({
  schema: z.literal('touchmark/trap-set@1'),
  set: trapSetSchema,
  seal: z.strictObject({
    /** The kind and the first sixteen digits of the root. */
    id: z.string().regex(/^[a-z]+-[0-9a-f]{16}$/),
    /** Merkle root (RFC 6962, section 2.1) over the header and every trap. */
    root: hash,
    /** Names the sealing key, which comes from the root of the owner's key ring. */
    key: hash,
    mac: z.string().regex(/^hmac-sha256:[0-9a-f]{64}$/),
  }),
});
export type SealedTrapSet = z.infer<typeof sealedTrapSetSchema>;

/** Returns the JSON Schema (draft 2020-12) of a trap set's file. */
export function trapSetJsonSchema(): object {
  return z.toJSONSchema(sealedTrapSetSchema, { io: 'input' });
}

/** The number of traps in a set. */
export function trapCount({ lots }: TrapSet): number {
  return lots.reduce((sum, { traps }) => sum + traps.length, 0);
}

/** The question of a trap or of a pool, as JSON holds it. */
export function decodeInput(encoded: string | { shape: number[]; data: number[] }): Input {
  if (typeof encoded === 'string') return encoded;
  return { shape: encoded.shape, data: Float32Array.from(encoded.data) };
}

/** The JSON form of a question. */
export function encodeInput(input: Input): string | { shape: number[]; data: number[] } {
  if (typeof input === 'string') return input;
  return { shape: [...input.shape], data: Array.from(input.data) };
}
