import { TouchmarkError } from '../errors.ts';
import { epochBundleSchemaName } from '../store/epoch-bundle.ts';
import { createFile } from '../store/project-files.ts';
import { foreignKeyOfProfile } from '../watermark/text/prfs/registry.ts';
import { parseTextProfile, type TextProfile } from '../watermark/text/profile.ts';
import { mixingOf } from '../watermark/text/schemes/registry.ts';
import { stackCompatibility } from '../watermark/text/stack-compatibility.ts';
import { type ForeignTextKey, foreignTextKeyDocument } from '../watermark/text/text-key.ts';
import type { KeyFormat } from './key-formats.ts';
import type { TenantOptions } from './keys.ts';
import { openProject, openProjectRing } from './project.ts';
import { readTextProfile } from './watermark-open.ts';

export interface KeyExportOptions extends TenantOptions {
  readonly epoch: string;
  readonly format?: KeyFormat;
  /** The text profile that the server is to mark by; the stack's own defaults without it. */
  readonly profilePath?: string;
}

/** What a gateway on another machine gets: one epoch's key, never the root. */
export interface EpochBundle {
  readonly schema: typeof epochBundleSchemaName;
  readonly tenant: string;
  readonly epoch: string;
  readonly commitment: string;
  /** 32 bytes in base64. */
  readonly key: string;
}

/** A secret document, as text, and what may be shown of it. */
export interface KeyDocument {
  readonly text: string;
  readonly commitment: string;
  readonly warnings: readonly string[];
}

/**
 * Writes one epoch's key to a new file of mode 0600; see `keyDocument`.
 *
 * @throws TouchmarkError as `keyDocument`; USAGE when the file exists
 */
export async function exportKey(options: KeyExportOptions & { readonly out: string }): Promise<{
  readonly file: string;
  readonly commitment: string;
  readonly warnings: readonly string[];
}> {
  const { text, commitment, warnings } = await keyDocument(options);
  await createFile(options.out, [text], 0o600);
  return { file: options.out, commitment, warnings };
}

/**
 * Returns one epoch's key for its user. `bundle`: the epoch key, for a gateway. `transformers` and
 * `vllm`: the configuration that makes their servers mark with a key of this epoch, that key, and the
 * text profile to detect it by.
 *
 * @throws TouchmarkError TENANT_UNKNOWN, EPOCH_UNKNOWN; USAGE for a profile with a bundle;
 *   CONFIG_INVALID for a profile whose mark the stack does not make
 */
export async function keyDocument(options: KeyExportOptions): Promise<KeyDocument> {
  const { tenant, epoch, format = 'bundle', profilePath } = options;
  if (format === 'bundle' && profilePath !== undefined) {
    throw new TouchmarkError('USAGE', 'An epoch bundle has no text profile.', {
      hint: 'Give --profile with --format transformers or vllm only.',
    });
  }
  const profile = profilePath === undefined ? undefined : await readTextProfile(profilePath);
  const ring = await openProjectRing(await openProject(options));
  const named = { tenant, epoch, commitment: ring.commitment(tenant, epoch) };
  const epochKey = ring.epochKey(tenant, epoch);
  if (format === 'bundle') {
    const bundle: EpochBundle = {
      schema: epochBundleSchemaName,
      ...named,
      key: epochKey.toString('base64'),
    };
    return { text: written(bundle), commitment: named.commitment, warnings: [] };
  }
  const marked = profile ?? defaultProfile(format);
  requireMadeBy(format, marked);
  const key = foreignKeyOfProfile(marked, epochKey);
  if (!key) throw notMadeBy(format, 'it marks with native');
  const warnings = [
    ...warningsOf(marked),
    ...(profile ? [] : ["Put your model's tokenizer into the profile: its name and vocab_size."]),
  ];
  const text = written({
    schema: 'touchmark/text-server-key@1',
    ...named,
    stack: format,
    use: usageOf(marked),
    configuration: configurationOf(marked, key),
    key: foreignTextKeyDocument(key),
    profile: marked,
    warnings,
  });
  return { text, commitment: named.commitment, warnings };
}

