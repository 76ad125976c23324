import { z } from 'zod';
import { TouchmarkError } from '../errors.ts';
import { parseJson } from '../json.ts';
import { type ClassifierProfile, profileSchemas } from '../watermark/classifier-profile.ts';
import { readTextIfPresent, replaceFile } from './project-files.ts';

const list = <Item extends z.ZodType>(item: Item) => z.array(item).readonly();
const count = z.int().nonnegative();

const profileSchema: z.ZodType<ClassifierProfile> = z.strictObject({
  schema: z.enum(profileSchemas),
  labels: list(z.string()),
  features: z.discriminatedUnion('kind', [
    z.strictObject({
      kind: z.literal('text'),
      ngrams: z.strictObject({
        dimensions: z.int().positive(),
        shortest: z.int().positive(),
        longest: z.int().positive(),
        seed: z.int(),
      }),
      mean: list(z.number()).exactOptional(),
    }),
    z.strictObject({
      kind: z.literal('tensor'),
      shape: list(count),
      mean: list(z.number()),
      deviation: list(z.number().nonnegative()),
    }),
  ]),
  markedClasses: list(count),
  linearCarriers: count,
  fourierCarriers: count,
  bandwidth: z.number().nonnegative(),
  smoothStrength: z.number().nonnegative(),
  perQueryStrength: z.number().nonnegative(),
  marginThreshold: z.number().min(0).max(1),
  freshPool: z.string().exactOptional(),
  twinPool: z.string().exactOptional(),
});

/**
 * Returns the watermark profile in a file, or undefined when there is none yet.
 *
 * @throws TouchmarkError STORE_DAMAGED naming the file and the first setting that is not as written
 */
export async function readProfile(path: string): Promise<ClassifierProfile | undefined> {
  const text = await readTextIfPresent(path);
  if (text === undefined) return undefined;
  const value = parseJson(text);
  const parsed = profileSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const { schema } = z.object({ schema: z.string() }).catch({ schema: '' }).parse(value);
  if (/^touchmark\/classifier-profile@\d+$/.test(schema) && !isRead(schema)) {
    throw damaged(
      `${path} says ${schema}; this version reads ${profileSchemas.join(' and ')}.`,
      'Upgrade touchmark.',
    );
  }
  const where = parsed.error.issues[0]?.path.join('.') || 'the top level';
  throw damaged(
    `${path} is no ${isRead(schema) ? schema : profileSchemas.at(-1)}: ${where} is not as it was written.`,
  );
}

function isRead(schema: string): boolean {
  return profileSchemas.some((each) => each === schema);
}

/**
 * Writes a watermark profile; a crash leaves the old file or the new one.
 *
 * @throws TouchmarkError STORE_FULL or STORE_DAMAGED
 */
export async function writeProfile(path: string, profile: ClassifierProfile): Promise<void> {
  await replaceFile(path, `${JSON.stringify(profile, undefined, 2)}\n`);
}

/**
 * Checks that a profile was sealed for a model with these labels, in this order.
 *
 * @throws TouchmarkError CONFIG_INVALID naming the first label that differs
 */
export function requireProfileLabels(
  path: string,
  profile: ClassifierProfile,
  labels: readonly string[],
): void {
  const length = Math.max(labels.length, profile.labels.length);
  const place = Array.from({ length }, (_, index) => index).find(
    (index) => labels[index] !== profile.labels[index],
  );
  if (place === undefined) return;
  const [sealed, found] = [profile.labels[place], labels[place]].map((label) =>
    label === undefined ? 'nothing' : JSON.stringify(label),
  );
  throw new TouchmarkError(
    'CONFIG_INVALID',
    `${path} was sealed for label ${place} being ${sealed}; the model has ${found} there.`,
    {
      hint: 'Serve the model that the profile was sealed for. For another model, begin a new project: an epoch keeps one profile.',
    },
  );
}

function damaged(message: string, hint?: string): TouchmarkError {
  return new TouchmarkError('STORE_DAMAGED', message, {
    hint: hint ?? 'Restore the profile from a copy: answers were marked with what it said.',
  });
}
