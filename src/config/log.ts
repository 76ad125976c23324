import { z } from 'zod';

/** Where and how the serving log is kept. */
export const logSchema = z
  .strictObject({
    directory: z
      .string()
      .min(1)
      .default('.touchmark/log')
      .describe('The directory of the serving log.'),
    keeps: z
      .enum(['all', 'eligible', 'commitments'])
      .default('all')
      .describe(
        'Questions and answers to keep: all; those that a coin answered and a sample; or commitments only.',
      ),
    sampleShare: z
      .number()
      .min(0)
      .max(1)
      .default(0.1)
      .describe('Share of the other questions that eligible keeps, 0 to 1.'),
    checkpointEvery: z
      .int()
      .min(1)
      .max(1_000_000)
      .default(1024)
      .describe('Records between Merkle checkpoints, 1 to 1000000.'),
    fsyncMilliseconds: z
      .int()
      .min(1)
      .max(60_000)
      .default(100)
      .describe(
        'The longest time, but for that of writing, that a record may be lost to a power cut, 1 to 60000.',
      ),
    segmentBytes: z
      .int()
      .min(2 ** 20)
      .max(2 ** 30)
      .default(64 * 2 ** 20)
      .describe('Bytes of questions and answers in one file, 1048576 to 1073741824.'),
    maxWaiting: z
      .int()
      .min(1)
      .max(1_000_000)
      .default(8192)
      .describe('Answers that may wait to be written; more are refused. 1 to 1000000.'),
    retentionDays: z
      .int()
      .min(1)
      .max(3650)
      .exactOptional()
      .describe(
        'Days after which questions and answers are deleted, and with them their evidence; left out, never.',
      ),
  })
  .prefault({})
  .describe('The record of what was served: what an audit draws its strongest evidence from.');
