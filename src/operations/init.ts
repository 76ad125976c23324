import { join, resolve } from 'node:path';
import type { Environment } from '../config/overrides.ts';
import { configTemplate } from '../config/template.ts';
import { TouchmarkError } from '../errors.ts';
import { generateApiKey, hashApiKey } from '../store/api-keys.ts';
import { createKeyRing } from '../store/key-ring.ts';
import {
  createDirectory,
  createFile,
  pathExists,
  readShippedFile,
} from '../store/project-files.ts';
import { apiKeyPath } from './project.ts';

/** What `init` made. */
export interface InitResult {
  readonly directory: string;
  /** Absolute paths, in the order in which they were made. */
  readonly made: readonly string[];
  readonly tenant: string;
  /** Public: prove later that the key existed now. */
  readonly commitment: string;
}

const tenant = 'example';

/**
 * Makes a new project: configuration, key ring with one tenant whose first epoch is committed, that
 * tenant's API key in a file of mode 0600, and folders for traps, fingerprints and questions; version
 * control leaves out keys and traps, which are secrets. A
 * TOUCHMARK_PASSPHRASE in the environment seals the key ring.
 *
 * @throws TouchmarkError USAGE naming the first file that exists already, or an upstream that is no
 *   address, before anything is made
 */
export async function initProject(options: {
  readonly directory: string;
  readonly environment?: Environment;
  /** `PROTOCOL:ADDRESS` of the model; an example that has to be replaced by default. */
  readonly upstream?: string;
  /** A language model's: `gpt-tokenizer:NAME`, or a folder. */
  readonly tokenizer?: string;
}): Promise<InitResult> {
  const { upstream, tokenizer } = options;
  if (upstream !== undefined) requireUpstream(upstream);
  const directory = resolve(options.directory);
  const at = (...names: string[]) => join(directory, ...names);
  const paths = {
    config: at('touchmark.yaml'),
    private: at('.touchmark'),
    ring: at('.touchmark', 'keys', 'ring.json'),
    apiKey: apiKeyPath(directory, tenant),
    ignore: at('.touchmark', '.gitignore'),
    traps: at('traps'),
    fingerprints: at('fingerprints'),
    inputs: at('inputs'),
  };
  const { config, private: secrets, traps, fingerprints, inputs } = paths;
  await refuseExisting([config, secrets, traps, fingerprints, inputs]);

  const passphrase = (options.environment ?? process.env)['TOUCHMARK_PASSPHRASE'];
  const ring = await createKeyRing({
    source: `file:${paths.ring}`,
    ...(passphrase === undefined ? {} : { passphrase }),
  });
  const { commitment } = ring.addEpoch(tenant, new Date().toISOString());
  await ring.save();
  const apiKey = generateApiKey();
  await createFile(paths.apiKey, [`${apiKey}\n`], 0o600);
  await createFile(paths.ignore, ['*\n'], 0o644);
  const made = [paths.ring, paths.apiKey, paths.ignore];
  for (const folder of ['traps', 'fingerprints']) {
    await createDirectory(at(folder));
    const readme = await readShippedFile(join(folder, 'README.md'));
    await createFile(at(folder, 'README.md'), [readme], 0o644);
    made.push(at(folder, 'README.md'));
  }
  await createFile(at('traps', '.gitignore'), ['*.json\n'], 0o644);
  made.push(at('traps', '.gitignore'));
  for (const name of ['twin.txt', 'fresh.txt', 'traps.txt', 'fingerprint.txt']) {
    await createFile(at('inputs', name), [], 0o644);
    made.push(at('inputs', name));
  }
  const text = configTemplate([{ id: tenant, apiKeySha256: hashApiKey(apiKey) }], {
    ...(upstream !== undefined && { upstream }),
    ...(tokenizer !== undefined && { tokenizer: tokenizerIn(tokenizer) }),
  });
  await createFile(config, [text], 0o644);
  return { directory, made: [...made, config], tenant, commitment };
}

function requireUpstream(upstream: string): void {
  if (/^(http|kserve|tfserving|openai):https?:\/\/\S+$/.test(upstream)) return;
  throw new TouchmarkError('USAGE', `--upstream ${upstream} is not of the form PROTOCOL:ADDRESS.`, {
    hint: 'Write http:http://HOST:PORT/PATH, kserve:http://HOST:PORT/v2/models/NAME, tfserving:http://HOST:PORT/v1/models/NAME or openai:http://HOST:PORT/v1.',
  });
}

/** Paths in the configuration are relative to it, and those of a command line to where it is given. */
function tokenizerIn(named: string): string {
  return named.startsWith('gpt-tokenizer:') ? named : resolve(named);
}

async function refuseExisting(paths: readonly string[]): Promise<void> {
  for (const path of paths) {
    if (!(await pathExists(path))) continue;
    throw new TouchmarkError('USAGE', `${path} exists already; nothing was made.`, {
      hint: 'init never overwrites: choose an empty directory with --directory.',
    });
  }
}
