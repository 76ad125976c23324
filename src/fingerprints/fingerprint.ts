import { z } from 'zod';
import { classifierAnswersSchema } from './classifier-answers.ts';
import { languageAnswersSchema } from './language-answers.ts';
import { contentId } from './probe-set.ts';

const count = z.int().nonnegative();

const taken = {
  schema: z.literal('touchmark/fingerprint@1'),
  model: z.strictObject({
    name: z.string().min(1).max(200),
    version: z.string().max(200).nullable(),
    /** Where it was asked, as it may be shown; null for a model in the same process. */
    address: z.string().max(2000).nullable(),
  }),
  /** The hash that names the probe set it was asked. */
  probeSet: z.string().regex(/^probes-[0-9a-f]{16}$/),
  takenAt: z.iso.datetime({ offset: true }),
  toolkit: z.string(),
  /** Questions that were answered, and why others were not. */
  outcomes: z.strictObject({
    answered: count,
    refused: count,
    failed: count,
    unsupported: count,
    /** Answers with a label outside the set; they are among the answered ones. */
    outside: count,
  }),
};

export const classifierFingerprintSchema = z.strictObject({
  ...taken,
  task: z.literal('classify'),
  labels: z.array(z.string()).min(2),
  answers: classifierAnswersSchema,
});
export type ClassifierFingerprint = z.infer<typeof classifierFingerprintSchema>;

export const languageFingerprintSchema = z.strictObject({
  ...taken,
  task: z.literal('language'),
  answers: languageAnswersSchema,
});
export type LanguageFingerprint = z.infer<typeof languageFingerprintSchema>;

/** What one model answered to the questions of one probe set. */
export const fingerprintSchema = z.discriminatedUnion('task', [
  classifierFingerprintSchema,
  languageFingerprintSchema,
]);
export type Fingerprint = z.infer<typeof fingerprintSchema>;

/** Returns the name of a fingerprint, which is the hash of what it holds. */
export function fingerprintId(fingerprint: Fingerprint): string {
  return contentId('fingerprint', fingerprint);
}