/** The server's own settings; whole numbers beyond 2^53 are written digit by digit. */
function configurationOf(
  profile: TextProfile,
  key: ForeignTextKey,
): Readonly<Record<string, unknown>> {
  const { prf, scheme, repeats } = profile;
  if (key.stack === 'synthid' && 'ngramLength' in prf) {
    return {
      ngram_len: prf.ngramLength,
      keys: key.keys,
      context_history_size: 1024,
      sampling_table_seed: 0,
      sampling_table_size: 65536,
      skip_first_ngram_calls: false,
    };
  }
  if (key.stack === 'vllm' && prf.name === 'vllm-philox') {
    const scopes = { mark: 'none', turn: 'single_turn', all: 'all' } as const;
    const isDual = prf.keys === 'dual';
    return {
      algorithm: isDual ? 'dual_key_gumbel' : 'gumbel',
      key: key.key,
      ...(isDual && { alpha: mixingOf(profile) }),
      context_width: prf.contextWidth,
      deduplicate_contexts: scopes[repeats],
      prf: 'philox',
    };
  }
  if (key.stack === 'hugging-face' && prf.name === 'hugging-face' && 'delta' in scheme) {
    return {
      greenlist_ratio: scheme.gamma,
      bias: scheme.delta,
      hashing_key: key.hashingKey,
      seeding_scheme: prf.seeding,
      context_width: prf.contextWidth,
    };
  }
  throw new TypeError('a key of another stack than its profile');
}

function usageOf({ prf }: TextProfile): string {
  if (prf.name === 'vllm-philox') return 'vllm serve MODEL --watermark-config CONFIGURATION';
  const name = prf.name === 'synthid-hf' ? 'SynthIDTextWatermarkingConfig' : 'WatermarkingConfig';
  return `model.generate(..., watermarking_config=${name}(**configuration))`;
}

function warningsOf({ prf }: TextProfile): string[] {
  if (prf.name === 'vllm-philox') {
    return [
      'Philox is no cryptographic function: it does not keep a key from being found in much marked text, nor the mark from being forged.',
    ];
  }
  if (prf.name === 'synthid-hf') {
    return [
      'SynthID keys in transformers leak: most of them can be found from about a thousand marked tokens. Use this to read such text, and do not mark with it.',
    ];
  }
  return [
    'transformers seeds its lists with 32 bits: with much marked text the key can be searched for.',
    'The lists are those of a CPU: a model on a GPU draws others from the same key, and its text is not found.',
  ];
}

function defaultProfile(format: Exclude<KeyFormat, 'bundle'>): TextProfile {
  const tokenizer = { name: "your model's", vocabularySize: 50257 };
  const schema = 'touchmark/text-profile@1';
  const ofStack = {
    transformers: {
      scheme: { name: 'green-list', gamma: 0.25, delta: 2 },
      prf: { name: 'hugging-face', seeding: 'lefthash', contextWidth: 1 },
      repeats: 'mark',
    },
    vllm: {
      scheme: { name: 'gumbel' },
      prf: { name: 'vllm-philox', contextWidth: 4, keys: 'single' },
      repeats: 'turn',
    },
  };
  return parseTextProfile({ schema, ...ofStack[format], tokenizer }, `${format} by default`);
}

function requireMadeBy(format: KeyFormat, profile: TextProfile): void {
  const found = stackCompatibility(profile);
  if (!found) throw notMadeBy(format, 'it marks with native, which no other stack has');
  if (found.stack !== format) throw notMadeBy(format, `its function is that of ${found.stack}`);
  const [difference] = found.differences;
  if (difference !== undefined) throw notMadeBy(format, difference);
}

function notMadeBy(format: KeyFormat, why: string): TouchmarkError {
  return new TouchmarkError(
    'CONFIG_INVALID',
    `${format} does not make the profile's mark: ${why}.`,
    {
      hint: 'Use green-list over hugging-face or tournament over synthid-hf for transformers, gumbel over vllm-philox for vllm.',
    },
  );
}

function written(document: object): string {
  const text = JSON.stringify(
    document,
    (_, value: unknown) => (typeof value === 'bigint' ? `whole:${value}` : value),
    2,
  );
  return `${text.replaceAll(/"whole:(\d+)"/g, '$1')}\n`;
}
