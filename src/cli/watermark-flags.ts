import type { WatermarkOptions } from '../operations/watermark-open.ts';
import { flags } from './flags.ts';
import { readKey } from './json-lines.ts';

/** The flags that name a text mark and its key. */
export const keyFlags = {
  config: flags.config,
  profile: flags.profile,
  tenant: { ...flags.tenant, demandOption: false, describe: 'whose key of the ring to use' },
  epoch: flags.epoch,
  'key-file': flags['key-file'],
  'key-env': flags['key-env'],
  'common-tenant': flags['common-tenant'],
  'common-epoch': flags['common-epoch'],
} as const;

/** The flags of commands that read texts. */
export const lineFlags = { in: flags.in, tokenizer: flags.tokenizer } as const;

/** Returns what the flags say; a key that stdin gives is read. */
export async function watermarkOptions(options: {
  readonly config: string;
  readonly profile: string;
  readonly tenant?: string | undefined;
  readonly epoch?: string | undefined;
  readonly keyFile?: string | undefined;
  readonly keyEnv?: string | undefined;
  readonly commonTenant?: string | undefined;
  readonly commonEpoch?: string | undefined;
  readonly tokenizer?: string | undefined;
  readonly in?: string | undefined;
  readonly logitBias?: boolean;
}): Promise<WatermarkOptions> {
  return {
    configPath: options.config,
    profilePath: options.profile,
    ...(options.tenant !== undefined && { tenant: options.tenant }),
    ...(options.epoch !== undefined && { epoch: options.epoch }),
    ...(options.keyFile === '-' && {
      keyText: await readKey(options.in !== undefined || options.logitBias === true),
    }),
    ...(options.keyFile !== undefined && options.keyFile !== '-' && { keyFile: options.keyFile }),
    ...(options.keyEnv !== undefined && { keyVariable: options.keyEnv }),
    ...(options.commonTenant !== undefined && { commonTenant: options.commonTenant }),
    ...(options.commonEpoch !== undefined && { commonEpoch: options.commonEpoch }),
    ...(options.tokenizer !== undefined && { tokenizerFolder: options.tokenizer }),
  };
}
