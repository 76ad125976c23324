import { join } from 'node:path';
import { z } from 'zod';
import type { Tokenizer } from '../contracts.ts';
import { TouchmarkError } from '../errors.ts';
import { openTokenizer, tokenizerNames } from '../models/tokenizers/registry.ts';
import { openTokenizerFiles } from '../models/tokenizers/tokenizer-files.ts';
import { readJsonDocument } from '../store/json-document.ts';
import type { KeyRing } from '../store/key-ring.ts';
import { parseTextProfile, type TextProfile } from '../watermark/text/profile.ts';
import { tenantIdentifier } from '../watermark/text/tenants/identifiers.ts';
import { openTenantWatermark } from '../watermark/text/tenants/tenant-watermark.ts';
import type { TextKey } from '../watermark/text/text-key.ts';
import { openTextWatermark, type TextWatermark } from '../watermark/text/watermark.ts';
import { openProject, openProjectRing, type ProjectOptions } from './project.ts';
import { type KeyOptions, readTextKey, requireOneKey } from './text-key.ts';

/** For which profile, and with which key: just one of those that can be named. */
export interface WatermarkOptions extends KeyOptions {
  readonly profilePath: string;
  /** The tenant that serves nobody, whose key all tenants share; for profiles with `tenants`. */
  readonly commonTenant?: string;
  readonly commonEpoch?: string;
  /** The folder of `tokenizer.json`, for tokenizers that are not built in. */
  readonly tokenizerFolder?: string;
}

/** A text mark that is ready for work. */
export interface OpenedWatermark {
  readonly watermark: TextWatermark;
  /** The key alone, for profiles that do not tell tenants apart. */
  readonly key?: TextKey;
  /** Undefined where the profile's tokenizer is not at hand. */
  readonly tokenizer: Tokenizer | undefined;
}

/**
 * Opens a text mark from a profile and a key.
 *
 * @throws TouchmarkError USAGE when not exactly one key is named; CONFIG_INVALID for the profile, a
 *   key of another stack or a missing file; TENANT_UNKNOWN, EPOCH_UNKNOWN and what opening a key ring
 *   throws; INPUT_INVALID for a key; none of them contains a secret
 */
export async function openWatermark(options: WatermarkOptions): Promise<OpenedWatermark> {
  const profile = await readTextProfile(options.profilePath);
  const tokenizer = await findTokenizer(profile, options.tokenizerFolder);
  requireOneKey(options);
  if (profile.tenants) {
    return { watermark: await openLayeredWatermark(profile, options), tokenizer };
  }
  const key = await readTextKey(options);
  return { watermark: openTextWatermark(profile, key), key, tokenizer };
}

const exportedProfile = z.looseObject({
  schema: z.literal('touchmark/text-server-key@1'),
  profile: z.unknown(),
});

/**
 * Returns the profile in a file, which may be what `keys export` wrote for another stack's server.
 *
 * @throws TouchmarkError CONFIG_INVALID
 */
export async function readTextProfile(path: string): Promise<TextProfile> {
  const value = await readJsonDocument(path, 'text profile');
  const exported = exportedProfile.safeParse(value);
  return parseTextProfile(exported.success ? exported.data.profile : value, path);
}

/** Returns the profile's tokenizer, or undefined where it is not at hand. */
export async function findTokenizer(
  { tokenizer }: TextProfile,
  folder: string | undefined,
): Promise<Tokenizer | undefined> {
  if (folder !== undefined) {
    const [files, config] = await Promise.all(
      ['tokenizer.json', 'tokenizer_config.json'].map((name) =>
        readJsonDocument(join(folder, name), 'tokenizer file'),
      ),
    );
    return openTokenizerFiles({ tokenizer: files, config }, tokenizer);
  }
  return tokenizerNames.includes(tokenizer.name) ? openTokenizer(tokenizer.name) : undefined;
}

/** The common key of an epoch, and who shares it. */
export interface CommonEpoch {
  readonly ring: KeyRing;
  readonly commonKey: Buffer;
  /** The period of the epoch: ISO 8601, without an end while it is in use. */
  readonly createdAt: string;
  readonly closedAt?: string;
  /** All other tenants of the ring in the order of their first epochs, which numbers them. */
  readonly tenants: readonly string[];
}

/** Opens the key that all tenants of a ring share. @throws TouchmarkError as `openWatermark` */
export async function openCommonEpoch(
  options: Pick<WatermarkOptions, 'commonTenant' | 'commonEpoch' | keyof ProjectOptions>,
): Promise<CommonEpoch> {
  const { commonTenant, commonEpoch } = options;
  if (commonTenant === undefined) {
    throw new TouchmarkError('USAGE', 'The profile tells tenants apart by a key that all share.', {
      hint: 'Name the tenant that has it, one that serves nobody, with --common-tenant.',
    });
  }
  const ring = await openProjectRing(await openProject(options));
  const current = ring.currentEpoch(commonTenant);
  const epoch = commonEpoch ?? current.epoch;
  const commonKey = ring.epochKey(commonTenant, epoch);
  const record = ring.epochs(commonTenant).find((each) => each.epoch === epoch) ?? current;
  return {
    ring,
    commonKey,
    createdAt: record.createdAt,
    ...(record.closedAt === undefined ? {} : { closedAt: record.closedAt }),
    tenants: ring.tenants().filter((tenant) => tenant !== commonTenant),
  };
}

/** Opens the mark of one tenant of a common epoch. */
export function openTenantLayers(
  profile: TextProfile,
  { ring, commonKey, tenants }: CommonEpoch,
  { tenant, epoch }: { readonly tenant: string; readonly epoch: string },
): TextWatermark {
  return openTenantWatermark(profile, {
    commonKey,
    identifier: tenantIdentifier(tenants.indexOf(tenant), profile.tenants?.identifierBits ?? 0),
    ownKey: ring.epochKey(tenant, epoch),
  });
}

async function openLayeredWatermark(
  profile: TextProfile,
  options: WatermarkOptions,
): Promise<TextWatermark> {
  const common = await openCommonEpoch(options);
  const { tenant } = options;
  if (tenant === undefined || !common.tenants.includes(tenant)) {
    throw new TouchmarkError(
      'USAGE',
      'The profile tells tenants apart by their keys in the ring.',
      {
        hint: `Name one with --tenant: ${common.tenants.join(', ') || 'there is none yet'}.`,
      },
    );
  }
  const epoch = options.epoch ?? common.ring.currentEpoch(tenant).epoch;
  return openTenantLayers(profile, common, { tenant, epoch });
}
