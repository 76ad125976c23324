import { z } from 'zod';
import { TouchmarkError } from '../errors.ts';
import { parseJson } from '../json.ts';
import { adjustedLowerBound } from '../stats/bounds.ts';
import { digestOf } from './plan.ts';

const digest = z.string().regex(/^sha256:[0-9a-f]{64}$/);
const count = z.int().nonnegative();

/** What an API gives: to surrogates, which learn from it, and to audits of them. */
export const answerShapes = ['labels', 'probabilities'] as const;
export type AnswerShape = (typeof answerShapes)[number];

const studentSchema = z.strictObject({
  family: z.string(),
  /** The keyed score before any charge. */
  bans: z.number(),
});

const pointSchema = z.strictObject({
  /** Served answers that each student learned from. */
  answers: z.int().positive(),
  students: z.array(studentSchema).min(1),
  /** Medians over the students' audits. */
  asked: z.strictObject({ logged: count, coins: count }),
  trained: z.int().positive(),
  matched: count,
  share: z.number().min(0).max(1),
  /** One-sided 95% bounds of Clopper and Pearson, each for itself. */
  lower: z.number().min(0).max(1),
  upper: z.number().min(0).max(1),
  /** Quantiles .1, .5 and .9 of the scores, after charges. */
  bans: z.strictObject({ low: z.number(), median: z.number(), high: z.number() }),
});

/** How often surrogates made by the owner were found by the tests that an audit runs. */
export const rehearsalSchema = z.strictObject({
  schema: z.literal('touchmark/rehearsal@1'),
  /** When the last student was audited. */
  at: z.iso.datetime({ offset: true }),
  toolkit: z.string(),
  /** Digest of the watermark profile. */
  profile: digest,
  protectedModel: z.strictObject({ name: z.string(), version: z.string() }),
  shape: z.enum(answerShapes),
  tests: z.array(z.string()),
  assumptions: z.array(z.string()),
  families: z.array(z.string()).min(1),
  /** What was done to students before they were audited; so far nothing. */
  attacks: z.array(z.string()),
  /** Draws keys, questions and students. */
  seed: z.string().regex(/^[0-9a-f]{64}$/),
  questions: z.strictObject({ source: z.enum(['inputs.twin', 'file']), count, digest }),
  /** Most questions of an audit; coins are those of the whole log, or of this many traps. */
  probes: z.strictObject({
    fresh: count,
    logged: count,
    coins: z.union([z.literal('all'), count]),
  }),
  threshold: z.number(),
  charges: z.array(z.strictObject({ reason: z.string(), bans: z.number().nonnegative() })),
  /** Ascending by answers. */
  budgets: z.array(pointSchema).min(1),
  /** Students that learned nothing of the keys that they were audited under. */
  controls: z.strictObject({
    source: z.enum(['labelled data', 'clean answers']),
    trained: count,
    matched: count,
    /** The largest score after charges; null without controls. */
    largest: z.number().nullable(),
  }),
  /** A first look, which gives no audit its power. */
  quick: z.boolean(),
});

export type Rehearsal = z.infer<typeof rehearsalSchema>;
export type RehearsedStudent = z.infer<typeof studentSchema>;
export type RehearsedPoint = z.infer<typeof pointSchema>;

/** Returns the identifier of a rehearsal: `rehearsal-` and 16 digits of its canonical digest. */
export function rehearsalId(rehearsal: Rehearsal): string {
  return `rehearsal-${digestOf(rehearsal).slice('sha256:'.length, 'sha256:'.length + 16)}`;
}

const idPattern = /(?:^|[/\\])(rehearsal-[0-9a-f]{16})\.json$/;

/**
 * Reads the text of a rehearsal.
 *
 * @param where names the file in errors; when its name is an identifier, the content must have it
 * @throws EVIDENCE_INVALID for anything else than a whole and unedited rehearsal of this version
 */
export function parseRehearsal(text: string, where: string): Rehearsal {
  const parsed = rehearsalSchema.safeParse(parseJson(text));
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    const place = issue?.path.join('.') || 'the top level';
    throw damaged(`${where} is no touchmark/rehearsal@1: ${place}: ${issue?.message ?? ''}`);
  }
  const [, named] = idPattern.exec(where) ?? [];
  if (named !== undefined && named !== rehearsalId(parsed.data)) {
    throw damaged(`${where} was changed after it was written`);
  }
  return parsed.data;
}

/** Says how many scores reach what is wanted, with one-sided 95% bounds (Clopper and Pearson 1934). */
export function shareMatched(
  scores: readonly number[],
  wanted: number,
): Pick<RehearsedPoint, 'trained' | 'matched' | 'share' | 'lower' | 'upper'> {
  const trained = scores.length;
  const matched = scores.filter((score) => score >= wanted).length;
  return {
    trained,
    matched,
    share: matched / trained,
    lower: adjustedLowerBound(matched, trained, 0.95, 1),
    upper: 1 - adjustedLowerBound(trained - matched, trained, 0.95, 1),
  };
}

/** Sums up the students of one budget. @param charged bans that an audit pays */
export function rehearsedPoint(
  answers: number,
  audited: readonly (RehearsedStudent & { readonly logged: number; readonly coins: number })[],
  { threshold, charged }: { readonly threshold: number; readonly charged: number },
): RehearsedPoint {
  const scores = audited.map(({ bans }) => bans);
  const at = (share: number) => quantile(scores, share) - charged;
  const median = (numbers: readonly number[]) => Math.floor(quantile(numbers, 0.5));
  return {
    answers,
    students: audited.map(({ family, bans }) => ({ family, bans })),
    asked: {
      logged: median(audited.map(({ logged }) => logged)),
      coins: median(audited.map(({ coins }) => coins)),
    },
    ...shareMatched(scores, threshold + charged),
    bans: { low: at(0.1), median: at(0.5), high: at(0.9) },
  };
}

/** The sample quantile by linear interpolation (Hyndman and Fan 1996, type 7). */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((left, right) => left - right);
  const place = share * (sorted.length - 1);
  const below = sorted[Math.floor(place)]!;
  return below + (place - Math.floor(place)) * (sorted[Math.ceil(place)]! - below);
}

function damaged(message: string): TouchmarkError {
  return new TouchmarkError('EVIDENCE_INVALID', message, {
    hint: 'restore the file from a copy, or remove it and rehearse again',
  });
}
