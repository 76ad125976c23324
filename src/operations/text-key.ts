import { z } from 'zod';
import { TouchmarkError } from '../errors.ts';
import { parseDocument, readSecretDocument } from '../store/json-document.ts';
import { parseForeignTextKey, type TextKey } from '../watermark/text/text-key.ts';
import { openProject, openProjectRing, type ProjectOptions } from './project.ts';

/** Where the key of a text mark is; just one place is named. */
export interface KeyOptions extends ProjectOptions {
  readonly tenant?: string;
  /** The tenant's epoch; its current one by default. */
  readonly epoch?: string;
  /** A file of mode 0600 that holds another stack's key, or what `keys export` wrote. */
  readonly keyFile?: string;
  /** The environment variable that holds the same. */
  readonly keyVariable?: string;
  /** The same as text, such as stdin gave it. */
  readonly keyText?: string;
}

/** @throws TouchmarkError USAGE unless exactly one key is named */
export function requireOneKey({ tenant, keyFile, keyVariable, keyText }: KeyOptions): void {
  const given = [tenant, keyFile, keyVariable, keyText].filter((each) => each !== undefined).length;
  if (given === 1) return;
  throw new TouchmarkError('USAGE', given === 0 ? 'No key is named.' : 'Several keys are named.', {
    hint: 'Give one of --tenant (its epoch key in the ring), --key-file and --key-env.',
  });
}

/**
 * Returns the key that options name.
 *
 * @throws TouchmarkError USAGE for a variable that is not set; CONFIG_INVALID for a missing file or one
 *   that is not JSON; KEY_RING_PERMISSIONS; INPUT_INVALID; TENANT_UNKNOWN, EPOCH_UNKNOWN and what
 *   opening a key ring throws; none of them contains a secret
 */
export async function readTextKey(options: KeyOptions): Promise<TextKey> {
  const { tenant, keyFile, keyVariable, keyText, environment = process.env } = options;
  if (tenant !== undefined) {
    const ring = await openProjectRing(await openProject(options));
    const epoch = options.epoch ?? ring.currentEpoch(tenant).epoch;
    return { stack: 'touchmark', epochKey: ring.epochKey(tenant, epoch) };
  }
  if (keyFile !== undefined) {
    return parseKeyDocument(await readSecretDocument(keyFile, 'key file'), keyFile);
  }
  if (keyText !== undefined) return parseKeyDocument(parseDocument(keyText, 'stdin'), 'stdin');
  const text = environment[keyVariable ?? ''];
  if (text !== undefined && text !== '') {
    const where = `The variable ${keyVariable}`;
    return parseKeyDocument(parseDocument(text, where), where);
  }
  throw new TouchmarkError('USAGE', `The environment variable ${keyVariable} is not set.`, {
    hint: '--key-env names it: put the key there, as JSON.',
  });
}

const epochBundle = z.strictObject({
  schema: z.literal('touchmark/epoch-bundle@1'),
  tenant: z.string(),
  epoch: z.string(),
  commitment: z.string(),
  key: z.base64().refine((key) => Buffer.from(key, 'base64').length === 32),
});

/** Reads what `keys export` writes, or another stack's key. */
function parseKeyDocument(value: unknown, where: string): TextKey {
  const bundle = epochBundle.safeParse(value);
  if (!bundle.success) return parseForeignTextKey(value, where);
  return { stack: 'touchmark', epochKey: Buffer.from(bundle.data.key, 'base64') };
}
