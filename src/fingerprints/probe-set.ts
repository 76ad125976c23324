import { createHash } from 'node:crypto';
import { json } from '@sigstore/core';
import { z } from 'zod';
import type { Input } from '../contracts.ts';
import { packFloats, unpackFloats } from '../stats/packed-numbers.ts';
import { languageProbeSetSchema } from './language-probe-set.ts';

export const sliceNames = ['rare', 'hard'] as const;
export type SliceName = (typeof sliceNames)[number];

const inputSchema = z.union([
  z.string(),
  z.strictObject({ shape: z.array(z.int().nonnegative()).max(8), data: z.base64() }),
]);

/** What a classifier is asked for its fingerprint. */
export const classifierProbeSetSchema = z
  .strictObject({
    schema: z.literal('touchmark/probe-set@1'),
    task: z.literal('classify'),
    name: z.string().min(1).max(200),
    /** The protected model's label set: answers outside it count as none. */
    labels: z.array(z.string().min(1)).min(2).max(10_000),
    questions: z
      .array(
        z.strictObject({
          input: inputSchema,
          /** Index of the label that the question is known or commonly held to have. */
          expected: z.int().nonnegative().exactOptional(),
          slices: z.array(z.enum(sliceNames)).exactOptional(),
        }),
      )
      .min(1)
      .max(100_000),
    /** Pairs of questions between which the boundary is sought, as indices. */
    pairs: z.array(z.tuple([z.int().nonnegative(), z.int().nonnegative()])).max(10_000),
    /** Steps between two tensors of a pair are 2 to this power; between texts they are words. */
    depth: z.int().min(1).max(16),
    /** The first so many questions are asked twice, to see how steady the answers are. */
    repeated: z.int().nonnegative(),
    /** The first so many questions are asked alone, three times each, and timed. */
    timed: z.int().nonnegative(),
  })
  .superRefine(({ questions, pairs, labels, repeated, timed }, context) => {
    const count = questions.length;
    const fits = (index: number) => index < count;
    if (!pairs.every((pair) => pair.every(fits)) || repeated > count || timed > count)
      context.addIssue('names a question that it does not have');
    if (!questions.every(({ expected = 0 }) => expected < labels.length))
      context.addIssue('expects a label that it does not have');
  });
export type ClassifierProbeSet = z.infer<typeof classifierProbeSetSchema>;

export const probeSetSchema = z.discriminatedUnion('task', [
  classifierProbeSetSchema,
  languageProbeSetSchema,
]);
/** A fixed list of questions; models that were asked the very same ones can be compared. */
export type ProbeSet = z.infer<typeof probeSetSchema>;

/** Returns the name of a probe set, which is the hash of what it holds. */
export function probeSetId(set: ProbeSet): string {
  return contentId('probes', set);
}

/** Returns `KIND-` and the first sixteen digits of the SHA-256 of a document's canonical JSON. */
export function contentId(kind: string, document: unknown): string {
  const hash = createHash('sha256').update(json.canonicalize(document)).digest('hex');
  return `${kind}-${hash.slice(0, 16)}`;
}

/** The question of a probe set. */
export function decodeQuestion(input: z.infer<typeof inputSchema>): Input {
  if (typeof input === 'string') return input;
  return { shape: input.shape, data: unpackFloats(input.data) };
}

/** A question as a probe set holds it. */
export function encodeQuestion(input: Input): z.infer<typeof inputSchema> {
  if (typeof input === 'string') return input;
  return { shape: [...input.shape], data: packFloats(input.data) };
}
