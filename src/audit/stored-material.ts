import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { Input, ServedRecord } from '../contracts.ts';
import { TouchmarkError } from '../errors.ts';
import { unpackAnswers } from '../fingerprints/classifier-answers.ts';
import { classifierFingerprintSchema, fingerprintId } from '../fingerprints/fingerprint.ts';
import { classifierProbeSetSchema, probeSetId } from '../fingerprints/probe-set.ts';
import { quirkNullSchema } from '../fingerprints/reference-null.ts';
import { parseJson } from '../json.ts';
import type { ClassifierKeys } from '../keys/classifier-keys.ts';
import { packFloats, unpackFloats } from '../stats/packed-numbers.ts';
import { type RegionLot, regionLotSchema } from '../traps/kinds/region.ts';
import { decodeInput as decodeTrapInput } from '../traps/trap-set.ts';
import type { ClassifierProfile } from '../watermark/classifier-profile.ts';
import { readingLogs } from '../watermark/probability/alignment.ts';
import {
  type AuditMaterial,
  type FingerprintMaterial,
  freshProbe,
  loggedProbe,
  regionProbe,
} from './material.ts';
import { digestOf } from './plan.ts';

/** One distribution per baseline, each as float32 little-endian in base64. */
const baselines = z.array(z.base64());

const inputSchema = z.union([
  z.string(),
  z.strictObject({ shape: z.array(z.int().nonnegative()), data: z.base64() }),
]);

const regionLots = z.array(
  z.strictObject({ set: z.string(), index: z.int().nonnegative(), lot: regionLotSchema }),
);

/** The protected model's fingerprint, its questions, and what suspects are ranked among. */
const storedFingerprint = z.strictObject({
  fingerprint: classifierFingerprintSchema,
  probes: classifierProbeSetSchema,
  nulls: z.array(quirkNullSchema),
});

const schema = z.strictObject({
  schema: z.enum(['touchmark/audit-material@3', 'touchmark/audit-material@4']),
  fresh: z.array(z.strictObject({ input: inputSchema, baselines })),
  logged: z.array(
    z.strictObject({
      sequence: z.int().nonnegative(),
      baselines,
      replayBaselines: baselines.exactOptional(),
    }),
  ),
  /** Sequences of the records whose coins are looked at. */
  coins: z.array(z.int().nonnegative()),
  regionLots,
  fingerprint: storedFingerprint.exactOptional(),
});

const newestSchema = 'touchmark/audit-material@4';

/** The parts of material that can be shown apart, each bound by a digest of its own. */
export const materialParts = ['fresh', 'logged', 'coins', 'regionLots', 'fingerprint'] as const;
export type MaterialPart = (typeof materialParts)[number];

/** Something of each part that there is. */
export type ByPart = Readonly<Partial<Record<MaterialPart, string>>>;

type Rows = readonly ArrayLike<number>[];

/**
 * The part of an audit's material that is computed before sealing: questions and baselines. The
 * clean answers of logged questions are not part of it: they stay in the log, where they are
 * encrypted, and are the last baseline once material and log are joined.
 */
export interface ComputedMaterial {
  readonly fresh: readonly { readonly input: Input; readonly baselines: Rows }[];
  readonly logged: readonly {
    readonly sequence: number;
    readonly baselines: Rows;
    readonly replayBaselines?: Rows;
  }[];
  /** Sequences of the records whose coins are looked at, ascending. */
  readonly coins: readonly number[];
  /** Lots of region traps that are claimed for this audit. */
  readonly regionLots: readonly {
    readonly set: string;
    /** The lot's place in its set. */
    readonly index: number;
    readonly lot: RegionLot;
  }[];
  readonly fingerprint?: StoredFingerprint;
}

/** A fingerprint of the protected model with all that a suspect's is compared with. */
export type StoredFingerprint = z.infer<typeof storedFingerprint>;

/** Writes material as the text whose digest the plan seals. */
export function encodeMaterial(material: ComputedMaterial): string {
  return JSON.stringify({
    schema: newestSchema,
    fresh: material.fresh.map(({ input, baselines: rows }) => ({
      input:
        typeof input === 'string' ? input : { shape: input.shape, data: packFloats(input.data) },
      baselines: rows.map(packFloats),
    })),
    logged: material.logged.map(({ sequence, baselines: rows, replayBaselines }) => ({
      sequence,
      baselines: rows.map(packFloats),
      ...(replayBaselines && { replayBaselines: replayBaselines.map(packFloats) }),
    })),
    coins: material.coins,
    regionLots: material.regionLots,
    ...(material.fingerprint && { fingerprint: material.fingerprint }),
  });
}

/**
 * The digest of encoded material, as the plan seals it: of the digests of its parts, so that one part
 * can be shown and checked without the others.
 */
export function materialDigest(text: string): string {
  const { data } = z.object({ schema: z.string() }).safeParse(parseJson(text));
  if (data?.schema !== newestSchema) return textDigest(text);
  return digestOfParts(partDigests(partTexts(text)));
}

/** The digest of material from the digests of its parts. */
export function digestOfParts(digests: ByPart): string {
  return digestOf(digests);
}

/** The digest of each part's text. */
export function partDigests(texts: ByPart): ByPart {
  return byPart((part) => {
    const text = texts[part];
    return text === undefined ? undefined : textDigest(text);
  });
}

/** Takes encoded material apart into the JSON texts of its parts. */
export function partTexts(text: string): ByPart {
  const whole = z.record(z.string(), z.unknown()).parse(JSON.parse(text));
  return byPart((part) => (part in whole ? JSON.stringify(whole[part]) : undefined));
}

/** Joins texts of parts to encoded material; a part that is left out is empty. */
export function joinParts(texts: ByPart): string {
  const parts = materialParts.flatMap((part) => {
    const own = texts[part] ?? (part === 'fingerprint' ? undefined : '[]');
    return own === undefined ? [] : [`"${part}":${own}`];
  });
  return `{"schema":"${newestSchema}",${parts.join(',')}}`;
}

function byPart(of: (part: MaterialPart) => string | undefined): ByPart {
  return Object.fromEntries(
    materialParts.flatMap((part) => {
      const value = of(part);
      return value === undefined ? [] : [[part, value]];
    }),
  );
}

function textDigest(text: string): string {
  return `sha256:${createHash('sha256').update(text).digest('hex')}`;
}

/** What stored material has to be joined with to be complete. */
export interface MaterialContext {
  readonly profile: ClassifierProfile;
  readonly keys: ClassifierKeys;
  readonly epochCommitment: string;
  readonly records: readonly ServedRecord[];
  readonly questionsNotChosenFromAnswers: boolean;
  readonly referencesExchangeable: boolean;
}

/**
 * Joins stored material with the log and the keys. Audits always read it back from its text, so
 * that a resumed one computes with the very same numbers.
 *
 * @throws PLAN_INVALID when the text is not material, or names a record that the log lacks.
 */
export function decodeMaterial(text: string, context: MaterialContext): AuditMaterial {
  const parsed = schema.safeParse(parseJson(text));
  if (!parsed.success) {
    throw new TouchmarkError(
      'PLAN_INVALID',
      `the run's material cannot be read: ${z.prettifyError(parsed.error)}`,
      {
        hint: 'start a new audit in an empty directory',
      },
    );
  }
  const { records, ...shared } = context;
  const bySequence = new Map(records.map((record) => [record.sequence, record]));
  const recordAt = (sequence: number): ServedRecord => {
    const record = bySequence.get(sequence);
    if (record !== undefined) return record;
    throw new TouchmarkError('PLAN_INVALID', `the serving log no longer has record ${sequence}`, {
      hint: 'the tenant may have been erased since the plan was sealed',
    });
  };
  const { logged, coins } = parsed.data;
  return {
    ...shared,
    fresh: parsed.data.fresh.map(({ input, baselines: rows }, index) => ({
      probe: freshProbe(index, decodeInput(input)),
      baselines: rows.map(decodeBaseline),
    })),
    coins: coins.map((sequence) => {
      const record = recordAt(sequence);
      return { record, probe: loggedProbe(record) };
    }),
    logged: logged.map(({ sequence, baselines: rows, replayBaselines }) => {
      const record = recordAt(sequence);
      return {
        probe: loggedProbe(record),
        record,
        baselines: [...rows.map(decodeBaseline), readingLogs(record.clean)],
        ...(replayBaselines && {
          replayBaselines: [...replayBaselines.map(decodeBaseline), readingLogs(record.clean)],
        }),
      };
    }),
    regionLots: parsed.data.regionLots.map(({ set, index, lot }) => ({
      set,
      lot,
      probes: lot.traps.map(({ input }, place) =>
        regionProbe(set, index, place, decodeTrapInput(input)),
      ),
    })),
    ...(parsed.data.fingerprint && { fingerprint: readFingerprint(parsed.data.fingerprint) }),
  };
}

function readFingerprint({ fingerprint, probes, nulls }: StoredFingerprint): FingerprintMaterial {
  return {
    ...{ fingerprint: fingerprintId(fingerprint), probeSet: probeSetId(probes), probes, nulls },
    protectedModel: unpackAnswers(fingerprint.answers),
  };
}

function decodeInput(input: z.infer<typeof inputSchema>): Input {
  return typeof input === 'string' ? input : { shape: input.shape, data: unpackFloats(input.data) };
}

function decodeBaseline(text: string): Float64Array {
  return readingLogs(unpackFloats(text));
}
